"""Opening the thread that an answer goes to, naming it, and saying what permission is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import discord

from adapters.discord.errors import (
    THREAD_EXISTS,
    ForbiddenHereError,
    GoneError,
    is_passing,
    to_delivery_error,
)
from adapters.discord.places import ChannelPlace, InteractionPlace, Place
from bot.ports import Posts
from bot.turns import Turn

MAX_NAME = 80
ARCHIVE_AFTER_MIN: Literal[1440] = 1440
NEEDED = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "create_public_threads": "Create Public Threads",
    "send_messages_in_threads": "Send Messages in Threads",
    "read_message_history": "Read Message History",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
    "add_reactions": "Add Reactions",
}
_MARKS = re.compile(r"<[@#:][^>]*>|@[\w:.-]+|[`*_~|>#\[\]()]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where an answer goes, and what its reader should know about that."""

    place: Place
    notes: tuple[str, ...] = ()


def needed_permissions() -> discord.Permissions:
    """Exactly what the bot asks for when it is invited."""
    return discord.Permissions(**dict.fromkeys(NEEDED, True))


def invite_url(application_id: int) -> str:
    """The link that puts the bot into a server."""
    return discord.utils.oauth_url(
        application_id,
        permissions=needed_permissions(),
        scopes=("bot", "applications.commands"),
    )


def thread_name(prompt: str) -> str:
    """A thread's name from its first question: one line of plain words."""
    words = " ".join(_MARKS.sub(" ", prompt).split())
    if len(words) > MAX_NAME:
        words = words[: MAX_NAME - 1].rsplit(" ", 1)[0] + "…"
    return words or "Question"


def missing(client: discord.Client, channel_id: str, *names: str) -> list[str]:
    """The permissions, by their names in Discord's menus, that the bot lacks in a channel."""
    channel = client.get_channel(int(channel_id))
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return []
    has = channel.permissions_for(channel.guild.me)
    return [NEEDED[name] for name in names if not getattr(has, name)]


async def arrive(client: discord.Client, posts: Posts, turn: Turn) -> Arrival:
    """The place of a turn's answer; opens its thread when it is to have one."""
    anchor = turn.anchor
    known = await posts.posts(turn.turn_id)
    if known and known[0].platform_id and not anchor.get("token"):
        channel_id = known[0].channel_id or turn.key.thread_id
        return Arrival(place=ChannelPlace(client, channel_id, anchor.get("reply_to", "")))
    if anchor.get("token") and (turn.retry_of is None or not anchor.get("may_post")):
        return Arrival(place=_interaction_place(client, anchor))
    if anchor.get("thread_on"):
        return await _thread_on(client, turn)
    return Arrival(place=ChannelPlace(client, anchor["channel_id"], anchor.get("reply_to", "")))


def _interaction_place(client: discord.Client, anchor: Mapping[str, str]) -> InteractionPlace:
    is_private = bool(anchor.get("private"))
    may_post = bool(anchor.get("may_post")) and not is_private
    return InteractionPlace(
        client,
        token=anchor["token"],
        original_id=anchor["original_id"],
        interaction_id=anchor["interaction_id"],
        channel=ChannelPlace(client, anchor["channel_id"]) if may_post else None,
        is_private=is_private,
    )


async def _thread_on(client: discord.Client, turn: Turn) -> Arrival:
    """Open the thread on the prompt, or answer as a reply where that is not allowed."""
    channel_id, message_id = turn.anchor["channel_id"], turn.anchor["thread_on"]
    needed = ("create_public_threads", "send_messages_in_threads")
    lacking = missing(client, channel_id, *needed)
    if not lacking:
        try:
            await client.http.start_thread_with_message(
                int(channel_id),
                int(message_id),
                name=thread_name(turn.prompt),
                auto_archive_duration=ARCHIVE_AFTER_MIN,
            )
            return Arrival(place=ChannelPlace(client, message_id))
        except discord.HTTPException as error:
            if error.code == THREAD_EXISTS:
                return Arrival(place=ChannelPlace(client, message_id))
            refusal = to_delivery_error(error)
            if is_passing(error) or isinstance(refusal, GoneError):
                raise
            lacking = [NEEDED[needed[0]]] if isinstance(refusal, ForbiddenHereError) else []
    note = f"I answer here because I lack the permission {' and '.join(lacking)} for a thread."
    place = ChannelPlace(client, channel_id, message_id)
    return Arrival(place=place, notes=(note,) if lacking else ())
