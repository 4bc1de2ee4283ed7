"""The loopback server: reads a request in its provider's protocol and answers by the script."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.loopback.providers.anthropic import Messages
from tests.loopback.providers.breaking import BREAKING, break_off, drop, hang
from tests.loopback.providers.dialect import Dialect, Exchange
from tests.loopback.providers.gemini import GenerateContent
from tests.loopback.providers.openai import ChatCompletions
from tests.loopback.providers.record import Outcome, Seen, count_tokens
from tests.loopback.providers.refusals import refuse, refuses
from tests.loopback.providers.script import (
    Answerer,
    Fault,
    FaultKind,
    Reply,
    Script,
    to_fault,
)

_BASES = {
    "openai": "/openai/v1",
    "groq": "/groq/v1",
    "mistral": "/mistral/v1",
    "openrouter": "/openrouter/v1",
    "deepseek": "/deepseek/v1",
    "local": "/local/v1",
    "anthropic": "/anthropic",
    "gemini": "/gemini/v1beta",
}
_UNBILLED = (FaultKind.HANG_BEFORE_HEADERS, FaultKind.DROP)
_MAX_BODY_BYTES = 64 * 2**20


class ProviderServer:
    """Every provider on one loopback port; `async with ProviderServer() as provider`."""

    def __init__(self, script: Script | None = None, record_file: Path | None = None) -> None:
        self.requests: list[Seen] = []
        self.prices: dict[str, tuple[float, float]] = {}
        self.models: list[str] = ["local-model"]
        self.address = ""
        self._script = script or Script()
        self._record_file = record_file
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one, and `address` says which."""
        self._runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.address = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def base(self, provider: str) -> str:
        """The address to give to a client of this provider."""
        return self.address + _BASES[provider]

    @property
    def bases(self) -> dict[str, str]:
        """The addresses of all providers."""
        return {provider: self.base(provider) for provider in _BASES}

    def script(self, reply: Reply | Answerer | None = None, /, **fields: Any) -> None:
        """Set the standing answer: a reply, a function of the request, or a reply's fields."""
        if callable(reply):
            self._script.standing = reply
            return
        standing = reply or Reply(**fields)
        self._script.standing = lambda _seen: standing

    def queue(self, *replies: Reply) -> None:
        """Answer the next requests with these, in order; then the standing answer again."""
        self._script.queue.extend(replies)

    def answer(self, contained: str, reply: Reply, *, first: bool = False) -> None:
        """Answer prompts that contain this text with this reply, before other rules if `first`."""
        self._script.rules.insert(0 if first else len(self._script.rules), (contained, reply))

    def fail(self, kind: FaultKind | str, *, times: int | None = 1, **fields: Any) -> None:
        """Let the next `times` requests fail (None: all); fields are those of `Fault`."""
        self._script.faults.append((Fault(kind=FaultKind(kind), **fields), times))

    def heal(self) -> None:
        """Take every fault away."""
        self._script.faults.clear()

    async def wait_until(
        self, condition: Callable[[Self], object], *, timeout_s: float = 5.0
    ) -> None:
        """Wait until something is true of this server's record; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def wait_for_requests(self, count: int = 1, *, timeout_s: float = 5.0) -> None:
        """Wait until this many requests have come in."""
        await self.wait_until(lambda server: len(server.requests) >= count, timeout_s=timeout_s)

    async def wait_for_ends(self, count: int = 1, *, timeout_s: float = 5.0) -> None:
        """Wait until this many requests have ended, however they did."""
        await self.wait_until(
            lambda server: sum(seen.ended_at_s is not None for seen in server.requests) >= count,
            timeout_s=timeout_s,
        )

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        for provider, base in _BASES.items():
            if provider not in ("anthropic", "gemini"):
                app.router.add_post(f"{base}/chat/completions", self._handler(provider))
                app.router.add_get(f"{base}/models", self._list_models)
        app.router.add_post("/anthropic/v1/messages", self._handler("anthropic"))
        gemini = "/gemini/v1beta/models/{model:[^:]+}:{verb:generateContent|streamGenerateContent}"
        app.router.add_post(gemini, self._handler("gemini"))
        app.router.add_get("/_record", self._show_record)
        app.router.add_post("/_faults", self._set_faults)
        return app

    def _handler(self, provider: str) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, provider)

        return handle

    async def _serve(self, request: web.Request, provider: str) -> web.StreamResponse:
        dialect = _dialect(provider)
        seen = self._note(request, provider, dialect, await request.json())
        reply = self._script.next_reply(seen)
        seen.fault = reply.fault.kind if reply.fault else None
        exchange = Exchange(seen, reply.cut_to(seen.max_output_tokens), self.prices)
        try:
            return await self._answer(request, dialect, exchange)
        except (asyncio.CancelledError, ConnectionError):
            seen.end(Outcome.DISCONNECTED)
            raise
        finally:
            self._close(exchange)

    def _note(
        self, request: web.Request, provider: str, dialect: Dialect, body: dict[str, Any]
    ) -> Seen:
        is_stream = body.get("stream", request.match_info.get("verb") == "streamGenerateContent")
        seen = Seen(
            number=len(self.requests) + 1,
            provider=provider,
            model=request.match_info.get("model") or body["model"],
            messages=dialect.messages(body),
            is_stream=bool(is_stream),
            max_output_tokens=dialect.max_output_tokens(body),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        self.requests.append(seen)
        self._changed.set()
        return seen

    def _close(self, exchange: Exchange) -> None:
        seen = exchange.seen
        seen.end(Outcome.FINISHED)
        if seen.outcome is not Outcome.REFUSED and seen.fault not in _UNBILLED:
            seen.billed = exchange.bill()
        self._changed.set()
        if self._record_file is not None:
            with self._record_file.open("a") as file:
                file.write(json.dumps(seen.to_json()) + "\n")

    async def _answer(
        self, request: web.Request, dialect: Dialect, exchange: Exchange
    ) -> web.StreamResponse:
        seen, fault = exchange.seen, exchange.reply.fault
        if fault is not None:
            if refuses(seen, fault):
                seen.status, body, headers = refuse(seen, fault)
                seen.end(Outcome.REFUSED)
                return web.json_response(body, status=seen.status, headers=headers)
            if fault.kind is FaultKind.HANG_BEFORE_HEADERS:
                await hang()
            if fault.kind is FaultKind.DROP:
                return drop(request, seen)
            exchange.reply = exchange.reply.emptied_by(fault)
        await asyncio.sleep(exchange.reply.first_delay_s)
        seen.status = 200
        if seen.is_stream:
            return await self._stream(request, dialect, exchange)
        return await self._whole(dialect, exchange)

    async def _whole(self, dialect: Dialect, exchange: Exchange) -> web.StreamResponse:
        seen, fault = exchange.seen, exchange.reply.fault
        await asyncio.sleep(exchange.reply.chunk_delay_s * len(exchange.reply.pieces()))
        exchange.bill_in_full()
        seen.note_text(exchange.sent_tokens)
        text = json.dumps(dialect.whole(exchange))
        if fault is not None and fault.kind is FaultKind.MALFORMED:
            seen.end(Outcome.BROKEN)
            text = text[: len(text) // 2]
        elif fault is not None and fault.kind in BREAKING | {FaultKind.HANG_AFTER_HEADERS}:
            await hang()
        return web.Response(text=text, content_type="application/json")

    async def _stream(
        self, request: web.Request, dialect: Dialect, exchange: Exchange
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for event in dialect.opening(exchange):
            await response.write(event)
        fault = exchange.reply.fault
        if fault is not None and fault.kind is FaultKind.HANG_AFTER_HEADERS:
            await hang()
        await asyncio.sleep(exchange.reply.first_text_delay_s)
        stops_at = fault.at_token if fault is not None and fault.kind in BREAKING else None
        await self._send_text(response, dialect, exchange, stops_at)
        if fault is not None and fault.kind in BREAKING | {FaultKind.MALFORMED}:
            return await break_off(request, response, dialect, exchange.seen, fault)
        for event in dialect.closing(exchange):
            await response.write(event)
        exchange.seen.end(Outcome.FINISHED)
        await response.write_eof()
        return response

    async def _send_text(
        self,
        response: web.StreamResponse,
        dialect: Dialect,
        exchange: Exchange,
        stops_at: int | None,
    ) -> None:
        for piece in exchange.reply.pieces():
            if stops_at is not None and exchange.sent_tokens >= stops_at:
                return
            exchange.sent_tokens += count_tokens(piece)
            await response.write(dialect.piece(exchange, piece))
            exchange.seen.note_text(exchange.sent_tokens)
            self._changed.set()
            await asyncio.sleep(exchange.reply.chunk_delay_s)

    async def _list_models(self, request: web.Request) -> web.Response:
        data = [{"id": model, "object": "model", "owned_by": "loopback"} for model in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _show_record(self, request: web.Request) -> web.Response:
        return web.json_response([seen.to_json() for seen in self.requests])

    async def _set_faults(self, request: web.Request) -> web.Response:
        """Take a list of faults in place of those that were set."""
        try:
            faults = [to_fault(fields) for fields in await request.json()]
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"not a list of faults: {error}"}, status=400)
        self._script.faults[:] = faults
        return web.json_response({"faults": len(faults)})


def _dialect(provider: str) -> Dialect:
    if provider == "anthropic":
        return Messages()
    if provider == "gemini":
        return GenerateContent()
    return ChatCompletions()
