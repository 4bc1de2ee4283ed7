"""A web chat with its real parts but for the models: those say what a test dictates."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.clock import SystemClock
from adapters.inline_queue import InlineQueue
from adapters.web import (
    Check,
    Dashboard,
    Startup,
    WebDelivery,
    WebParts,
    address_of,
    create_app,
    listen,
    probe_routes,
    run_web,
)
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.caps import NO_CAPS
from bot.catalog import Catalog
from bot.inbox import Inbox
from bot.reporting import Reporter
from bot.responder import Responder
from bot.router import Router
from storage import MemoryStore
from tests import fakes

MODELS = "Models"
_END = object()


class DictatedGateway:
    """Says what it is told, piece by piece, and holds its breath in between."""

    def __init__(self) -> None:
        self.calls: list[ModelCall] = []
        self.cancelled: list[str] = []
        self._pieces: asyncio.Queue[object] = asyncio.Queue()

    def say(self, *pieces: str) -> None:
        """Go on with these pieces."""
        for piece in pieces:
            self._pieces.put_nowait(piece)

    def end(self, error: Exception | None = None) -> None:
        """End the answer, or fail."""
        self._pieces.put_nowait(error or _END)

    def answer(self, text: str) -> None:
        """Say a whole answer."""
        self.say(text)
        self.end()

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.calls.append(call)
        text = ""
        try:
            while (piece := await self._pieces.get()) is not _END:
                if isinstance(piece, Exception):
                    raise piece
                text += str(piece)
                on_text(str(piece))
        except asyncio.CancelledError:
            self.cancelled.append(call.call_id)
            raise
        return fakes.completion(text, model_id=call.model.model_id)


@dataclass(slots=True, kw_only=True)
class WebChat:
    """One running web chat."""

    url: str
    store: MemoryStore
    gateway: DictatedGateway
    startup: Startup
    web: WebDelivery
    http: aiohttp.ClientSession
    catalog: list[Catalog] = field(default_factory=list)

    async def ask(self, text: str, **more: Any) -> aiohttp.ClientResponse:
        """Send a prompt as a script does; the answer comes as events."""
        return await self.http.post("/api/ask", json={"text": text, **more})

    async def answered(self, text: str, answer: str, **more: Any) -> dict[str, Any]:
        """Send a prompt, have it answered, and return the turn."""
        self.gateway.answer(answer)
        headers = {"accept": "application/json"}
        async with self.http.post(
            "/api/ask", json={"text": text, **more}, headers=headers
        ) as response:
            assert response.status == 200, await response.text()
            turn = await response.json()
            assert isinstance(turn, dict)
            return turn


@asynccontextmanager
async def web_chat(
    *,
    token: str = "",
    is_ready: bool = True,
    store: MemoryStore | None = None,
    checks: Mapping[str, Check] | None = None,
    metrics_token: str = "",
) -> AsyncIterator[WebChat]:
    """A web chat on a free port of this machine."""
    store = store or MemoryStore()
    gateway, web = DictatedGateway(), WebDelivery()
    startup, clock = Startup(MODELS), SystemClock()
    if is_ready:
        startup.done(MODELS)
    router = Router(fakes.catalog(), fakes.FixedEstimator())
    responder = Responder(store=store, gateway=gateway, delivery=web, router=router, clock=clock)
    queue = InlineQueue(responder.answer)
    catalog = [router.catalog]
    reporter = Reporter(store, lambda: catalog[0], clock, instance_caps=NO_CAPS)
    dashboard = Dashboard(store=store, reporter=reporter, clock=clock, instance_caps=NO_CAPS)
    page = create_app(
        WebParts(
            store=store,
            inbox=Inbox(store, queue, clock),
            delivery=web,
            stages=startup,
            catalog=lambda: catalog[0],
            clock=clock,
            token=token,
        ),
        dashboard.routes(),
    )
    probes = probe_routes(checks or {}, lambda: b"figures 1\n", metrics_token)
    app = Starlette(routes=[*probes, Mount("/", page)])
    listener = listen("127.0.0.1", 0)
    url = address_of(listener)
    serving = asyncio.create_task(run_web(app, listener, close_streams=web.close))
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=20)) as http:
        try:
            yield WebChat(
                url=url,
                store=store,
                gateway=gateway,
                startup=startup,
                web=web,
                http=http,
                catalog=catalog,
            )
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """The events of a response as they come."""
    name = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
