"""What a loopback workspace holds: people, channels, messages, streams and files."""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

BOT_SCOPES = frozenset(
    [
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "reactions:write",
        "users:read",
    ]
)


@dataclass
class Stream:
    """One message being streamed; `state` is live, stopped, stopped_by_user or expired."""

    started_at: float
    state: str = "live"
    text: str = ""


@dataclass
class Channel:
    """A channel or a direct message; `kind` is Slack's channel_type."""

    channel_id: str
    name: str
    kind: str = "channel"
    members: set[str] = field(default_factory=set)
    messages: list[Json] = field(default_factory=list)


@dataclass
class File:
    """A file as Slack keeps it: its bytes, and whether an upload was completed."""

    file_id: str
    name: str
    mimetype: str
    content: bytes
    is_shared: bool = True


class Workspace:
    """One Slack workspace with this app installed in it."""

    _team_numbers = itertools.count(1)

    def __init__(self, team_id: str, *, bot_user_id: str = "UPARLEY", has_agents: bool = True):
        self.team_id = team_id
        self.bot_user_id = bot_user_id
        self.bot_id = f"B{bot_user_id[1:]}"
        self.bot_token = f"xoxb-{team_id}-loopback"
        self.rotates = False
        self.refresh_token = f"xoxe-1-{team_id}"
        self.scopes = set(BOT_SCOPES)
        self.token_error: str | None = None
        self.has_agents = has_agents
        self.has_streams = True
        self.people: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.files: dict[str, File] = {}
        self.views: dict[str, Json] = {}
        self.home: dict[str, Json] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.sessions: dict[tuple[str, str], Json] = {}
        self._last_ts = 0
        self._numbers = itertools.count(1)
        self.add_person(bot_user_id, "Parley", is_bot=True)
        self.add_person("U1", "Ada", is_admin=True)
        self.add_person("U2", "Ben")
        self.add_channel("C1", "general")
        self.add_channel("C2", "random")

    def add_person(
        self, user_id: str, name: str, *, is_admin: bool = False, is_bot: bool = False
    ) -> Json:
        """Add somebody to the workspace."""
        person: Json = {
            "id": user_id,
            "team_id": self.team_id,
            "name": name.lower(),
            "real_name": name,
            "is_admin": is_admin,
            "is_owner": False,
            "is_bot": is_bot,
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "profile": {"display_name": name, "real_name": name},
        }
        self.people[user_id] = person
        return person

    def add_channel(self, channel_id: str, name: str, *, kind: str = "channel") -> Channel:
        """Add a channel that the app is a member of."""
        channel = Channel(channel_id, name, kind, {self.bot_user_id, "U1", "U2"})
        self.channels[channel_id] = channel
        return channel

    def direct(self, user_id: str) -> Channel:
        """The direct conversation between the app and this person."""
        channel_id = f"D{user_id[1:]}"
        if channel_id not in self.channels:
            self.add_channel(channel_id, "directmessage", kind="im")
        return self.channels[channel_id]

    def rotate(self) -> None:
        """Both tokens are replaced; the old ones are dead."""
        number = next(self._numbers)
        self.bot_token = f"xoxe.xoxb-{self.team_id}-{number}"
        self.refresh_token = f"xoxe-{number}-{self.team_id}"

    def next_ts(self) -> str:
        """A message timestamp, unique and rising."""
        self._last_ts = max(time.time_ns() // 1000, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """An id that this workspace has not used yet."""
        return f"{prefix}{next(self._numbers):06d}"

    def find(self, channel_id: str, ts: str) -> Json | None:
        """The message with this timestamp, if it is there."""
        channel = self.channels.get(channel_id)
        if channel is None:
            return None
        return next((m for m in channel.messages if m["ts"] == ts), None)

    def post(self, channel: Channel, message: Json) -> Json:
        """Keep a message; a reply marks its parent as a thread."""
        message.setdefault("ts", self.next_ts())
        message.setdefault("type", "message")
        parent = self.find(channel.channel_id, message.get("thread_ts", ""))
        if parent is not None:
            parent.setdefault("thread_ts", parent["ts"])
            parent["reply_count"] = parent.get("reply_count", 0) + 1
        channel.messages.append(message)
        return message

    def thread(self, channel_id: str, thread_ts: str) -> list[Json]:
        """The parent and its replies, oldest first."""
        return [
            m
            for m in self.channels[channel_id].messages
            if thread_ts in (m["ts"], m.get("thread_ts"))
        ]
