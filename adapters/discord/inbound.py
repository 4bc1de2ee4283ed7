"""What people do on Discord, as the core knows it: pure translations, and whom a message is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import discord

from bot.commands import is_command
from bot.messages import Attachment, ConversationKey, IncomingMessage
from bot.quotes import quoted, without_salutation

PLATFORM = "discord"
DIRECT = "user-"
DIRECT_NAME = "direct messages"
_SETTINGS = re.compile(r"\s*/?settings?\s", re.IGNORECASE)
_ANSWERED_TYPES = (discord.MessageType.default, discord.MessageType.reply)


class Spot(StrEnum):
    """What kind of place a message stands in."""

    CHANNEL = "channel"
    THREAD = "thread"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message, as far as it matters for whom it is meant."""

    spot: Spot
    names_bot: bool = False
    """It mentions the bot or replies to it."""
    names_others: bool = False
    """It mentions other people or replies to them."""
    takes_part: bool = False
    """The bot has answered in this thread before, or the thread is its own, or a new post."""


def is_addressed(heard: Heard) -> bool:
    """Whether a message wants an answer."""
    if heard.spot is Spot.DIRECT or heard.names_bot:
        return True
    return heard.spot is Spot.THREAD and heard.takes_part and not heard.names_others


def is_from_person(message: discord.Message) -> bool:
    """Bots, webhooks and Discord's own notices are never answered."""
    is_text = message.type in _ANSWERED_TYPES
    return is_text and not message.author.bot and message.webhook_id is None


def to_heard(message: discord.Message, me: discord.abc.User, *, takes_part: bool) -> Heard:
    """Read from a message what decides whom it is for."""
    named = {user.id for user in message.mentions}
    replied = _replied_to(message)
    if replied is not None:
        named.add(replied.author.id)
    own_roles = {role.id for role in message.role_mentions if _is_own_role(role, me)}
    return Heard(
        spot=to_spot(message.channel),
        names_bot=me.id in named or bool(own_roles),
        names_others=bool(named - {me.id, message.author.id})
        or message.mention_everyone
        or len(message.role_mentions) > len(own_roles),
        takes_part=takes_part,
    )


def to_spot(channel: object) -> Spot:
    """The kind of a place."""
    if isinstance(channel, discord.Thread):
        return Spot.THREAD
    guild_id = getattr(getattr(channel, "guild", None), "id", None)
    return Spot.DIRECT if guild_id is None else Spot.CHANNEL


def begins_post(message: discord.Message) -> bool:
    """Whether a message is the first of a forum post: it and its thread share their id."""
    thread = message.channel
    if not isinstance(thread, discord.Thread) or thread.id != message.id:
        return False
    return isinstance(thread.parent, discord.ForumChannel)


def to_key(message: discord.Message) -> ConversationKey:
    """The conversation of a message; one in a channel begins a thread that has its own id."""
    channel = message.channel
    if isinstance(channel, discord.Thread):
        return thread_key(channel)
    if message.guild is None:
        return direct_key(str(message.author.id), str(channel.id))
    return guild_key(str(message.guild.id), str(channel.id), str(message.id))


def thread_key(thread: discord.Thread) -> ConversationKey:
    """The conversation of a thread or forum post."""
    return guild_key(str(thread.guild.id), str(thread.parent_id), str(thread.id))


def guild_key(guild_id: str, channel_id: str, thread_id: str) -> ConversationKey:
    """A conversation in a server."""
    return ConversationKey(
        platform=PLATFORM, workspace_id=guild_id, channel_id=channel_id, thread_id=thread_id
    )


def direct_key(user_id: str, channel_id: str) -> ConversationKey:
    """A conversation with one person; that person is a workspace of their own."""
    return ConversationKey(
        platform=PLATFORM,
        workspace_id=f"{DIRECT}{user_id}",
        channel_id=channel_id,
        thread_id=channel_id,
    )


