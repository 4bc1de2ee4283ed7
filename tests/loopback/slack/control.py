"""The control endpoints of the standalone server: act, look, break things; JSON in and out."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.loopback.slack.people import LoopbackSlack

ACTS = ("say", "command", "press", "shortcut", "open_tab", "press_stop", "edit", "remove")


class ControlledSlack(LoopbackSlack):
    """A loopback Slack that another process drives: POST /control/say, GET /control/calls ..."""

    def routes(self) -> list[web.RouteDef]:
        """Slack's addresses and the control endpoints."""
        return [
            *super().routes(),
            web.post("/control/{act}", self._act),
            web.get("/control/{what}", self._look),
        ]

    async def _act(self, request: web.Request) -> web.Response:
        act, args = request.match_info["act"], await request.json()
        if act == "fail":
            self.fail(**args)
        elif act == "drop":
            self.outbox.drop()
        elif act == "disconnect":
            await self.outbox.disconnect(args.get("reason", "refresh_requested"))
        elif act in ACTS:
            result = getattr(self, act)(**args)
            return web.json_response({"ts": result} if isinstance(result, str) else {"ok": True})
        else:
            return web.json_response({"error": f"acts: {', '.join(ACTS)}"}, status=404)
        return web.json_response({"ok": True})

    async def _look(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        looks: dict[str, Any] = {
            "calls": lambda: [asdict(call) for call in self.calls],
            "sent": lambda: [asdict(sent) for sent in self.outbox.sent],
            "messages": lambda: {k: c.messages for k, c in self.space.channels.items()},
            "home": lambda: self.space.home,
            "views": lambda: self.space.views,
            "responses": lambda: self.responses,
            "sockets": lambda: {"open": len(self.outbox.sockets)},
        }
        if what not in looks:
            return web.json_response({"error": f"looks: {', '.join(looks)}"}, status=404)
        return web.json_response(looks[what]())
