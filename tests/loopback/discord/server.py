"""The Discord server of the tests: REST and gateway on one loopback port, and what people do."""

from __future__ import annotations

import asyncio
import json
import re
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.loopback.discord.faults import Call, Fault, Record, Version
from tests.loopback.discord.gateway import Gateway
from tests.loopback.discord.interactions import Interactions
from tests.loopback.discord.limits import Limits
from tests.loopback.discord.people import People
from tests.loopback.discord.rest import Request, Rest
from tests.loopback.discord.rules import MAX_FILE_BYTES, RefusedError, pings
from tests.loopback.discord.world import Payload, World

TOKEN = "loopback.discord.token"
API = "/api/v10"
VIA = {"Via": "1.1 google"}
CREATES = re.compile(r"^/channels/\d+/messages$|^/webhooks/|^/interactions/")


class DiscordServer:
    """Listens on a free loopback port; `async with` starts and stops it.

    `people` is what users do, `record` what the bot did, `gateway` and `fail` are for trouble.
    """

    def __init__(self, *, token: str = TOKEN, latency_s: float = 0.0) -> None:
        self.token = token
        self.latency_s = latency_s
        self.record = Record()
        self.world = World(self._emit)
        self.gateway = Gateway(self.world, token)
        self.interactions = Interactions(self.world)
        self.rest = Rest(self.world, self.interactions)
        self.limits = Limits(self.world.now_s)
        self.people = People(self.world, self.interactions)
        self.rest.gateway_bot = self._gateway_bot
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def api_base(self) -> str:
        """What `DISCORD_API_BASE` is set to."""
        return f"http://127.0.0.1:{self.port}{API}"

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
        """Listen; port 0 is a free one."""
        app = web.Application(client_max_size=26 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_get("/attachments/{id}/{name}", self._file)
        app.router.add_route("*", API + "/{tail:.*}", self._rest)
        self.routes(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.gateway.url = f"ws://127.0.0.1:{self.port}/gateway"

    def routes(self, app: web.Application) -> None:
        """Further routes; the stand-alone server adds its controls here."""

    async def stop(self) -> None:
        """Close every socket and stop listening."""
        self.gateway.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()

    def fail(self, method: str, path: str, **how: Any) -> Fault:
        """Let the next calls that match go wrong; see `Fault`."""
        fault = Fault(method=method, path=re.compile(path), **how)
        self.record.faults.append(fault)
        return fault

    def advance(self, seconds: float) -> None:
        """Move this server's clock forward."""
        self.world.skew_s += seconds

    def texts(self, channel_id: str) -> list[str]:
        """What the bot's messages in a channel say now."""
        return [message["content"] for message in self.messages(channel_id)]

    def messages(self, channel_id: str) -> list[Payload]:
        """The bot's messages in a channel."""
        bot_id = self.world.bot["id"]
        here = self.world.messages.get(channel_id, {}).values()
        return [message for message in here if message["author"]["id"] == bot_id]

    def _emit(self, name: str, payload: Payload) -> None:
        self.gateway.emit(name, payload)

    def _gateway_bot(self) -> Payload:
        limit = {
            "total": 1000,
            "remaining": 1000,
            "reset_after": 0,
            "max_concurrency": self.gateway.max_concurrency,
        }
        return {
            "url": self.gateway.url,
            "shards": self.gateway.shards,
            "session_start_limit": limit,
        }

    async def _file(self, request: web.Request) -> web.Response:
        kind, data = self.world.files[request.match_info["id"]]
        return web.Response(body=data, headers={"Content-Type": kind})

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["tail"]
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        body, files = await self._read(request, path)
        fault = self.record.fault_for(request.method, path)
        if fault is not None and not fault.after_effect:
            return await self._broken(request, path, body, fault)
        status, answer, headers = self._answer(request, path, body, files)
        if fault is not None:
            return await self._broken(request, path, body, fault)
        self._note(request.method, path, body, status)
        if status == 204:
            return web.Response(status=204, headers=headers | VIA)
        return in_json(answer, status, headers | VIA)

    async def _broken(
        self, request: web.Request, path: str, body: Any, fault: Fault
    ) -> web.StreamResponse:
        await asyncio.sleep(fault.delay_s)
        self._note(request.method, path, body, 0 if fault.drop else fault.status)
        if fault.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        answer: Payload = {"message": fault.message, "code": fault.code}
        headers = dict(VIA)
        if fault.status == 429:
            answer = {"message": "You are being rate limited.", "global": False}
            answer["retry_after"] = fault.retry_after_s
            headers["Retry-After"] = str(fault.retry_after_s)
        return in_json(answer, fault.status, headers)

    def _answer(
        self, request: web.Request, path: str, body: Any, files: list[Payload]
    ) -> tuple[int, Any, dict[str, str]]:
        headers: dict[str, str] = {}
        try:
            self._admit(request, path)
            refused, headers = self.limits.take(request.method, path)
            if refused is not None:
                return 429, refused, headers
            found = self.rest.find(request.method, path)
            if found is None:
                raise RefusedError(404, 0, "404: Not Found")
            handler, ids = found
            query = dict(request.query)
            answer = handler(Request(ids=ids, query=query, body=body, files=files))
        except RefusedError as refusal:
            return refusal.status, refusal.body, headers
        if isinstance(answer, dict) and isinstance(body, dict):
            self._remember(request.method, path, body, answer)
        return (204 if answer is None else 200), answer, headers

    def _admit(self, request: web.Request, path: str) -> None:
        if path.startswith(("/interactions/", "/webhooks/")):
            return
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise RefusedError(401, 0, "401: Unauthorized")
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            raise RefusedError(403, 40333, "internal network error")

    async def _read(self, request: web.Request, path: str) -> tuple[Any, list[Payload]]:
        if not request.content_type.startswith("multipart/"):
            text = await request.text()
            return (json.loads(text) if text else {}), []
        body: Any = {}
        files: list[Payload] = []
        async for part in await request.multipart():
            if part.name == "payload_json":  # type: ignore[union-attr]
                body = json.loads(await part.text())  # type: ignore[union-attr]
            else:
                name = part.filename or "file"  # type: ignore[union-attr]
                files.append(self.keep_file(name, bytes(await part.read())))  # type: ignore[union-attr]
        notes = (body.get("data") or body).get("attachments") or []
        fresh = [note for note in notes if str(note.get("id", "")).isdecimal()]
        for file, note in zip(files, fresh[-len(files) :], strict=False):
            file["description"] = note.get("description")
        return body, files

    def keep_file(self, name: str, data: bytes, kind: str = "application/octet-stream") -> Payload:
        """Keep a file and name it as an attachment."""
        if len(data) > MAX_FILE_BYTES:
            raise RefusedError(413, 40005, "Request entity too large")
        file_id = self.world.snowflake()
        self.world.files[file_id] = (kind, data)
        url = f"http://127.0.0.1:{self.port}/attachments/{file_id}/{name}"
        about = {"id": file_id, "filename": name, "size": len(data), "content_type": kind}
        return {**about, "url": url, "proxy_url": url}

    def _remember(self, method: str, path: str, body: Payload, answer: Payload) -> None:
        """Keep each text a message had, and whom it called."""
        data = body.get("data") or body
        message = (answer.get("resource") or {}).get("message") or answer
        if "content" not in data or "author" not in message or method not in ("POST", "PATCH"):
            return
        text = data["content"] or ""
        versions = self.record.versions.setdefault(message["id"], [])
        versions.append(Version(at_s=self.world.now_s(), content=text))
        if CREATES.search(path) and method == "POST":
            only_users = path.startswith(("/webhooks/", "/interactions/"))
            called = pings(text, data.get("allowed_mentions"), only_users=only_users)
            self.record.pinged += [(message["id"], who) for who in called]

    def _note(self, method: str, path: str, body: Any, status: int) -> None:
        kept = body if isinstance(body, dict) else {"list": body}
        self.record.calls.append(
            Call(at_s=self.world.now_s(), method=method, path=path, body=kept, status=status)
        )


def in_json(answer: Any, status: int, headers: dict[str, str]) -> web.Response:
    """JSON under the bare content type that Discord sends, without a charset."""
    kind = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(answer).encode(), status=status, headers=headers | kind)
