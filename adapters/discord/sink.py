"""One answer on its way to Discord: previews at the lane's pace, then the exact end.

Text is taken without waiting; a task of the sink's own writes to Discord, one request at a time,
always the latest text. So nothing older ever lands after something newer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from adapters.discord.errors import (
    FAILED,
    ArchivedError,
    BlockedError,
    ForbiddenHereError,
    GoneError,
    is_passing,
    to_delivery_error,
)
from adapters.discord.pacing import Pacer, Urgency
from adapters.discord.places import Outgoing, Place
from adapters.discord.rendering import Rendered, to_finished, to_notice, to_preview
from adapters.discord.threads import Arrival
from bot.errors import DeliveryError
from bot.ports import Clock, Post, Store
from bot.replies import Action, Notice, Reply
from bot.settings import Settings
from bot.turns import Turn

FIRST_WORDS_S = 0.5
TYPING_EVERY_S = 8.0
LONGEST_STREAM_S = 30 * 60.0
TRIES = 5
STALE_POST = timedelta(minutes=2)
_SENTENCE = re.compile(r"[.!?…:。！？]\s|\n")
logger = logging.getLogger(__name__)
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
class _Shown:
    """A message of this answer and what it says now; None when that is not known."""

    message_id: str
    content: str | None = None
    actions: tuple[Action, ...] | None = None


class DiscordSink:
    """Takes one answer; `open` starts its work, `finish` or `fail` ends it."""

    def __init__(self, turn: Turn, kit: Kit, arrive: Callable[[], Awaitable[Arrival]]) -> None:
        self.turn = turn
        self.is_withdrawn = False
        self._kit = kit
        self._arrive = arrive
        self._arrival: Arrival | None = None
        self._settings = Settings()
        self._text = ""
        self._shown: list[_Shown] = []
        self._is_resumed = False
        self._is_told = False
        self._is_over = False
        self._changed = asyncio.Event()
        self._readable = asyncio.Event()
        self._in_flight: asyncio.Future[None] | None = None
        self._refusal: DeliveryError | None = None
        self._task = asyncio.create_task(self._work())

    @property
    def is_ended(self) -> bool:
        """Whether nothing more comes."""
        return self._is_over

    def status(self, text: str) -> None:
        """The typing sign says enough; which model it is stands in the footer."""

    def append(self, text: str) -> None:
        """Show more of the answer as soon as the lane allows."""
        self._text += text
        self._changed.set()
        if _SENTENCE.search(self._text):
            self._readable.set()

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer exactly, or take it back if its prompt was deleted."""
        await self._end_work()
        if self.is_withdrawn:
            await self._take_back()
            return
        await self._prepare()
        await self._settle(self._finished(reply), reply.actions)

    async def fail(self, notice: Notice) -> None:
        """Show a notice in place of an answer."""
        await self._end_work()
        if self.is_withdrawn:
            await self._take_back()
            return
        await self._prepare()
        await self._settle(to_notice(notice), notice.actions)

    async def close(self) -> None:
        """Stop writing without an end: somebody else will go on with it."""
        await self._end_work()

    def _finished(self, reply: Reply) -> Rendered:
        notes = (*(self._arrival.notes if self._arrival else ()), *reply.notes)
        return to_finished(replace(reply, notes=notes), self._settings.footer, self._most_parts)

    @property
    def _most_parts(self) -> int:
        allowed = self._arrival.place.most_parts if self._arrival else self._settings.max_parts
        return min(allowed, self._settings.max_parts)

    async def _end_work(self) -> None:
        """Stop the previews; a request under way is seen through."""
        self._is_over = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._in_flight is not None:
            await asyncio.gather(self._in_flight, return_exceptions=True)

    async def _work(self) -> None:
        try:
            with self._kit.pacer.streaming():
                async with asyncio.timeout(LONGEST_STREAM_S):
                    await self._stream()
        except TimeoutError:
            logger.warning("a stream has no end", extra={"turn_id": self.turn.turn_id})
        except DeliveryError as error:
            self._refusal = error
            facts = {"turn_id": self.turn.turn_id, "error": type(error).__name__}
            logger.warning("an answer could not be shown so far", extra=facts)
            if isinstance(error, ForbiddenHereError):
                await self._tell_forbidden()

    async def _stream(self) -> None:
        await self._see_through(self._begin())
        typing = asyncio.create_task(self._keep_typing())
        try:
            # What was shown before a crash is longer than what has come since: leave it.
            await (asyncio.Event() if self._is_resumed else self._changed).wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._readable.wait(), FIRST_WORDS_S)
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._show_next()
                typing.cancel()
        finally:
            typing.cancel()

    async def _begin(self) -> None:
        """Find or open the place, and what was posted there before."""
        store = self._kit.store
        self._settings = await store.settings(self.turn.key)
        await self._kit.pacer.send(Urgency.FIRST)
        self._arrival = await self._retry(self._arrive)
        for post in await store.posts(self.turn.turn_id):
            found = post.platform_id or await self._lost(post)
            if found:
                self._shown.append(_Shown(found))
        self._is_resumed = bool(self._shown)

    async def _lost(self, post: Post) -> str:
        """The message of a post that was begun and perhaps made; a recent one is safe to repeat."""
        if self._kit.clock.now() - post.created_at < STALE_POST:
            return ""
        found = await self._kit.find_lost(post, self._place)
        if found:
            await self._kit.store.sent(replace(post, platform_id=found))
        return found

    @property
    def _place(self) -> Place:
        assert self._arrival is not None
        return self._arrival.place

    async def _keep_typing(self) -> None:
        while True:
            await self._kit.pacer.send(Urgency.TYPING)
            with contextlib.suppress(*FAILED):
                await self._place.type()
            await asyncio.sleep(TYPING_EVERY_S)

    async def _show_next(self) -> None:
        """Post or edit the first part that is not up to date."""
        stale = self._first_stale()
        if stale is None:
            return
        is_new = stale[0] == len(self._shown)
        if is_new:
            await self._kit.pacer.send(Urgency.FIRST)
        else:
            await self._kit.pacer.edit(self._place.lane, Urgency.PREVIEW)
        # The text may have grown while we waited: show what it is now.
        index, content = self._first_stale() or stale
        if (index == len(self._shown)) == is_new:
            await self._see_through(self._show(index, content))
        if self._first_stale() is not None:
            self._changed.set()

    async def _show(self, index: int, content: str) -> None:
        if index == len(self._shown):
            await self._post(index, self._outgoing(index, content, Action.STOP))
        else:
            await self._edit(index, Outgoing(turn_id=self.turn.turn_id, content=content))

    def _first_stale(self) -> tuple[int, str] | None:
        parts = to_preview(self._text, self._most_parts)
        for index, content in enumerate(parts):
            if index >= len(self._shown) or self._shown[index].content != content:
                return index, content
        return None

    def _outgoing(self, index: int, content: str, *actions: Action) -> Outgoing:
        """A new message; only the first carries the stop button, only the first makes a sound."""
        return Outgoing(
            turn_id=self.turn.turn_id,
            content=content,
            actions=() if index and Action.STOP in actions else actions,
            nonce=self._kit.nonce_of(f"{self.turn.turn_id}:p{index}"),
            is_silent=index > 0,
        )

    async def _see_through(self, request: Awaitable[None]) -> None:
        """Do something that is not broken off half-way, even when the previews are."""
        self._in_flight = asyncio.ensure_future(request)
        try:
            await asyncio.shield(self._in_flight)
        except FAILED as error:
            if not is_passing(error):
                raise to_delivery_error(error) from error
            self._changed.set()

    async def _post(self, index: int, part: Outgoing) -> None:
        """Keep the intent, post, keep the id: twice the same is once."""
        channel_id = self._place.channel_id
        away = channel_id if channel_id != self.turn.key.thread_id else ""
        post = Post(
            post_id=f"{self.turn.turn_id}:p{index}",
            turn_id=self.turn.turn_id,
            created_at=self._kit.clock.now(),
            channel_id=away,
        )
        await self._kit.store.sending(post)
        message_id = await self._place.post(part)
        self._kit.pacer.note_post(self._place.lane)
        await self._kit.store.sent(replace(post, platform_id=message_id))
        self._shown.append(_Shown(message_id, part.content, part.actions))

    async def _edit(self, index: int, part: Outgoing) -> None:
        shown = self._shown[index]
        await self._place.edit(shown.message_id, part)
        shown.content = shown.content if part.content is None else part.content
        shown.actions = shown.actions if part.actions is None else part.actions

    async def _prepare(self) -> None:
        """Be where the answer goes; a place that refused for good is not asked again."""
        if isinstance(self._refusal, GoneError | ForbiddenHereError):
            raise self._refusal
        if self._arrival is None:
            await self._begin()

    async def _settle(self, rendered: Rendered, actions: tuple[Action, ...]) -> None:
        """Bring every message to its last state; what is right already is left alone."""
        try:
            await self._settle_parts(rendered, actions)
        except BlockedError as error:
            await self._settle_part(0, str(error), (Action.AGAIN,), "")
            await self._drop_from(1)
        except ForbiddenHereError:
            await self._tell_forbidden()
            raise

    async def _settle_parts(self, rendered: Rendered, actions: tuple[Action, ...]) -> None:
        last = len(rendered.parts) - 1
        for index, content in enumerate(rendered.parts):
            file = rendered.file if index == last else ""
            await self._settle_part(index, content, actions if index == last else (), file)
        await self._drop_from(last + 1)

    async def _settle_part(
        self, index: int, content: str, actions: tuple[Action, ...], file: str
    ) -> None:
        if index >= len(self._shown):
            part = replace(self._outgoing(index, content, *actions), file=file)
            await self._kit.pacer.send(Urgency.FIRST)
            await self._retry(lambda: self._post(index, part))
            return
        shown = self._shown[index]
        part = Outgoing(
            turn_id=self.turn.turn_id,
            content=None if shown.content == content else content,
            actions=None if shown.actions == actions else actions,
            file=file,
        )
        if part.content is not None or part.actions is not None or file:
            await self._kit.pacer.edit(self._place.lane, Urgency.FINAL)
            await self._retry(lambda: self._edit(index, part))

    async def _tell_forbidden(self) -> None:
        """Tell the person elsewhere why there is no answer; once."""
        if self._arrival is not None and not self._is_told:
            self._is_told = True
            await self._kit.tell_forbidden(self.turn, self._place.channel_id)

    async def _take_back(self) -> None:
        """The prompt was deleted: so is what was written of its answer."""
        with contextlib.suppress(DeliveryError):
            await self._drop_from(0)

    async def _drop_from(self, index: int) -> None:
        while len(self._shown) > index:
            shown = self._shown[-1]
            await self._kit.pacer.send(Urgency.FINAL)
            await self._retry(lambda: self._place.delete(shown.message_id))  # noqa: B023  # awaited here
            self._shown.pop()

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
            await self._place.reopen()
        except FAILED as error:
            raise refusal from error
