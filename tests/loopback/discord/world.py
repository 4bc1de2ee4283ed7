"""What a Discord of ours holds: users, servers, channels, threads, messages, permissions.

Payloads have the documented JSON shape. It knows nothing of HTTP or of sockets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Payload = dict[str, Any]
Emit = Callable[[str, Payload], None]

EPOCH_MS = 1_420_070_400_000
TEXT, DM, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 11, 12, 15
THREADS = (PUBLIC_THREAD, PRIVATE_THREAD)
PERMISSIONS = {
    "administrator": 1 << 3,
    "manage_guild": 1 << 5,
    "add_reactions": 1 << 6,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "create_public_threads": 1 << 35,
    "send_messages_in_threads": 1 << 38,
}
DEFAULT_PERMISSIONS = sum(
    bit for name, bit in PERMISSIONS.items() if name not in {"administrator", "manage_guild"}
)


class World:
    """Everything the server remembers; `emit` is told of each change as a gateway event."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.skew_s = 0.0
        self.channels: dict[str, Payload] = {}
        self.guilds: dict[str, Payload] = {}
        self.messages: dict[str, dict[str, Payload]] = {}
        self.users: dict[str, Payload] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.commands: dict[str, list[Payload]] = {}
        self._last_id = 0
        self.bot = self.add_user("Parley", bot=True)
        self.owner = self.add_user("owner")
        self.application_id: str = self.bot["id"]

    def now_s(self) -> float:
        """Monotonic seconds, moved forward by whatever a test asked for."""
        return time.monotonic() + self.skew_s

    def wall(self) -> datetime:
        """The time of day, moved forward alike."""
        return datetime.now(UTC) + timedelta(seconds=self.skew_s)

    def snowflake(self) -> str:
        """The next id: ever larger, with the time in it."""
        ms = int(self.wall().timestamp() * 1000) - EPOCH_MS
        self._last_id = max(self._last_id + 1, ms << 22)
        return str(self._last_id)

    def add_user(self, name: str, *, bot: bool = False) -> Payload:
        """Create a person, or a bot."""
        user: Payload = {
            "id": self.snowflake(),
            "username": name.lower(),
            "global_name": name,
            "discriminator": "0",
            "avatar": None,
            "bot": bot,
        }
        self.users[user["id"]] = user
        return user

    def add_guild(self, name: str) -> Payload:
        """Create a server that the bot is a member of."""
        guild_id = self.snowflake()
        everyone = {
            "id": guild_id,
            "name": "@everyone",
            "permissions": str(DEFAULT_PERMISSIONS),
            "position": 0,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        self.guilds[guild_id] = {
            "id": guild_id,
            "name": name,
            "owner_id": self.owner["id"],
            "roles": [everyone],
            "members": {self.bot["id"]: []},
            "here": True,
        }
        self.emit("GUILD_CREATE", self.guild_payload(guild_id))
        return self.guilds[guild_id]

    def add_role(self, guild_id: str, name: str, permissions: int = 0) -> Payload:
        """Create a role in a server."""
        guild = self.guilds[guild_id]
        role: Payload = {
            **guild["roles"][0],
            "id": self.snowflake(),
            "name": name,
            "permissions": str(permissions),
            "position": len(guild["roles"]),
        }
        guild["roles"].append(role)
        self.emit("GUILD_ROLE_CREATE", {"guild_id": guild_id, "role": role})
        return role

    def add_channel(self, guild_id: str, name: str, kind: int = TEXT) -> Payload:
        """Create a text channel or a forum."""
        channel: Payload = {
            "id": self.snowflake(),
            "type": kind,
            "guild_id": guild_id,
            "name": name,
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "parent_id": None,
            "flags": 0,
            "available_tags": [],
        }
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        self.emit("CHANNEL_CREATE", channel)
        return channel

    def add_dm(self, user_id: str) -> Payload:
        """The private channel with one person; the same one each time."""
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user_id:
                return channel
        channel = {
            "id": self.snowflake(),
            "type": DM,
            "recipients": [self.users[user_id]],
            "last_message_id": None,
            "flags": 0,
        }
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return channel

    def add_thread(
        self, parent_id: str, name: str, owner_id: str, *, kind: int, thread_id: str | None = None
    ) -> Payload:
        """Open a thread; a thread on a message shares the message's id."""
        parent = self.channels[parent_id]
        thread = {
            "id": thread_id or self.snowflake(),
            "type": kind,
            "guild_id": parent["guild_id"],
            "parent_id": parent_id,
            "owner_id": owner_id,
            "name": name,
            "last_message_id": None,
            "message_count": 0,
            "member_count": 1,
            "rate_limit_per_user": 0,
            "flags": 0,
            "applied_tags": [],
            "thread_metadata": {
                "archived": False,
                "locked": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": self.wall().isoformat(),
                "create_timestamp": self.wall().isoformat(),
            },
        }
        self.channels[thread["id"]] = thread
        self.messages[thread["id"]] = {}
        self.emit("THREAD_CREATE", {**thread, "newly_created": True})
        return thread

    def guild_payload(self, guild_id: str) -> Payload:
        """A server as GUILD_CREATE carries it."""
        guild = self.guilds[guild_id]
        here = [c for c in self.channels.values() if c.get("guild_id") == guild_id]
        return {
            **{key: guild[key] for key in ("id", "name", "owner_id", "roles")},
            "member_count": len(guild["members"]),
            "members": [self.member_payload(guild_id, self.bot["id"])],
            "channels": [c for c in here if c["type"] not in THREADS],
            "threads": [
                c for c in here if c["type"] in THREADS and not c["thread_metadata"]["archived"]
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "afk_timeout": 300,
            "joined_at": self.wall().isoformat(),
            "large": False,
            "unavailable": False,
        }

    def member_payload(self, guild_id: str, user_id: str, *, user: bool = True) -> Payload:
        """A member of a server."""
        member = {
            "nick": None,
            "roles": self.guilds[guild_id]["members"].get(user_id, []),
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return {**member, "user": self.users[user_id]} if user else member

    def permissions(self, channel_id: str, user_id: str) -> int:
        """What someone may do in a channel, by Discord's order of overwrites."""
        channel = self.channels[channel_id]
        if channel["type"] == DM:
            return DEFAULT_PERMISSIONS
        if channel["type"] in THREADS:
            channel = self.channels[channel["parent_id"]]
        guild = self.guilds[channel["guild_id"]]
        roles = [guild["id"], *guild["members"].get(user_id, [])]
        bits = 0
        for role in guild["roles"]:
            bits |= int(role["permissions"]) if role["id"] in roles else 0
        if bits & PERMISSIONS["administrator"] or guild["owner_id"] == user_id:
            return (1 << 53) - 1
        for ids in (roles[:1], roles[1:], [user_id]):
            for overwrite in channel["permission_overwrites"]:
                if overwrite["id"] in ids:
                    bits = bits & ~int(overwrite["deny"]) | int(overwrite["allow"])
        return bits

    def deny(self, channel_id: str, *names: str) -> None:
        """Take permissions from the bot in one channel."""
        channel = self.channels[channel_id]
        deny = sum(PERMISSIONS[name] for name in names)
        channel["permission_overwrites"] = [
            {"id": self.bot["id"], "type": 1, "allow": "0", "deny": str(deny)}
        ]
        self.emit("CHANNEL_UPDATE", channel)

    def add_message(self, channel_id: str, author: Payload, fields: Payload) -> Payload:
        """Put a message into a channel and tell everyone."""
        channel = self.channels[channel_id]
        message = {
            "id": self.snowflake(),
            "channel_id": channel_id,
            "author": author,
            "content": "",
            "timestamp": self.wall().isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 19 if "message_reference" in fields else 0,
            "flags": 0,
            **fields,
        }
        if self.messages.get(channel_id) is not None:
            self.messages[channel_id][message["id"]] = message
        channel["last_message_id"] = message["id"]
        if channel["type"] in THREADS and channel["thread_metadata"]["archived"]:
            self.set_archived(channel_id, archived=False)
        self.emit("MESSAGE_CREATE", self.event_payload(message))
        return message

    def event_payload(self, message: Payload) -> Payload:
        """A message as the gateway carries it, with its server and member."""
        guild_id = self.channels[message["channel_id"]].get("guild_id")
        if guild_id is None:
            return {**message}
        author_id = message["author"]["id"]
        self.guilds[guild_id]["members"].setdefault(author_id, [])
        member = self.member_payload(guild_id, author_id, user=False)
        return {**message, "guild_id": guild_id, "member": member}

    def set_archived(self, thread_id: str, *, archived: bool, locked: bool = False) -> None:
        """Put a thread away, or take it out again."""
        thread = self.channels[thread_id]
        thread["thread_metadata"] |= {"archived": archived, "locked": locked}
        self.emit("THREAD_UPDATE", thread)

    def remove_channel(self, channel_id: str) -> None:
        """Delete a channel or thread with all its messages."""
        channel = self.channels.pop(channel_id)
        self.messages.pop(channel_id, None)
        kind = "THREAD_DELETE" if channel["type"] in THREADS else "CHANNEL_DELETE"
        self.emit(kind, channel)

    def kick(self, guild_id: str) -> None:
        """Throw the bot out of a server."""
        self.guilds[guild_id]["here"] = False
        self.emit("GUILD_DELETE", {"id": guild_id})
