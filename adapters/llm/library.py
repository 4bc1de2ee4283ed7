"""LiteLLM itself: imported and warmed up in a thread, since that takes seconds of CPU.

On the event loop the import stood still for 3.7 s and the first stream for another 0.4–0.9 s.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import threading
from concurrent.futures import Future
from enum import StrEnum
from typing import Any

import aiohttp

from bot.errors import ProviderUnavailableError

logger = logging.getLogger(__name__)

_SWITCHES = {
    # Else it reads our .env into the environment of this process and of every child.
    "LITELLM_MODE": "PRODUCTION",
    # Else it asks the network for its price table while it is imported.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Else streaming a Llama-family name fetches a tokenizer on the event loop: 46 s offline.
    "HF_HUB_OFFLINE": "1",
    "LITELLM_OFFLINE_MODE": "true",
    # One HTTP path for all: 0.74 of the CPU of a stream, and our own session serves OpenAI too.
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER": "True",
    # Else an answer that rightly repeats a piece a hundred times ends as a server error.
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000000",
}
_NOWHERE = "http://127.0.0.1:9"
"""The discard port: refused at once, which warms up everything up to the connection."""


class Stage(StrEnum):
    """How far the library has come."""

    WAITING = "waiting"
    IMPORTING = "importing"
    WARMING_UP = "warming up"
    READY = "ready"
    FAILED = "failed"


class Library:
    """Loads LiteLLM once; who needs it earlier waits."""

    def __init__(self) -> None:
        self.stage = Stage.WAITING
        self._loaded: Future[Any] = Future()
        self._lock = threading.Lock()
        self._is_started = False

    def start(self) -> None:
        """Begin to load; may be called again."""
        with self._lock:
            if self._is_started:
                return
            self._is_started = True
        threading.Thread(target=self._load, name="load-litellm", daemon=True).start()

    async def ready(self) -> Any:
        """Wait for the module. Raises ProviderUnavailableError when it can't be loaded."""
        self.start()
        try:
            return await asyncio.shield(asyncio.wrap_future(self._loaded))
        except Exception as error:
            raise ProviderUnavailableError(
                "The library that talks to the models could not be loaded. "
                "Run `./parley doctor` for what is missing."
            ) from error

    def _load(self) -> None:
        try:
            self.stage = Stage.IMPORTING
            module = import_litellm()
            self.stage = Stage.WARMING_UP
            asyncio.run(_warm_up(module))
        except Exception as error:
            self.stage = Stage.FAILED
            logger.exception("LiteLLM could not be loaded")
            self._loaded.set_exception(error)
            return
        self.stage = Stage.READY
        self._loaded.set_result(module)


def import_litellm() -> Any:
    """Import it with our switches set; seconds of CPU the first time."""
    os.environ.update(_SWITCHES)
    was_collecting = gc.isenabled()
    gc.disable()  # a quarter of the import's time went into collecting what stays anyway
    try:
        module: Any = importlib.import_module("litellm")
    finally:
        if was_collecting:
            gc.enable()
    module.suppress_debug_info = True
    module.disable_hf_tokenizer_download = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return module


async def _warm_up(litellm: Any) -> None:
    """Stream once from nowhere, then fail to connect once in each protocol."""
    messages = [{"role": "user", "content": "Hello"}]
    options = {"messages": messages, "stream": True, "api_key": "none", "api_base": _NOWHERE}
    usage = {"include_usage": True}
    stream = await litellm.acompletion(
        model="openai/none", mock_response="Hello", stream_options=usage, **options
    )
    async for _ in stream:
        pass
    async with aiohttp.ClientSession() as session:
        client = http_client(session)
        for model in ("openai/none", "anthropic/none", "gemini/none"):
            try:
                await litellm.acompletion(
                    model=model, client=client, max_tokens=8, num_retries=0, **options
                )
            except litellm.exceptions.openai.OpenAIError:
                logger.debug("warmed up", extra={"model_id": model})
        await client.close()


def http_client(session: aiohttp.ClientSession) -> Any:
    """LiteLLM's HTTP client over a session of ours, which we close; call it once loaded."""
    handler = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    return handler.AsyncHTTPHandler(shared_session=session)
