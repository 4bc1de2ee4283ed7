"""The loopback server: HTTP routes of the Web API, files, OAuth and Socket Mode."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from tests.loopback.slack.methods import WebMethods
from tests.loopback.slack.outbox import Outbox
from tests.loopback.slack.rules import (
    NEEDED_SCOPE,
    RateLimitedError,
    RateLimits,
    RefusalError,
)
from tests.loopback.slack.state import Json, Workspace
from tests.loopback.slack.transcript import Call, Fault

APP_TOKEN = "xapp-loopback"
OPEN_METHODS = ("apps.connections.open", "oauth.v2.access")


class SlackServer:
    """Speaks Slack's documented protocols on a free local port and records everything."""

    def __init__(
        self,
        *,
        ack_timeout_s: float = 3.0,
        time_scale: float = 1.0,
        stream_life_s: float = 306.0,
        rate_window_s: float = 60.0,
    ):
        self.now: Callable[[], float] = time.monotonic
        self.limits = RateLimits(self.now, window_s=rate_window_s)
        self.web = WebMethods(
            now=self.now, stream_life_s=stream_life_s, base_url=lambda: self.origin
        )
        self.outbox = Outbox(now=self.now, ack_timeout_s=ack_timeout_s, time_scale=time_scale)
        self.spaces: dict[str, Workspace] = {}
        self.calls: list[Call] = []
        self.responses: list[Json] = []
        self.faults: list[Fault] = []
        self.oauth_codes: dict[str, str] = {}
        self.origin = ""
        self.space = self.add_workspace("T1")
        self._runner: web.AppRunner | None = None
        self._late: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """What SLACK_API_BASE is set to."""
        return f"{self.origin}/api/"

    def add_workspace(self, team_id: str) -> Workspace:
        """Another workspace that has the app installed."""
        self.spaces[team_id] = Workspace(team_id)
        return self.spaces[team_id]

    def fail(self, method: str, error: str = "internal_error", **more: Any) -> Fault:
        """Let the next calls of a method fail; see Fault."""
        fault = Fault(method, error, **more)
        self.faults.append(fault)
        return fault

    async def __aenter__(self) -> Self:
        await self.start(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.outbox.close()
        for task in list(self._late):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    def routes(self) -> list[web.RouteDef]:
        """Every address that the server answers."""
        return [
            web.post("/api/{method}", self._api),
            web.get("/api/{method}", self._api),
            web.get("/link", self.outbox.serve),
            web.post("/upload/v1/{team}/{file}", self._upload),
            web.get("/files-pri/{team}-{file}/{name}", self._download),
            web.post("/respond/{channel}/{number}", self._respond),
        ]

    async def start(self, port: int) -> None:
        """Listen on loopback; port 0 takes a free one."""
        app = web.Application(client_max_size=50_000_000)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method, args = request.match_info["method"], await _arguments(request)
        call = Call(method, args, "", self.now())
        self.calls.append(call)
        fault = next((f for f in self.faults if f.matches(method)), None)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        try:
            if fault is not None and fault.late_s:
                self._answer_late(call, request, fault.late_s)
            if fault is not None and (fault.late_s or not fault.is_applied):
                _raise(fault)
            call.answer = {"ok": True, **self._answer(call, request)}
            if fault is not None:
                _raise(fault)
        except RateLimitedError as limited:
            call.status, call.error = 429, "ratelimited"
            headers = {"Retry-After": str(limited.retry_after_s)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        except RefusalError as refusal:
            call.error = refusal.error
            call.answer = {"ok": False, "error": refusal.error, **refusal.extra}
        except ConnectionAbortedError:
            call.error = "dropped"
            assert request.transport is not None
            request.transport.abort()
        space = self.spaces.get(call.team_id)
        scopes = {"X-OAuth-Scopes": ",".join(sorted(space.scopes))} if space else {}
        return web.json_response(call.answer, status=call.status, headers=scopes)

    def _answer_late(self, call: Call, request: web.Request, late_s: float) -> None:
        """Do what a call says when its caller has long given up."""

        async def do() -> None:
            await asyncio.sleep(late_s)
            try:
                self._answer(call, request)
            except RateLimitedError:
                call.error = "ratelimited"
            except RefusalError as refusal:
                call.error = refusal.error  # for the record: the caller has long gone

        task = asyncio.create_task(do())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _answer(self, call: Call, request: web.Request) -> Json:
        token = _token(request, call.args)
        if call.method in OPEN_METHODS:
            return self._open_method(call, token)
        space = self._authorized(call, token)
        channel = str(call.args.get("channel") or call.args.get("channel_id") or "")
        self.limits.take(space.team_id, call.method, channel)
        return self.web.answer(call.method, space, call.args)

    def _open_method(self, call: Call, token: str) -> Json:
        if call.method == "apps.connections.open":
            if token != APP_TOKEN:
                raise RefusalError("invalid_auth")
            return {"url": self.origin.replace("http", "ws") + f"/link?ticket={len(self.calls)}"}
        space = self._granted(call.args)
        return {
            "access_token": space.bot_token,
            "token_type": "bot",
            "scope": ",".join(sorted(space.scopes)),
            "bot_user_id": space.bot_user_id,
            "app_id": "A1",
            "team": {"id": space.team_id, "name": space.team_id},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U1"},
            **(
                {"refresh_token": space.refresh_token, "expires_in": 43_200}
                if space.rotates
                else {}
            ),
        }

    def _granted(self, args: Json) -> Workspace:
        """The workspace that an OAuth code or a refresh token, each good once, is for."""
        if args.get("grant_type") == "refresh_token":
            token = args.get("refresh_token")
            space = next((s for s in self.spaces.values() if s.refresh_token == token), None)
            if space is None:
                raise RefusalError("invalid_refresh_token")
            space.rotate()
            return space
        team_id = self.oauth_codes.pop(args.get("code", ""), None)
        if team_id is None:
            raise RefusalError("invalid_code")
        return self.spaces.get(team_id) or self.add_workspace(team_id)

    def _authorized(self, call: Call, token: str) -> Workspace:
        space = next((s for s in self.spaces.values() if s.bot_token == token), None)
        if space is None:
            raise RefusalError("invalid_auth" if token else "not_authed")
        call.team_id = space.team_id
        if space.token_error:
            raise RefusalError(space.token_error)
        needed = NEEDED_SCOPE.get(call.method, "chat:write")
        if call.method not in ("auth.test", "bots.info") and needed not in space.scopes:
            raise RefusalError(
                "missing_scope", needed=needed, provided=",".join(sorted(space.scopes))
            )
        return space

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.spaces[request.match_info["team"]].files[request.match_info["file"]]
        file.content = await request.read()
        return web.Response(text=f"OK - {len(file.content)}")

    async def _download(self, request: web.Request) -> web.Response:
        space = self.spaces[request.match_info["team"]]
        file = space.files.get(request.match_info["file"])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != space.bot_token or "files:read" not in space.scopes:
            page = "<!DOCTYPE html><html><title>Sign in | Slack</title></html>"
            return web.Response(text=page, content_type="text/html")
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type=file.mimetype)

    async def _respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        used = [r for r in self.responses if r["url"] == request.path]
        has_text = (body.get("text") or body.get("blocks")) and "markdown_text" not in body
        if not has_text and not body.get("delete_original"):
            return web.Response(status=400, text="no_text")
        if len(used) >= 5:
            return web.Response(status=404, text="expired_url")
        self.responses.append({"url": request.path, **body})
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> Json:
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    else:
        args |= {k: str(v) for k, v in (await request.post()).items()}
    for key in ("blocks", "metadata", "view", "prompts", "files", "chunks"):
        if isinstance(args.get(key), str):
            args[key] = json.loads(args[key])
    return args


def _token(request: web.Request, args: Json) -> str:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ")
    return str(args.pop("token", ""))


def _raise(fault: Fault) -> None:
    if fault.error == "ratelimited":
        raise RateLimitedError(fault.retry_after_s)
    if fault.error == "dropped":
        raise ConnectionAbortedError
    if fault.error == "http_500":
        raise web.HTTPInternalServerError
    raise RefusalError(fault.error)