def to_anchor(message: discord.Message, *, in_thread: bool) -> Mapping[str, str]:
    """Where the answer goes: the place itself, a new thread on the message, or a reply to it."""
    anchor = {"channel_id": str(message.channel.id)}
    channel = getattr(message.channel, "parent", None) or message.channel
    if name := getattr(channel, "name", ""):
        anchor["channel_name"] = str(name)
    if to_spot(message.channel) is not Spot.CHANNEL:
        return anchor
    return {**anchor, "thread_on" if in_thread else "reply_to": str(message.id)}


def to_incoming(
    message: discord.Message,
    me: discord.abc.User,
    *,
    key: ConversationKey,
    anchor: Mapping[str, str],
    is_addressed: bool,
) -> IncomingMessage:
    """A message of a person, in the core's terms."""
    return IncomingMessage(
        key=key,
        message_id=str(message.id),
        author_id=str(message.author.id),
        author_name=message.author.display_name,
        text=to_text(message, me),
        sent_at=message.created_at,
        attachments=tuple(to_attachment(each) for each in message.attachments),
        is_addressed=is_addressed,
        is_admin=is_admin(message),
        role_ids=role_ids(message.author),
        workspace_name=message.guild.name if message.guild else DIRECT_NAME,
        channel_name=to_channel_name(message.channel),
        anchor=anchor,
    )


def role_ids(person: discord.abc.User) -> tuple[str, ...]:
    """The roles of somebody in a server, without the one that everybody has."""
    return tuple(str(role.id) for role in getattr(person, "roles", ())[1:])


def to_channel_name(channel: object) -> str:
    """What a channel is called, a thread by the channel that it is in; empty when not known."""
    if isinstance(channel, discord.DMChannel):
        return DIRECT_NAME
    name = getattr(getattr(channel, "parent", None) or channel, "name", "")
    return f"#{name}" if name else ""


def to_text(message: discord.Message, me: discord.abc.User) -> str:
    """What was written, names instead of ids, below what it replies to or its post's title."""
    text = plain_text(message, me)
    if begins_post(message) and not is_command(text):
        text = f"{getattr(message.channel, 'name', '')}\n\n{text}".strip()
    replied = _replied_to(message)
    if replied is None or replied.author.id == me.id:
        return text
    return f"{quoted(replied.author.display_name, plain_text(replied, me))}\n\n{text}".strip()


def plain_text(message: discord.Message, me: discord.abc.User) -> str:
    """The text without the bot's mention, people and roles by their names."""
    text = without_salutation(re.sub(rf"<@!?{me.id}>", "", message.content))
    if _SETTINGS.match(text):  # which need ids
        return text.strip()
    for role in message.role_mentions:
        name = "" if _is_own_role(role, me) else role.name
        text = text.replace(role.mention, name)
    for user in message.mentions:
        text = re.sub(rf"<@!?{user.id}>", user.display_name, text)
    return without_salutation(text).strip()


def to_attachment(attachment: discord.Attachment) -> Attachment:
    """A file that came with a message, not read yet."""
    return Attachment(
        name=attachment.filename,
        media_type=(attachment.content_type or "application/octet-stream").split(";")[0],
        size_bytes=attachment.size,
        url=attachment.url,
    )


def is_admin(message: discord.Message) -> bool:
    """Whether the author may change settings: Manage Server, or in a direct chat its one person."""
    if message.guild is None:
        return True
    permissions = getattr(message.author, "guild_permissions", None)
    return bool(permissions is not None and permissions.manage_guild)


def _replied_to(message: discord.Message) -> discord.Message | None:
    if message.type is not discord.MessageType.reply or message.reference is None:
        return None
    found = message.reference.resolved
    return found if isinstance(found, discord.Message) else None


def _is_own_role(role: discord.Role, me: discord.abc.User) -> bool:
    return role.tags is not None and role.tags.bot_id == me.id
