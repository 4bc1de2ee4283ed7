"""Reading a thread that people began, so that the first answer in it knows what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from adapters.discord import inbound
from adapters.discord.errors import FAILED
from bot.messages import IncomingMessage

if TYPE_CHECKING:
    from adapters.discord.client import ParleyClient

READ_AT_MOST = 100
CUT_NOTE = f"(This thread is long: only its last {READ_AT_MOST} messages were read.)"
UNREAD_NOTE = (
    "(What was said here before could not be read. It may be that I lack the permission Read "
    "Message History.)"
)


async def read_earlier(
    client: ParleyClient, thread: discord.Thread, *, before: discord.Message
) -> None:
    """Keep what was said in a thread before a message as its context, oldest first."""
    try:
        found = [m async for m in thread.history(limit=READ_AT_MOST + 1, before=before)]
    except FAILED:
        await client.accept(to_note(client, before, UNREAD_NOTE))
        return
    found.reverse()
    if len(found) > READ_AT_MOST:
        found = found[-READ_AT_MOST:]
        await client.accept(to_note(client, found[0], CUT_NOTE))
    else:
        found = [m async for m in _starter(thread)] + found
    for message in found:
        if message.author.id != client.me.id and (message.content or message.attachments):
            await client.accept(_context(client, thread, message))


async def _starter(thread: discord.Thread) -> AsyncIterator[discord.Message]:
    """The message in the channel that the thread was opened on, if there is one."""
    parent = thread.parent
    if isinstance(parent, discord.TextChannel):
        try:
            yield await parent.fetch_message(thread.id)
        except FAILED:
            return


def to_note(client: ParleyClient, message: discord.Message, text: str) -> IncomingMessage:
    """A line before a message that says what is missing; the model can pass it on."""
    noted = _context(client, message.channel, message)
    message_id = f"{message.id}-note"
    return replace(noted, message_id=message_id, author_name="note", text=text, attachments=())


def _context(client: ParleyClient, thread: object, message: discord.Message) -> IncomingMessage:
    assert isinstance(thread, discord.Thread)
    return inbound.to_incoming(
        message,
        client.me,
        key=inbound.thread_key(thread),
        anchor={},
        is_addressed=False,
    )
