"""What Slack sends to the app: envelopes over Socket Mode or signed HTTP, retried unless acked."""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from tests.loopback.slack.transcript import Sent

RETRY_DELAYS_S = (0.0, 60.0, 300.0)


@dataclass
class HttpTarget:
    """Where signed HTTP requests go: to one address after the other."""

    urls: tuple[str, ...]
    signing_secret: str


class Outbox:
    """Delivers to any open socket, or to an HTTP address when one is set."""

    def __init__(self, *, now: Callable[[], float], ack_timeout_s: float, time_scale: float):
        self._now = now
        self._ack_timeout_s = ack_timeout_s
        self._time_scale = time_scale
        self.http: HttpTarget | None = None
        self.is_deaf = False  # events get lost, as when nobody listens for long
        self.sent: list[Sent] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.connections = 0
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._connected = asyncio.Event()

    def send(self, kind: str, payload: dict[str, Any], *, event_id: str = "") -> Sent:
        """Start delivering; kind is events_api, slash_commands or interactive."""
        sent = Sent(kind, payload, event_id or f"local-{len(self.sent)}", self._now())
        self.sent.append(sent)
        if self.is_deaf:
            sent.is_given_up = True
            return sent
        task = asyncio.create_task(self._deliver(sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return sent

    async def _deliver(self, sent: Sent) -> None:
        delays = (0.0, *RETRY_DELAYS_S) if sent.kind == "events_api" else (0.0,)
        for number, delay_s in enumerate(delays):
            await asyncio.sleep(delay_s / self._time_scale)
            sent.attempts.append(self._now())
            if await self._attempt(sent, number):
                sent.acked_at_s = self._now()
                return
        sent.is_given_up = True

    async def _attempt(self, sent: Sent, number: int) -> bool:
        if self.http is not None:
            return await self._by_http(self.http, sent, number)
        return await self._by_socket(sent, number)

    async def _by_socket(self, sent: Sent, number: int) -> bool:
        envelope_id = str(uuid.uuid4())
        acked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = acked
        envelope = {
            "envelope_id": envelope_id,
            "type": sent.kind,
            "payload": sent.payload,
            "accepts_response_payload": sent.kind != "events_api",
        }
        if sent.kind == "events_api":
            reason = "timeout" if number else ""
            envelope |= {"retry_attempt": number, "retry_reason": reason}
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                socket = await self._pick()
                await socket.send_str(json.dumps(envelope))
                sent.answer = await acked
        except (TimeoutError, ConnectionError):
            return False
        finally:
            del self._acks[envelope_id]
        return True

    async def _pick(self) -> web.WebSocketResponse:
        while not (live := [s for s in self.sockets if not s.closed]):
            self._connected.clear()
            await self._connected.wait()
        self._turn += 1
        return live[self._turn % len(live)]

    async def _by_http(self, target: HttpTarget, sent: Sent, number: int) -> bool:
        body, content_type = _to_body(sent)
        headers = sign(target.signing_secret, body) | {"Content-Type": content_type}
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
        timeout = aiohttp.ClientTimeout(total=self._ack_timeout_s)
        self._turn += 1
        url = target.urls[self._turn % len(target.urls)]
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.post(url, data=body.encode(), headers=headers) as response,
            ):
                sent.answer = await response.text()
                return response.ok
        except (TimeoutError, aiohttp.ClientError):
            return False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One Socket Mode connection: hello, then envelopes out and acknowledgements in."""
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        self.connections += 1
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.sockets) + 1,
                "connection_info": {"app_id": "A1"},
                "debug_info": {"host": "loopback", "approximate_connection_time": 18060},
            }
        )
        self.sockets.append(socket)
        self._connected.set()
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._receive(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
        return socket

    def _receive(self, message: dict[str, Any]) -> None:
        acked = self._acks.get(message.get("envelope_id", ""))
        if acked is not None and not acked.done():
            acked.set_result(message.get("payload"))

    async def disconnect(self, reason: str) -> None:
        """Tell every socket to reconnect: warning or refresh_requested."""
        for socket in list(self.sockets):
            await socket.send_json({"type": "disconnect", "reason": reason})

    def drop(self) -> None:
        """Cut every connection without a close frame."""
        for socket in list(self.sockets):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def close(self) -> None:
        """Stop every delivery and socket."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in list(self.sockets):
            await socket.close()


def sign(secret: str, body: str, *, at: float | None = None) -> dict[str, str]:
    """Slack's v0 signature headers."""
    timestamp = str(int(time.time() if at is None else at))
    base = f"v0:{timestamp}:{body}".encode()
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def _to_body(sent: Sent) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    if sent.kind == "slash_commands":
        return urllib.parse.urlencode(sent.payload), form
    if sent.kind == "interactive":
        return urllib.parse.urlencode({"payload": json.dumps(sent.payload)}), form
    return json.dumps(sent.payload), "application/json"
