"""The gateway: hello, identify, heartbeats, resume, zlib streams, close codes and lost sockets."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.loopback.discord.world import DM, Payload, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
GUILDS, GUILD_MESSAGES, GUILD_REACTIONS = 1 << 0, 1 << 9, 1 << 10
DIRECT_MESSAGES, DIRECT_REACTIONS, MESSAGE_CONTENT = 1 << 12, 1 << 13, 1 << 15
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
HIDDEN_WITHOUT_CONTENT: Payload = {"content": "", "embeds": [], "attachments": [], "components": []}
FRAMES_A_MINUTE = 120


@dataclass(slots=True, kw_only=True)
class Session:
    """What a client may resume: its intents, its shard, and every event since it began."""

    session_id: str
    intents: int
    shard: tuple[int, int]
    sent: list[Payload] = field(default_factory=list)
    line: Line | None = None


class Line:
    """One socket: frames go out in order, compressed as one stream if the client asked."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.outgoing: asyncio.Queue[Payload | int] = asyncio.Queue()
        self.deflate = zlib.compressobj() if "zlib-stream" in request.query_string else None

    def send(self, payload: Payload) -> None:
        """Queue one frame."""
        self.outgoing.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close with a code, after what is queued."""
        self.outgoing.put_nowait(code)

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the socket is closed."""
        while True:
            item = await self.outgoing.get()
            if self.socket.closed:
                return
            if isinstance(item, int):
                await self.socket.close(code=item)
                return
            await self.send_now(json.dumps(item))

    async def send_now(self, text: str) -> None:
        """One frame, as the client asked for it."""
        try:
            if self.deflate is None:
                await self.socket.send_str(text)
            else:
                data = self.deflate.compress(text.encode())
                await self.socket.send_bytes(data + self.deflate.flush(zlib.Z_SYNC_FLUSH))
        except ConnectionError:
            self.close(1006)


