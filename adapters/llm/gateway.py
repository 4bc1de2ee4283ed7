"""The gateway over LiteLLM: one try at one model, streamed, under clocks of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp

from adapters.llm.failures import missing_key, to_gateway_error
from adapters.llm.library import Library, Stage, http_client
from adapters.llm.providers import key_variable
from adapters.llm.reading import Patience, Reading
from adapters.llm.requests import to_request
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.catalog import ModelSpec
from bot.errors import (
    GatewayError,
    ProviderUnavailableError,
    ResponseTimeoutError,
    StreamCutError,
)

KEEPALIVE_S = 120.0
GEMINI_ENDS = ('"finishReason":', '"blockReason":')
"""What only a last line of Gemini's holds; within a text the quotes are escaped."""
_END = object()


class LiteLLMGateway:
    """Calls any provider's models; retries, fallbacks and accounts are the caller's."""

    def __init__(
        self,
        key_of: Callable[[ModelSpec], str | None],
        *,
        library: Library | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`key_of` gives the secret for a model; None or empty when there is none."""
        self._key_of = key_of
        self._library = library or Library()
        self._patience = patience or Patience()
        self._session: aiohttp.ClientSession | None = None
        self._client: Any = None

    @property
    def stage(self) -> Stage:
        """How far LiteLLM is loaded; a call made earlier waits for it."""
        return self._library.stage

    def start(self) -> None:
        """Begin to load LiteLLM behind everything else."""
        self._library.start()

    async def ready(self) -> None:
        """Wait until LiteLLM is loaded and warm."""
        await self._library.ready()

    async def close(self) -> None:
        """Close the connections; calls that run now fail."""
        if self._session is not None:
            await self._client.close()
            await self._session.close()
            self._session = self._client = None

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        """Ask a model; see the port."""
        key = self._key_of(call.model) or ""
        if not key and key_variable(call.model):
            raise missing_key(call.model)
        litellm = await self._library.ready()
        self._connect()
        reading = Reading(call, on_text, self._patience_with(call), on_reasoning)
        try:
            async with reading.clock:
                return await self._read(litellm, to_request(call, key), reading, call.model)
        except TimeoutError as error:
            raise _too_late(reading, call.model) from error

    def _patience_with(self, call: ModelCall) -> Patience:
        """A server of one's own may need minutes to read a long prompt; nobody bills for them."""
        if key_variable(call.model):
            return self._patience
        return replace(self._patience, first_token_s=call.timeout_s)

    def _connect(self) -> None:
        if self._session is None:
            connector = _PromptConnector(self._patience.connect_s)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
            self._client = http_client(self._session)

    async def _read(
        self, litellm: Any, request: dict[str, Any], reading: Reading, model: ModelSpec
    ) -> Completion:
        try:
            stream = await litellm.acompletion(client=self._client, **request)
        except Exception as error:
            raise to_gateway_error(error, model) from error
        try:
            chunks = await _open(stream, reading, model)
            while (chunk := await _next(chunks, reading, model)) is not _END:
                reading.take(chunk)
            if not reading.is_finished:
                raise _cut(reading, ProviderUnavailableError())
            return await reading.to_completion()
        finally:
            await stream.aclose()


class _PromptConnector(aiohttp.TCPConnector):
    """Gives up on a connection sooner than on an answer: LiteLLM has one limit for both."""

    def __init__(self, connect_s: float) -> None:
        super().__init__(limit=0, keepalive_timeout=KEEPALIVE_S)
        self._connect_s = connect_s

    async def connect(self, req: Any, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:
        prompt = aiohttp.ClientTimeout(total=self._connect_s, sock_connect=self._connect_s)
        return await super().connect(req, traces, prompt)


async def _open(stream: Any, reading: Reading, model: ModelSpec) -> Any:
    """The provider's own chunks, beneath LiteLLM's wrapper.

    The wrapper costs twice as much CPU as all the rest, and makes things up: usage where none was
    sent, and a proper end where the stream was truncated.
    """
    if stream.completion_stream is None:
        try:
            await stream.fetch_stream()
        except Exception as error:
            raise to_gateway_error(error, model) from error
    raw = stream.completion_stream
    if model.provider == "gemini" and hasattr(raw, "streaming_response"):
        # LiteLLM gives each of Gemini's chunks a proper end, so its lines are looked at as well.
        raw.streaming_response = reading.until_said(GEMINI_ENDS, raw.streaming_response)
    return aiter(raw if hasattr(raw, "__aiter__") else stream)


async def _next(chunks: Any, reading: Reading, model: ModelSpec) -> Any:
    """The next chunk, or `_END`."""
    try:
        return await anext(chunks, _END)
    except Exception as error:
        raise _cut(reading, to_gateway_error(error, model)) from error


def _cut(reading: Reading, error: GatewayError) -> GatewayError:
    """Once text was shown, any failure is a cut: there is no other model to fall back on."""
    return StreamCutError() if reading.text else error


def _too_late(reading: Reading, model: ModelSpec) -> GatewayError:
    late = f"{model.alias} took too long, so I stopped waiting. Please try again."
    return _cut(reading, ResponseTimeoutError(late))
