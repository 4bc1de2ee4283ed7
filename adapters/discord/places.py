"""Where an answer goes: a channel, thread or direct chat, or the reply to an interaction."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import discord

from adapters.charts import to_png, to_svg
from adapters.discord.errors import ExpiredError, to_delivery_error
from adapters.discord.rendering import FILE_NAME
from adapters.discord.views import to_view
from bot.pictures import Card
from bot.replies import Action

NO_MENTIONS = discord.AllowedMentions.none()
TOKEN_LIVES = timedelta(minutes=14)
MOST_PARTS = 20
PICTURE_NAME = "spend.png"
MOST_ALT = 1024
FOLLOWUPS = 5
"""What Discord allows where the bot is not a member; notices may need one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message of an answer, as it is to be."""

    turn_id: str
    content: str | None = None
    """None leaves the text as it is."""
    actions: tuple[Action, ...] | None = None
    """None leaves the buttons as they are."""
    file: str | Card = ""
    nonce: str = ""
    is_silent: bool = False

    def fields(self, *, is_new: bool = False) -> dict[str, Any]:
        """The arguments that discord.py takes for it."""
        fields: dict[str, Any] = {"allowed_mentions": NO_MENTIONS}
        if self.content is not None:
            fields["content"] = self.content
        if self.actions is not None:
            view = to_view(self.turn_id, self.actions)
            if view is not None or not is_new:
                fields["view"] = view
        if self.file:
            file = to_file(self.file)
            fields |= {"file": file} if is_new else {"attachments": [file]}
        return fields


def to_file(content: str | Card) -> discord.File:
    """A text or a picture as a file; a picture says what is on it."""
    if isinstance(content, str):
        return discord.File(io.BytesIO(content.encode()), FILE_NAME)
    png = io.BytesIO(to_png(to_svg(content)))
    return discord.File(png, PICTURE_NAME, description=content.alt[:MOST_ALT])


class Place(Protocol):
    """Takes the messages of one answer. Raises what discord.py raises."""

    @property
    def lane(self) -> str:
        """What shares a limit on edits."""

    @property
    def channel_id(self) -> str:
        """The channel, thread or direct chat."""

    @property
    def most_parts(self) -> int:
        """How many messages an answer may have here."""

    async def post(self, part: Outgoing) -> str:
        """Post a message and return its id; the same nonce is the same message."""

    async def edit(self, message_id: str, part: Outgoing) -> None:
        """Change a message."""

    async def delete(self, message_id: str) -> None:
        """Take a message back."""

    async def type(self) -> None:
        """Show that an answer is coming, for some ten seconds."""

    async def reopen(self) -> None:
        """Take a thread out of the archive, where its messages cannot be edited."""


class ChannelPlace:
    """A channel, thread or direct chat; the first message may be a reply."""

    def __init__(self, client: discord.Client, channel_id: str, reply_to: str = "") -> None:
        self._client = client
        self._channel = client.get_partial_messageable(int(channel_id))
        self._reply_to = reply_to
        self.channel_id = channel_id
        self.lane = channel_id
        self.most_parts = MOST_PARTS

    async def post(self, part: Outgoing) -> str:
        """Post a message; a prompt that is gone is not replied to."""
        fields = part.fields(is_new=True)
        if self._reply_to and not part.is_silent:
            fields["reference"] = discord.MessageReference(
                message_id=int(self._reply_to),
                channel_id=int(self.channel_id),
                fail_if_not_exists=False,
            )
        fields |= {"nonce": part.nonce} if part.nonce else {}
        message = await self._channel.send(silent=part.is_silent, **fields)
        return str(message.id)

    async def edit(self, message_id: str, part: Outgoing) -> None:
        """Change a message."""
        await self._channel.get_partial_message(int(message_id)).edit(**part.fields())

    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        await self._channel.get_partial_message(int(message_id)).delete()

    async def type(self) -> None:
        """Show that an answer is coming."""
        await self._channel.typing()

    async def reopen(self) -> None:
        """Take the thread out of the archive; Discord refuses when it is locked."""
        await self._client.http.edit_channel(int(self.channel_id), archived=False)


class InteractionPlace:
    """The reply to a command: its own message first, then the channel, else follow-ups.

    Its token lives 15 minutes; after that only the channel is left, if the bot may write there.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        token: str,
        original_id: str,
        interaction_id: str,
        channel: ChannelPlace | None,
        is_private: bool = False,
    ) -> None:
        """`channel` is where to turn to when the token has expired; never for a private reply."""
        self._hook = discord.Webhook.partial(client.application_id or 0, token, client=client)
        self._hook.type = discord.WebhookType.application
        self._original_id = original_id
        self._channel = channel
        self._is_private = is_private
        self._expires_at = discord.utils.snowflake_time(int(interaction_id)) + TOKEN_LIVES
        self._is_original_used = not original_id
        self.most_parts = MOST_PARTS if channel else FOLLOWUPS + bool(original_id)
        self.channel_id = channel.channel_id if channel else ""
        self.lane = f"hook:{token}"

    @property
    def _is_alive(self) -> bool:
        return datetime.now(UTC) < self._expires_at

    async def post(self, part: Outgoing) -> str:
        """Fill the command's own reply, or post a further message."""
        if not self._is_original_used and not part.is_silent and self._is_alive:
            is_filled = await self._try_edit(self._original_id, part)
            self._is_original_used = True  # only now: an edit that failed is tried again
            if is_filled:
                return self._original_id
        if self._channel is not None:
            return await self._channel.post(part)
        fields = part.fields(is_new=True)
        fields |= {"ephemeral": True} if self._is_private else {"silent": part.is_silent}
        message = await self._hook.send(wait=True, **fields)
        return str(message.id)

    async def edit(self, message_id: str, part: Outgoing) -> None:
        """Change a message, by the token or by the channel."""
        is_hooks = message_id == self._original_id or self._channel is None
        if is_hooks and self._is_alive and await self._try_edit(message_id, part):
            return
        if self._channel is None:
            raise ExpiredError
        await self._channel.edit(message_id, part)

    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        if message_id == self._original_id or self._channel is None:
            await self._hook.delete_message(int(message_id))
        else:
            await self._channel.delete(message_id)

    async def type(self) -> None:
        """The deferred reply shows already that an answer is coming."""

    async def reopen(self) -> None:
        """Take the thread that the command was used in out of the archive."""
        if self._channel is not None:
            await self._channel.reopen()

    async def _try_edit(self, message_id: str, part: Outgoing) -> bool:
        """False when the token has expired and there is a channel to turn to."""
        try:
            await self._hook.edit_message(int(message_id), **part.fields())
        except discord.HTTPException as error:
            if self._channel is None or not isinstance(to_delivery_error(error), ExpiredError):
                raise
            return False
        return True