class Gateway:
    """All sessions, and what becomes of an event."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.url = ""
        self.heartbeat_ms = 41_250
        self.identify_every_s = 5.0
        self.max_concurrency = 1
        self.shards = 1
        self.allowed_privileged = PRIVILEGED
        self.sessions: dict[str, Session] = {}
        self.log: list[tuple[float, str, Payload]] = []
        self.refuse_with = 0
        self._identified_s: dict[int, float] = {}

    def live(self) -> list[Line]:
        """The sockets now open."""
        return [s.line for s in self.sessions.values() if s.line is not None]

    def emit(self, name: str, payload: Payload) -> None:
        """Dispatch an event to every session that is entitled to it."""
        for session in self.sessions.values():
            if self._concerns(session, name, payload):
                self._dispatch(session, name, self._visible(session, name, payload))

    def reconnect(self) -> None:
        """Op 7 to everyone: come back and resume."""
        self._each(lambda line: line.send({"op": RECONNECT, "d": None}))

    def invalidate(self, *, resumable: bool) -> None:
        """Op 9 to everyone."""
        lines = self.live()
        if not resumable:
            self.sessions.clear()
        for line in lines:
            line.send({"op": INVALID_SESSION, "d": resumable})

    def close_all(self, code: int) -> None:
        """Close every socket with a code."""
        self._each(lambda line: line.close(code))

    def drop_all(self, *, forget: bool = False) -> None:
        """Cut every connection; `forget` loses the sessions too, so nothing is replayed."""
        lines = self.live()
        for session in self.sessions.values():
            session.line = None
        if forget:
            self.sessions.clear()
        for line in lines:
            line.drop()

    def _each(self, act: Callable[[Line], None]) -> None:
        for line in self.live():
            act(line)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket."""
        socket = web.WebSocketResponse(max_msg_size=4096 * 4)
        await socket.prepare(request)
        line = Line(socket, request)
        writer = asyncio.create_task(line.write())
        line.send({"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
        frames: list[float] = []
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                now_s = self.world.now_s()
                frames = [at_s for at_s in frames if now_s - at_s < 60] + [now_s]
                if len(frames) > FRAMES_A_MINUTE:
                    line.close(4008)
                self._receive(line, json.loads(message.data))
        except ConnectionError:
            pass
        finally:
            self._detach(line, socket.close_code)
            writer.cancel()
        return socket

    def _detach(self, line: Line, code: int | None) -> None:
        for session in list(self.sessions.values()):
            if session.line is line:
                session.line = None
                if code in (1000, 1001):
                    del self.sessions[session.session_id]

    def _receive(self, line: Line, frame: Payload) -> None:
        op, data = frame["op"], frame.get("d")
        self.log.append((self.world.now_s(), f"op {op}", data if isinstance(data, dict) else {}))
        if op == HEARTBEAT:
            line.send({"op": HEARTBEAT_ACK, "d": None})
        elif op == IDENTIFY:
            self._identify(line, data or {})
        elif op == RESUME:
            self._resume(line, data or {})

    def _identify(self, line: Line, data: Payload) -> None:
        refusal = self._refusal(data)
        if refusal:
            line.close(refusal)
            return
        shard = tuple(data.get("shard", (0, 1)))
        key, now_s = shard[0] % self.max_concurrency, self.world.now_s()
        if now_s - self._identified_s.get(key, -1e9) < self.identify_every_s:
            line.send({"op": INVALID_SESSION, "d": False})
            return
        self._identified_s[key] = now_s
        session = Session(
            session_id=self.world.snowflake(),
            intents=data["intents"],
            shard=(shard[0], shard[1]),
            line=line,
        )
        self.sessions[session.session_id] = session
        self._greet(session)

    def _refusal(self, data: Payload) -> int:
        if self.refuse_with:
            return self.refuse_with
        if data.get("token") != self.token:
            return 4004
        if data["intents"] & PRIVILEGED & ~self.allowed_privileged:
            return 4014
        return 0

    def _greet(self, session: Session) -> None:
        guilds = [
            guild_id
            for guild_id, guild in self.world.guilds.items()
            if guild["here"] and shard_of(guild_id, session) == session.shard[0]
        ]
        ready = {
            "v": 10,
            "user": self.world.bot,
            "guilds": [{"id": guild_id, "unavailable": True} for guild_id in guilds],
            "session_id": session.session_id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": self.world.application_id, "flags": 0},
            "private_channels": [],
        }
        self._dispatch(session, "READY", ready)
        for guild_id in guilds:
            self._dispatch(session, "GUILD_CREATE", self.world.guild_payload(guild_id))

    def _resume(self, line: Line, data: Payload) -> None:
        session = self.sessions.get(data.get("session_id") or "")
        if session is None or data.get("token") != self.token:
            line.send({"op": INVALID_SESSION, "d": False})
            return
        session.line = line
        for frame in session.sent[data.get("seq") or 0 :]:
            line.send(frame)
        self._dispatch(session, "RESUMED", {})

    def _dispatch(self, session: Session, name: str, payload: Payload) -> None:
        # A copy, as it is now: what is replayed later must not know of later changes.
        frame = {"op": DISPATCH, "t": name, "s": len(session.sent) + 1, "d": payload}
        frame = json.loads(json.dumps(frame))
        session.sent.append(frame)
        if session.line is not None:
            session.line.send(frame)

    def _concerns(self, session: Session, name: str, payload: Payload) -> bool:
        guild_id = payload.get("guild_id") or (payload["id"] if name.startswith("GUILD_") else None)
        if name.startswith("GUILD_ROLE"):
            guild_id = payload["guild_id"]
        shard = shard_of(guild_id, session) if guild_id else 0
        return shard == session.shard[0] and bool(needed_intent(name, guild_id) & session.intents)

    def _visible(self, session: Session, name: str, payload: Payload) -> Payload:
        if not name.startswith("MESSAGE_") or "content" not in payload:
            return payload
        own = payload["author"]["id"] == self.world.bot["id"]
        channel = self.world.channels.get(payload["channel_id"], {})
        named = any(user["id"] == self.world.bot["id"] for user in payload["mentions"])
        if session.intents & MESSAGE_CONTENT or own or named or channel.get("type") == DM:
            return payload
        return {**payload, **HIDDEN_WITHOUT_CONTENT}


def shard_of(guild_id: str, session: Session) -> int:
    """The shard that a server belongs to."""
    return (int(guild_id) >> 22) % session.shard[1]


def needed_intent(name: str, guild_id: str | None) -> int:
    """The intent without which an event is not sent."""
    if name == "INTERACTION_CREATE":
        return -1
    if name.startswith("MESSAGE_REACTION"):
        return GUILD_REACTIONS if guild_id else DIRECT_REACTIONS
    if name.startswith("MESSAGE"):
        return GUILD_MESSAGES if guild_id else DIRECT_MESSAGES
    return GUILDS
