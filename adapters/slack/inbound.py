"""Slack's events as the core knows them: pure translations, and whom a message is for."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.messages import Attachment, ConversationKey, IncomingMessage
from bot.quotes import without_salutation

Event = Mapping[str, Any]

PLATFORM = "slack"
_NAMELESS = ("directmessage", "privategroup")
"""What Slack says instead of the name of a direct or private channel."""
_PERSONS_SUBTYPES = frozenset({None, "file_share", "thread_broadcast", "me_message"})
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^>]+)>")
_SETTINGS = re.compile(r"\s*(?:/?parley\s+)?/?settings?\s", re.IGNORECASE)
_EVERYONE = re.compile(r"<!(?:subteam\^|here|channel|everyone)[^>]*>")
_EVERYBODY = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
_SPECIAL = re.compile(r"<!(?:[^>|]+\|)?([^>]+)>")
_LINK = re.compile(r"<((?:https?|mailto|tel|ftp):[^>|]+)(?:\|([^>]*))?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message of a person, as far as it matters for whom it is meant."""

    is_direct: bool
    is_in_thread: bool
    names_bot: bool
    names_others: bool

    def is_addressed(self, *, takes_part: bool) -> bool:
        """Whether it wants an answer; `takes_part`: Parley has answered in this thread before."""
        if self.is_direct or self.names_bot:
            return True
        return self.is_in_thread and takes_part and not self.names_others


def is_from_person(event: Event) -> bool:
    """Bots, this one included, and Slack's own notices are never answered."""
    is_text = event.get("subtype") in _PERSONS_SUBTYPES
    return is_text and bool(event.get("user")) and not event.get("bot_id")


def deleted_ts(event: Event) -> str | None:
    """Which message an event says was deleted; of one with replies, Slack leaves a tombstone."""
    subtype = event.get("subtype")
    if subtype == "message_changed" and is_tombstone(event["message"]):
        return str(event["message"]["ts"])
    return str(event["deleted_ts"]) if subtype == "message_deleted" else None


def is_tombstone(message: Event) -> bool:
    """Whether it is only what is left of a deleted message."""
    return message.get("subtype") == "tombstone"


def to_heard(event: Event, bot_user_id: str) -> Heard:
    """Read from an event what decides whom it is for."""
    text = str(event.get("text") or "")
    named = set(_USER.findall(text))
    return Heard(
        is_direct=is_direct(event),
        is_in_thread=thread_ts(event) != event["ts"],
        names_bot=bot_user_id in named or event.get("type") == "app_mention",
        names_others=bool(named - {bot_user_id, event["user"]}) or bool(_EVERYONE.search(text)),
    )


def is_direct(event: Event) -> bool:
    """Whether it was written to the app alone."""
    return event.get("channel_type") == "im" or str(event.get("channel", "")).startswith("D")


def thread_ts(event: Event) -> str:
    """The thread it stands in, or begins."""
    return str(event.get("thread_ts") or event["ts"])


def to_key(event: Event, team_id: str) -> ConversationKey:
    """The conversation of a message: always a thread."""
    return place_key(team_id, str(event["channel"]), thread_ts(event))


def place_key(team_id: str, channel_id: str, thread_ts: str = "") -> ConversationKey:
    """A thread; without one, a channel, where slash commands stand."""
    return ConversationKey(
        platform=PLATFORM, workspace_id=team_id, channel_id=channel_id, thread_id=thread_ts
    )


def to_message_id(channel_id: str, ts: str) -> str:
    """What a message is known by; a mention comes as two events of the same channel and time."""
    return f"{channel_id}:{ts}"


def mentioned(text: str) -> frozenset[str]:
    """Everybody named in a text."""
    return frozenset(_USER.findall(text))


def to_text(text: str, bot_user_id: str, names: Mapping[str, str]) -> str:
    """What was written, as plain text: names for ids, links spelled out, our own name left out.

    People and groups lose their `@`: one who is called Haiku is no tag.
    """
    text = without_salutation(re.sub(rf"<@{bot_user_id}(?:\|[^>]*)?>", "", text))
    if not _SETTINGS.match(text):  # which need the ids of channels and people
        text = _USER.sub(lambda match: _untagged(names.get(match[1], match[1])), text)
        text = _CHANNEL.sub(lambda match: f"#{match[1]}", text)
        text = _EVERYBODY.sub(r"@\1", text)
        text = _SPECIAL.sub(lambda match: _untagged(match[1]), text)
    return html.unescape(_LINK.sub(_spelled_out, text)).strip()


def _untagged(name: str) -> str:
    return name.replace("@", "")


def _spelled_out(match: re.Match[str]) -> str:
    address, label = match[1].removeprefix("mailto:"), match[2]
    is_plain = not label or label == address or address.endswith(f"://{label}")
    return address if is_plain else f"{label} ({address})"


def sent_at(ts: str) -> datetime:
    """When a message was sent: its timestamp says so."""
    return datetime.fromtimestamp(float(ts), UTC)


def to_channel_name(channel_id: str, name: str = "") -> str:
    """What a channel is called; Slack says it with commands only, and not of a private one."""
    if channel_id.startswith("D"):
        return "direct messages"
    return f"#{name}" if name not in ("", *_NAMELESS) else ""


def to_attachments(event: Event) -> tuple[Attachment, ...]:
    """The files of a message; those that Slack only links to have no content."""
    return tuple(
        Attachment(
            name=str(file.get("name") or file.get("title") or file["id"]),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size_bytes=int(file.get("size") or 0),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
        )
        for file in event.get("files") or ()
    )


def to_incoming(
    event: Event,
    *,
    team_id: str,
    bot_user_id: str,
    names: Mapping[str, str],
    is_addressed: bool,
    is_admin: bool = False,
) -> IncomingMessage:
    """A person's message, in the core's terms; `names` says who the ids in it are."""
    user_id = str(event["user"])
    return IncomingMessage(
        key=to_key(event, team_id),
        message_id=to_message_id(str(event["channel"]), str(event["ts"])),
        author_id=user_id,
        author_name=names.get(user_id, user_id),
        text=to_text(str(event.get("text") or ""), bot_user_id, names),
        sent_at=sent_at(str(event["ts"])),
        attachments=to_attachments(event),
        is_addressed=is_addressed,
        is_admin=is_admin,
        channel_name=to_channel_name(str(event["channel"])),
    )
