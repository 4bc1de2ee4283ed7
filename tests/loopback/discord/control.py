"""The server as a process of its own: the same verbs, by HTTP under `/_control`.

`POST /_control/people/say` with `{"channel_id": …}` calls `server.people.say(**body)`.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from aiohttp import web

from tests.loopback.discord.interactions import Interaction
from tests.loopback.discord.server import DiscordServer

PARTS = ("people", "world", "gateway", "server")


class ControlledServer(DiscordServer):
    """A server that another process can steer and read."""

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/_control/{part}/{verb}", self._do)
        app.router.add_get("/_control/record", self._read_record)
        app.router.add_get("/_control/state", self._read_state)

    async def _do(self, request: web.Request) -> web.Response:
        part, verb = request.match_info["part"], request.match_info["verb"]
        if part not in PARTS or verb.startswith("_"):
            raise web.HTTPNotFound(text=f"no such verb: {part}.{verb}")
        owner: Any = self if part == "server" else getattr(self, part)
        answer = getattr(owner, verb)(**(await request.json()))
        return web.json_response(plain(answer))

    async def _read_record(self, _: web.Request) -> web.Response:
        return web.json_response(dataclasses.asdict(dataclasses.replace(self.record, faults=[])))

    async def _read_state(self, _: web.Request) -> web.Response:
        world = self.world
        return web.json_response(
            {
                "api_base": self.api_base,
                "token": self.token,
                "bot": world.bot,
                "channels": world.channels,
                "messages": world.messages,
                "connected": len(self.gateway.live()),
                "interactions": {k: plain(v) for k, v in self.interactions.by_token.items()},
            }
        )


def plain(answer: Any) -> Any:
    """What a verb returned, as JSON can carry it."""
    if isinstance(answer, Interaction):
        return dataclasses.asdict(answer)
    try:
        json.dumps(answer)
    except TypeError:
        return None
    return answer
