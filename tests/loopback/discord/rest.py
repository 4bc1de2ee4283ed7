"""The REST calls: what each does to the world, and what each refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.loopback.discord.interactions import Interactions
from tests.loopback.discord.rules import (
    RefusedError,
    check_commands,
    check_message,
    check_thread_name,
    invalid,
)
from tests.loopback.discord.world import (
    DM,
    FORUM,
    PERMISSIONS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    THREADS,
    Payload,
    World,
)

DEDUPLICATED_S = 300.0
HAS_THREAD = 1 << 5


@dataclass(slots=True, kw_only=True)
class Request:
    """One call, read: path parameters, query, JSON body and the files that came with it."""

    ids: tuple[str, ...]
    query: dict[str, str]
    body: Any
    files: list[Payload]


Handler = Callable[[Request], Any]


class Rest:
    """Every route, as one method each."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self.world = world
        self.interactions = interactions
        self.application_flags = 1 << 19
        self.blocked_words: set[str] = set()
        self.typed: list[tuple[float, str]] = []
        self.reacted: list[tuple[str, str, str]] = []
        self._nonces: dict[str, tuple[float, Payload]] = {}
        self.gateway_bot: Callable[[], Payload] = dict
        ident, emoji = r"(\d+)", r"([^/]+)"
        channel, hook = rf"/channels/{ident}", rf"/webhooks/{ident}/([^/]+)"
        app, message = rf"/applications/{ident}", rf"/channels/{ident}/messages/{ident}"
        self.routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(f"^{path}$"), handler)
            for method, path, handler in (
                ("GET", "/gateway/bot", lambda _: self.gateway_bot()),
                ("GET", "/users/@me", lambda _: self.world.bot),
                ("GET", "(?:/oauth2)?/applications/@me", self.application),
                ("GET", "/users/@me/guilds", self.guilds),
                ("GET", f"/users/{ident}", lambda r: self.world.users[r.ids[0]]),
                ("POST", "/users/@me/channels", self.open_dm),
                ("GET", channel, lambda r: self.channel(r.ids[0])),
                ("PATCH", channel, self.edit_channel),
                ("GET", f"{channel}/messages", self.history),
                ("POST", f"{channel}/messages", self.create),
                ("GET", message, lambda r: self.message(*r.ids)),
                ("PATCH", message, self.edit),
                ("DELETE", message, self.delete),
                ("POST", f"{message}/threads", self.thread_from_message),
                ("POST", f"{channel}/threads", self.thread_alone),
                ("PUT", f"{channel}/thread-members/@me", lambda r: self.channel(r.ids[0]) and None),
                ("POST", f"{channel}/typing", self.typing),
                ("PUT", f"{message}/reactions/{emoji}/@me", self.react),
                ("DELETE", f"{message}/reactions/{emoji}/@me", self.unreact),
                ("PUT", f"{app}/commands", self.put_commands),
                ("GET", f"{app}/commands", self.list_commands),
                ("PUT", f"{app}/guilds/{ident}/commands", self.put_commands),
                ("POST", rf"/interactions/{ident}/([^/]+)/callback", self.respond),
                ("POST", hook, self.follow_up),
                ("GET", f"{hook}/messages/([^/]+)", self.hook_message),
                ("PATCH", f"{hook}/messages/([^/]+)", self.hook_edit),
                ("DELETE", f"{hook}/messages/([^/]+)", self.hook_delete),
                ("GET", rf"/guilds/{ident}/members/{ident}", self.member),
            )
        ]

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
        """The handler of a call, with what stood in its path."""
        for wanted, pattern, handler in self.routes:
            match = pattern.match(path)
            if wanted == method and match is not None:
                return handler, match.groups()
        return None

    def channel(self, channel_id: str, *needed: str) -> Payload:
        """A channel the bot can see and may use in the ways named."""
        channel = self.world.channels.get(channel_id)
        if channel is None:
            raise RefusedError(404, 10003, "Unknown Channel")
        if channel["type"] == DM:
            return channel
        bits = self.world.permissions(channel_id, self.world.bot["id"])
        if not self.world.guilds[channel["guild_id"]]["here"]:
            raise RefusedError(403, 50001, "Missing Access")
        if not bits & PERMISSIONS["view_channel"]:
            raise RefusedError(403, 50001, "Missing Access")
        if not all(bits & PERMISSIONS[name] for name in needed):
            raise RefusedError(403, 50013, "Missing Permissions")
        return channel

    def message(self, channel_id: str, message_id: str) -> Payload:
        """One message of a channel."""
        self.channel(channel_id, "read_message_history")
        message = self.world.messages[channel_id].get(message_id)
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def application(self, _: Request) -> Payload:
        """The application, its owner and flags."""
        return {
            "id": self.world.application_id,
            "name": "Parley",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": self.world.owner,
            "verify_key": "0" * 64,
            "flags": self.application_flags,
            "integration_types_config": {"0": {}, "1": {}},
        }

    def guilds(self, _: Request) -> list[Payload]:
        """The servers that the bot is in."""
        return [
            {**self.world.guild_payload(guild_id), "owner": False, "permissions": "0"}
            for guild_id, guild in self.world.guilds.items()
            if guild["here"]
        ]

    def open_dm(self, request: Request) -> Payload:
        """The private channel with a person."""
        return self.world.add_dm(str(request.body["recipient_id"]))

    def member(self, request: Request) -> Payload:
        """A member of a server."""
        return self.world.member_payload(*request.ids)

    def edit_channel(self, request: Request) -> Payload:
        """Rename or archive a thread."""
        channel = self.channel(request.ids[0])
        if "name" in request.body:
            check_thread_name(request.body["name"])
            channel["name"] = request.body["name"]
        if channel["type"] in THREADS:
            keys = ("archived", "locked", "auto_archive_duration")
            channel["thread_metadata"] |= {k: request.body[k] for k in keys if k in request.body}
        self.world.emit("THREAD_UPDATE", channel)
        return channel

    def history(self, request: Request) -> list[Payload]:
        """Messages before or after an id, newest first."""
        channel_id = request.ids[0]
        self.channel(channel_id, "read_message_history")
        limit = int(request.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise invalid("limit", "int value should be between 1 and 100.")
        everything = list(self.world.messages[channel_id].values())
        if "after" in request.query:
            after = int(request.query["after"])
            return [m for m in everything if int(m["id"]) > after][:limit][::-1]
        before = int(request.query.get("before", 1 << 63))
        return [m for m in everything if int(m["id"]) < before][-limit:][::-1]

    def create(self, request: Request) -> Payload:
        """Post a message; the same nonce with enforce_nonce is the same message."""
        channel_id, body = request.ids[0], request.body
        channel = self.world.channels.get(channel_id, {})
        in_thread = channel.get("type") in THREADS
        self.channel(channel_id, "send_messages_in_threads" if in_thread else "send_messages")
        if channel["type"] == FORUM:
            raise RefusedError(400, 50008, "Cannot send messages in a non-text channel")
        if request.files:
            self.channel(channel_id, "attach_files")
        if in_thread and channel["thread_metadata"]["locked"]:
            raise RefusedError(400, 50083, "Thread is archived")
        check_message(body, len(request.files), old=None)
        self._automod(body.get("content"))
        reference = body.get("message_reference")
        if reference:
            self._check_reference(channel_id, reference)
        nonce = f"{channel_id}:{body.get('nonce')}"
        known = self._nonces.get(nonce) if body.get("enforce_nonce") else None
        if known and self.world.now_s() - known[0] < DEDUPLICATED_S:
            return known[1]
        message = self.world.add_message(channel_id, self.world.bot, self._fields(request))
        if body.get("nonce") is not None:
            self._nonces[nonce] = (self.world.now_s(), message)
        return message

    def _fields(self, request: Request) -> Payload:
        body = request.body
        keys = ("message_reference", "nonce")
        fields = {key: body[key] for key in keys if body.get(key) is not None}
        return {
            **fields,
            "content": body.get("content") or "",
            "embeds": body.get("embeds") or [],
            "components": body.get("components") or [],
            "flags": body.get("flags", 0),
            "attachments": request.files,
        }

    def _check_reference(self, channel_id: str, reference: Payload) -> None:
        known = str(reference["message_id"]) in self.world.messages[channel_id]
        if not known and reference.get("fail_if_not_exists", True):
            raise invalid("message_reference", "Unknown message")

    def _automod(self, content: str | None) -> None:
        if any(word in (content or "") for word in self.blocked_words):
            raise RefusedError(400, 200000, "Message was blocked by automatic moderation")

    def edit(self, request: Request) -> Payload:
        """Change one of the bot's own messages."""
        channel_id, message_id = request.ids
        channel = self.channel(channel_id)
        if channel.get("thread_metadata", {}).get("archived"):
            raise RefusedError(400, 50083, "Thread is archived")
        message = self.world.messages[channel_id].get(message_id)
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        if message["author"]["id"] != self.world.bot["id"]:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        body = request.body
        kept = message["attachments"]
        if "attachments" in body:
            ids = {str(each.get("id")) for each in body["attachments"] or []}
            kept = [each for each in kept if each["id"] in ids]
        check_message(body, len(request.files), had_files=len(kept), old=message)
        self._automod(body.get("content"))
        for key in ("content", "embeds", "components"):
            if key in body:
                message[key] = body[key] or ("" if key == "content" else [])
        message["attachments"] = [*kept, *request.files]
        message["edited_timestamp"] = self.world.wall().isoformat()
        self.world.emit("MESSAGE_UPDATE", self.world.event_payload(message))
        return message

    def delete(self, request: Request) -> None:
        """Delete a message."""
        channel_id, message_id = request.ids
        message = self.world.messages.get(channel_id, {}).get(message_id)
        own = message is not None and message["author"]["id"] == self.world.bot["id"]
        self.channel(channel_id, *(() if own else ("manage_messages",)))
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        del self.world.messages[channel_id][message_id]
        channel = self.world.channels[channel_id]
        event = {"id": message_id, "channel_id": channel_id}
        self.world.emit("MESSAGE_DELETE", event | {"guild_id": channel.get("guild_id")})

    def thread_from_message(self, request: Request) -> Payload:
        """Open a thread on a message: one each, with the message's id."""
        channel_id, message_id = request.ids
        message = self.message(channel_id, message_id)
        self.channel(channel_id, "create_public_threads")
        check_thread_name(request.body["name"])
        if message["flags"] & HAS_THREAD:
            raise RefusedError(400, 160004, "A thread has already been created for this message")
        message["flags"] |= HAS_THREAD
        bot_id = self.world.bot["id"]
        name = request.body["name"]
        return self.world.add_thread(
            channel_id, name, bot_id, kind=PUBLIC_THREAD, thread_id=message_id
        )

    def thread_alone(self, request: Request) -> Payload:
        """Open a thread without a message (private unless a type is given), or a forum post."""
        channel = self.channel(request.ids[0], "create_public_threads")
        check_thread_name(request.body["name"])
        kind = request.body.get("type", PRIVATE_THREAD)
        bot = self.world.bot
        if channel["type"] != FORUM:
            return self.world.add_thread(channel["id"], request.body["name"], bot["id"], kind=kind)
        first = request.body.get("message") or {}
        check_message(first, 0, old=None)
        name = request.body["name"]
        thread = self.world.add_thread(channel["id"], name, bot["id"], kind=PUBLIC_THREAD)
        fields = {"id": thread["id"], "content": first.get("content", "")}
        message = self.world.add_message(thread["id"], bot, fields)
        return {**thread, "message": message}

    def typing(self, request: Request) -> None:
        """Show that the bot is typing."""
        self.channel(request.ids[0])
        self.typed.append((self.world.now_s(), request.ids[0]))

    def react(self, request: Request) -> None:
        """Add the bot's reaction."""
        channel_id, message_id, emoji = request.ids
        self.message(channel_id, message_id)
        self.channel(channel_id, "add_reactions")
        self.reacted.append(("+", message_id, emoji))

    def unreact(self, request: Request) -> None:
        """Take the bot's reaction away."""
        channel_id, message_id, emoji = request.ids
        self.message(channel_id, message_id)
        self.reacted.append(("-", message_id, emoji))

    def list_commands(self, request: Request) -> list[Payload]:
        """The commands that hold everywhere; in other languages only if asked for."""
        commands = self.world.commands.get("", [])
        if request.query.get("with_localizations") == "true":
            return commands
        return [
            {name: value for name, value in each.items() if not name.endswith("_localizations")}
            for each in commands
        ]

    def put_commands(self, request: Request) -> list[Payload]:
        """Replace all commands, everywhere or of one server."""
        check_commands(request.body)
        defaults = {"version": "1", "application_id": self.world.application_id, "options": []}
        commands = [
            {"id": self.world.snowflake(), **defaults, "type": 1, "description": "", **each}
            for each in request.body
        ]
        self.world.commands[request.ids[1] if len(request.ids) > 1 else ""] = commands
        return commands

    def respond(self, request: Request) -> Payload | None:
        """The first response to an interaction."""
        answer = self.interactions.respond(request.ids[1], request.body, request.files)
        return answer if request.query.get("with_response") in ("1", "true") else None

    def follow_up(self, request: Request) -> Payload:
        """A follow-up message."""
        return self.interactions.follow_up(request.ids[1], request.body, request.files)

    def hook_message(self, request: Request) -> Payload:
        """A message of an interaction."""
        return self.interactions.message(*request.ids[1:])

    def hook_edit(self, request: Request) -> Payload:
        """Edit a message of an interaction."""
        _, token, message_id = request.ids
        return self.interactions.edit(token, message_id, request.body, request.files)

    def hook_delete(self, request: Request) -> None:
        """Delete a message of an interaction."""
        self.interactions.delete(*request.ids[1:])
