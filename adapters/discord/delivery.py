"""Opens a sink for each turn, and knows which are open here."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
from collections.abc import Coroutine

import discord

from adapters.discord.errors import FAILED
from adapters.discord.pacing import Pacer, Urgency
from adapters.discord.places import Place
from adapters.discord.posted import Kit
from adapters.discord.sink import DiscordSink
from adapters.discord.threads import arrive, missing
from bot.messages import IncomingMessage
from bot.ports import Clock, Post, Store
from bot.turns import Turn

PLATFORM = "discord"
LOOK_BACK = 50
SEEN = "👀"
logger = logging.getLogger(__name__)


class DiscordDelivery:
    """The delivery of everything that was asked on Discord."""

    def __init__(self, client: discord.Client, store: Store, clock: Clock) -> None:
        self._client = client
        self._store = store
        self.pacer = Pacer(clock.elapsed_s)
        self._kit = Kit(
            store=store,
            pacer=self.pacer,
            clock=clock,
            nonce_of=to_nonce,
            find_lost=self._find_lost,
            tell_forbidden=self._tell_forbidden,
        )
        self._open: dict[str, DiscordSink] = {}
        self._waiting: dict[str, str] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def open(self, turn: Turn) -> DiscordSink:
        """A sink that shows at once that somebody is typing."""
        self._forget_ended()
        if (earlier := self._open.pop(turn.turn_id, None)) is not None:
            await earlier.close()
        if (channel_id := self._waiting.pop(turn.message_id, None)) is not None:
            self._start(self._mark(channel_id, turn.message_id, is_seen=False))
        sink = DiscordSink(turn, self._kit, lambda: arrive(self._client, self._store, turn))
        self._open[turn.turn_id] = sink
        return sink

    def note_accepted(self, incoming: IncomingMessage) -> None:
        """A question that waits behind another one of its conversation is marked as seen."""
        is_busy = any(s.turn.key == incoming.key and not s.is_ended for s in self._open.values())
        turn_id = f"{PLATFORM}:{incoming.message_id}"
        if is_busy and turn_id not in self._open and not incoming.anchor.get("token"):
            channel_id = incoming.anchor["channel_id"]
            self._waiting[incoming.message_id] = channel_id
            self._start(self._mark(channel_id, incoming.message_id, is_seen=True))

    def _start(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _mark(self, channel_id: str, message_id: str, *, is_seen: bool) -> None:
        """Put eyes on a message, or take them away; without the right to, leave it be."""
        channel = self._client.get_partial_messageable(int(channel_id))
        message = channel.get_partial_message(int(message_id))
        await self.pacer.send(Urgency.TYPING)
        with contextlib.suppress(*FAILED):
            if is_seen:
                await message.add_reaction(SEEN)
            elif self._client.user is not None:
                await message.remove_reaction(SEEN, self._client.user)

    def withdraw(self, message_id: str) -> None:
        """A prompt was deleted: whatever is being answered to it is to be taken back."""
        for sink in self._open.values():
            if sink.turn.message_id == message_id:
                sink.is_withdrawn = True

    async def close(self) -> None:
        """Stop all previews; turns that have not ended are taken up by the next start."""
        for sink in list(self._open.values()):
            await sink.close()
        self._open.clear()
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)

    def _forget_ended(self) -> None:
        for turn_id in [turn_id for turn_id, sink in self._open.items() if sink.is_ended]:
            del self._open[turn_id]

    async def _find_lost(self, post: Post, place: Place) -> str:
        """The message that a crash kept us from noting: ours, since then, of no other post."""
        if not place.channel_id:
            return ""
        channel = self._client.get_partial_messageable(int(place.channel_id))
        me = self._client.user
        with contextlib.suppress(*FAILED):
            async for message in channel.history(after=post.created_at, limit=LOOK_BACK):
                known = await self._store.turn_of_post(PLATFORM, str(message.id))
                if me is not None and message.author.id == me.id and known is None:
                    return str(message.id)
        return ""

    async def _tell_forbidden(self, turn: Turn, channel_id: str) -> None:
        """Write to the person directly which permission is missing and where."""
        needed = ("view_channel", "send_messages", "send_messages_in_threads")
        lacking = missing(self._client, channel_id, *needed)
        names = " and ".join(lacking) or "Send Messages"
        text = (
            f"I can't answer you in <#{channel_id}>: I lack the permission {names} there. "
            "Please ask an admin of the server to grant it, then ask me again."
        )
        with contextlib.suppress(*FAILED):
            user = await self._client.fetch_user(int(turn.user_id))
            await user.send(text)


def to_nonce(post_id: str) -> str:
    """A nonce of 24 characters that is the same for the same post."""
    return base64.b32encode(hashlib.sha256(post_id.encode()).digest())[:24].decode()
