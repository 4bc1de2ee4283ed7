"""The messages of one answer on Discord: what each says now, and how they are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from adapters.discord.errors import (
    FAILED,
    ArchivedError,
    is_passing,
    to_delivery_error,
)
from adapters.discord.pacing import Pacer, Urgency
from adapters.discord.places import Outgoing, Place
from adapters.discord.rendering import Rendered
from adapters.discord.threads import Arrival
from bot.errors import DeliveryError
from bot.pictures import Card
from bot.ports import Clock, Post, Store
from bot.replies import Action
from bot.settings import Settings
from bot.turns import Turn

TRIES = 5
STALE_POST = timedelta(minutes=2)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What every sink works with."""

    store: Store
    pacer: Pacer
    clock: Clock
    nonce_of: Callable[[str], str]
    find_lost: Callable[[Post, Place], Awaitable[str]]
    tell_forbidden: Callable[[Turn, str], Awaitable[None]]


@dataclass(slots=True)
class Shown:
    """A message of this answer and what it says now; None when that is not known."""

    message_id: str
    content: str | None = None
    actions: tuple[Action, ...] | None = None


class Posted:
    """The messages of one answer. Whatever is done here may be repeated after a crash."""

    def __init__(self, turn: Turn, kit: Kit, branch: str = "") -> None:
        """`branch` names a further message of the turn, beside the answer itself."""
        self._turn = turn
        self._scope = f"{turn.turn_id}:{branch}" if branch else turn.turn_id
        self._kit = kit
        self._arrival: Arrival | None = None
        self._settings = Settings()
        self.shown: list[Shown] = []

    @property
    def has_place(self) -> bool:
        """Whether it is known where the answer goes."""
        return self._arrival is not None

    @property
    def place(self) -> Place:
        """Where the answer goes."""
        assert self._arrival is not None
        return self._arrival.place

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know about the place."""
        return self._arrival.notes if self._arrival else ()

    @property
    def settings(self) -> Settings:
        """The settings in force there."""
        return self._settings

    @property
    def most_parts(self) -> int:
        """How many messages the answer may have."""
        allowed = self._arrival.place.most_parts if self._arrival else self._settings.max_parts
        return min(allowed, self._settings.max_parts)

    async def begin(self, arrive: Callable[[], Awaitable[Arrival]]) -> None:
        """Find or open the place, and what was posted there before."""
        store = self._kit.store
        self._settings = await store.settings(self._turn.key)
        await self._kit.pacer.send(Urgency.FIRST)
        self._arrival = await self._retry(arrive)
        posts = await store.posts(self._turn.turn_id)
        for post in (p for p in posts if p.post_id.rpartition(":")[0] == self._scope):
            found = post.platform_id or await self._lost(post)
            if found:
                self.shown.append(Shown(found))

    async def _lost(self, post: Post) -> str:
        """The message of a post that was begun and perhaps made; a recent one is safe to repeat."""
        if self._kit.clock.now() - post.created_at < STALE_POST:
            return ""
        found = await self._kit.find_lost(post, self.place)
        if found:
            await self._kit.store.sent(replace(post, platform_id=found))
        return found

    def new(self, index: int, content: str, *actions: Action) -> Outgoing:
        """A new message; only the first carries the stop button, only the first makes a sound."""
        return Outgoing(
            turn_id=self._turn.turn_id,
            content=content,
            actions=() if index and Action.STOP in actions else actions,
            nonce=self._kit.nonce_of(f"{self._scope}:p{index}"),
            is_silent=index > 0,
        )

    async def post(self, index: int, part: Outgoing) -> None:
        """Keep the intent, post, keep the id: twice the same is once."""
        channel_id = self.place.channel_id
        away = channel_id if channel_id != self._turn.key.thread_id else ""
        post = Post(
            post_id=f"{self._scope}:p{index}",
            turn_id=self._turn.turn_id,
            created_at=self._kit.clock.now(),
            channel_id=away,
        )
        is_first_try = await self._kit.store.sending(post) == post
        message_id = await self.place.post(part)
        self._kit.pacer.note_post(self.place.lane)
        await self._kit.store.sent(replace(post, platform_id=message_id))
        # An earlier try may have been made unheard; then that message is what Discord answers.
        known = (part.content, part.actions) if is_first_try else (None, None)
        self.shown.append(Shown(message_id, *known))

    async def edit(self, index: int, part: Outgoing) -> None:
        """Change one message."""
        shown = self.shown[index]
        await self.place.edit(shown.message_id, part)
        shown.content = shown.content if part.content is None else part.content
        shown.actions = shown.actions if part.actions is None else part.actions

    async def settle(self, rendered: Rendered, actions: tuple[Action, ...]) -> None:
        """Bring every message to its last state; what is right already is left alone."""
        last = len(rendered.parts) - 1
        for index, content in enumerate(rendered.parts):
            file = rendered.file if index == last else ""
            await self.settle_part(index, content, actions if index == last else (), file)
        await self.drop_from(last + 1)

    async def settle_part(
        self, index: int, content: str, actions: tuple[Action, ...], file: str | Card = ""
    ) -> None:
        """Bring one message to its last state."""
        if index >= len(self.shown):
            part = replace(self.new(index, content, *actions), file=file)
            await self._kit.pacer.send(Urgency.FIRST)
            await self._retry(lambda: self.post(index, part))
            if self.shown[index].content is not None:
                return
        shown = self.shown[index]
        part = Outgoing(
            turn_id=self._turn.turn_id,
            content=None if shown.content == content else content,
            actions=None if shown.actions == actions else actions,
            file=file,
        )
        if part.content is not None or part.actions is not None or file:
            await self._kit.pacer.edit(self.place.lane, Urgency.FINAL)
            await self._retry(lambda: self.edit(index, part))

    async def drop_from(self, index: int) -> None:
        """Take back the messages from this one on."""
        while len(self.shown) > index:
            shown = self.shown[-1]
            await self._kit.pacer.send(Urgency.FINAL)
            await self._retry(lambda: self.place.delete(shown.message_id))  # noqa: B023  # awaited here
            self.shown.pop()

    async def _retry(self, act: Callable[[], Awaitable[T]]) -> T:
        """Try again what may succeed in a moment; everything here may be repeated."""
        for attempt in range(TRIES):
            try:
                return await act()
            except FAILED as error:
                refusal = to_delivery_error(error)
                if isinstance(refusal, ArchivedError) and attempt == 0:
                    await self._reopen(refusal)
                elif not is_passing(error) or attempt == TRIES - 1:
                    raise refusal from error
                else:
                    await asyncio.sleep(2**attempt)
        raise AssertionError("unreachable")

    async def _reopen(self, refusal: DeliveryError) -> None:
        try:
            await self.place.reopen()
        except FAILED as error:
            raise refusal from error
