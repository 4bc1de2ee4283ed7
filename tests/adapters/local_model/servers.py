"""A loopback server that answers given paths with given bodies, or hangs, and keeps what it saw."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

HANG = object()


@dataclass
class Server:
    """What it answers by path, and what it was asked."""

    answers: Mapping[str, object]
    base: str = ""
    seen: list[tuple[str, str, Any]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for _, path, _ in self.seen]


@asynccontextmanager
async def serving(answers: Mapping[str, object]) -> AsyncIterator[Server]:
    """Serve these answers: JSON, bytes as they are, a ready response, or HANG."""
    server = Server(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        server.seen.append((request.method, request.path, json.loads(body) if body else None))
        value = answers.get(request.path, {"error": "Unexpected endpoint or method."})
        if value is HANG:
            await asyncio.sleep(60)
        if callable(value):
            value = value(json.loads(body) if body else None)
        if isinstance(value, bytes):
            return web.Response(body=value)
        return value if isinstance(value, web.Response) else web.json_response(value)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        server.base = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()
