"""Looks for model servers that run on this computer: Ollama, LM Studio, llama.cpp.

It only reads lists, all at once and within one short limit; nothing is started, loaded or pulled.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import aiohttp

from adapters.local_model.found import (
    FoundModel,
    from_llamacpp,
    from_lmstudio,
    from_ollama,
    told_by_ollama,
)

OLLAMA_BASE = "http://127.0.0.1:11434"
LMSTUDIO_BASE = "http://127.0.0.1:1234"
LLAMACPP_BASE = "http://127.0.0.1:8080"
LIMIT_S = 0.6
MAX_ANSWER_BYTES = 4_000_000
MAX_ASKED = 32
"""How many of Ollama's models are asked for their abilities."""

logger = logging.getLogger(__name__)


async def find_models(
    *,
    ollama_base: str = "",
    lmstudio_base: str = "",
    llamacpp_base: str = "",
    limit_s: float = LIMIT_S,
) -> tuple[FoundModel, ...]:
    """Every chat model that a server on this computer offers; empty bases mean the usual ones."""
    # No proxy from the environment, no cookie, no redirect: only these servers are asked.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        probe = _Probe(session, asyncio.get_running_loop().time() + limit_s)
        found = await asyncio.gather(
            probe.ollama(to_base(ollama_base or OLLAMA_BASE)),
            probe.lmstudio(to_base(lmstudio_base or LMSTUDIO_BASE)),
            probe.llamacpp(to_base(llamacpp_base or LLAMACPP_BASE)),
        )
    return tuple(model for models in found for model in models)


def to_base(address: str) -> str:
    """A server's address as people write it (`localhost:11434`, `http://…/v1/`), made whole."""
    base = address.strip().rstrip("/")
    if "://" not in base:
        base = f"http://{base}"
    return base.removesuffix("/v1").removesuffix("/api").replace("//0.0.0.0", "//127.0.0.1")


class _Probe:
    """Asks the servers, each within what is left of the limit."""

    def __init__(self, session: aiohttp.ClientSession, deadline_s: float) -> None:
        self._session = session
        self._deadline_s = deadline_s

    async def ollama(self, base: str) -> tuple[FoundModel, ...]:
        models = from_ollama(base, await self._ask(f"{base}/api/tags"))
        asked = [model for model in models[:MAX_ASKED] if model.has_vision is None]
        answers = await asyncio.gather(
            *(self._ask(f"{base}/api/show", {"model": model.name}) for model in asked)
        )
        told = {m.name: told_by_ollama(a) for m, a in zip(asked, answers, strict=True)}
        return tuple(
            better
            for model in models
            if (better := _with_abilities(model, *told.get(model.name, (None, None))))
        )

    async def lmstudio(self, base: str) -> tuple[FoundModel, ...]:
        new, old = await asyncio.gather(
            self._ask(f"{base}/api/v1/models"), self._ask(f"{base}/api/v0/models")
        )
        return from_lmstudio(base, new) or from_lmstudio(base, old)

    async def llamacpp(self, base: str) -> tuple[FoundModel, ...]:
        models, props = await asyncio.gather(
            self._ask(f"{base}/v1/models"), self._ask(f"{base}/props")
        )
        return from_llamacpp(base, models, props)

    async def _ask(self, url: str, body: Mapping[str, Any] | None = None) -> object:
        """The JSON at this address; None when there is none in time."""
        left_s = self._deadline_s - asyncio.get_running_loop().time()
        try:
            async with (
                asyncio.timeout(left_s),
                self._session.request(
                    "GET" if body is None else "POST", url, json=body, allow_redirects=False
                ) as response,
            ):
                content = await response.content.read(MAX_ANSWER_BYTES)
                while chunk := await response.content.read(MAX_ANSWER_BYTES - len(content)):
                    content += chunk
                return json.loads(content) if response.status == 200 else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            logger.debug("No model server here.", extra={"url": url, "error": repr(error)})
            return None


def _with_abilities(
    model: FoundModel, context_tokens: int | None, abilities: tuple[str, ...] | None
) -> FoundModel | None:
    """The model with what the server told of it; None for one that cannot chat."""
    if abilities is None:
        return model
    if "completion" not in abilities:
        return None
    return replace(
        model,
        context_tokens=model.context_tokens or context_tokens,
        has_vision="vision" in abilities,
        has_tools="tools" in abilities,
    )
