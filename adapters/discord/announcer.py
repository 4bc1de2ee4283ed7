"""Posts in a Discord channel where nobody has asked, at most once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import discord

from adapters.discord.delivery import to_nonce
from adapters.discord.errors import FAILED, ForbiddenHereError, GoneError, to_delivery_error
from adapters.discord.places import NO_MENTIONS, PICTURE_NAME, to_file
from bot.errors import DeliveryError
from bot.ports import Clock, Post, Posts

if TYPE_CHECKING:
    from adapters.announcing import Announcement

COLOUR = 0x2563EB
LOOK_BACK = 50
CLOCKS_DIFFER = timedelta(seconds=5)
MOST_TEXT = 4_000
_WHY = {
    GoneError: "That channel is gone.",
    ForbiddenHereError: "I lack View Channel, Send Messages, Embed Links or Attach Files there.",
}


class DiscordAnnouncer:
    """Announces for one client."""

    def __init__(self, client: discord.Client, store: Posts, clock: Clock) -> None:
        self._client = client
        self._store = store
        self._clock = clock

    async def announce(self, announcement: Announcement) -> None:
        """Post a text and its picture; raises DeliveryError in words."""
        if not announcement.channel_id.isdecimal():
            raise DeliveryError("That is no channel of Discord's.")
        intent = Post(
            post_id=announcement.post_id,
            turn_id=announcement.post_id.rpartition(":")[0],
            created_at=self._clock.now(),
            channel_id=announcement.channel_id,
        )
        known = await self._store.sending(intent)
        if known.platform_id:
            return
        try:
            message_id = "" if known == intent else await self._look_up(known, announcement)
            message_id = message_id or await self._post(announcement)
        except FAILED as error:
            raise _to_error(error) from error
        await self._store.sent(replace(known, platform_id=message_id))

    async def tell(self, workspace_id: str, user_id: str, text: str) -> None:
        """Write to one person directly; raises DeliveryError in words."""
        try:
            user = await self._client.fetch_user(int(user_id))
            await user.send(text[:2_000], allowed_mentions=NO_MENTIONS)
        except FAILED as error:
            raise to_delivery_error(error) from error

    async def _post(self, announcement: Announcement) -> str:
        embed = discord.Embed(description=announcement.text[:MOST_TEXT], colour=COLOUR)
        card = announcement.card
        if card is not None:
            embed.set_image(url=f"attachment://{PICTURE_NAME}")
        channel = self._client.get_partial_messageable(int(announcement.channel_id))
        message = await channel.send(
            embed=embed,
            file=to_file(card) if card is not None else discord.utils.MISSING,
            nonce=to_nonce(announcement.post_id),
            allowed_mentions=NO_MENTIONS,
        )
        return str(message.id)

    async def _look_up(self, post: Post, announcement: Announcement) -> str:
        """The message of a post that was begun and perhaps made; empty when it was not."""
        channel = self._client.get_partial_messageable(int(announcement.channel_id))
        title = announcement.text.partition("\n")[0]
        me = self._client.user
        async for message in channel.history(
            after=post.created_at - CLOCKS_DIFFER, limit=LOOK_BACK
        ):
            is_ours = me is not None and message.author.id == me.id
            if is_ours and any((e.description or "").startswith(title) for e in message.embeds):
                return str(message.id)
        return ""


def _to_error(error: BaseException) -> DeliveryError:
    found = to_delivery_error(error)
    return DeliveryError(_WHY.get(type(found), str(found)))
