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

from adapters.discord.errors import (
    FAILED,
    BlockedError,
    ForbiddenHereError,
    GoneError,
    is_passing,
    to_delivery_error,
)
from adapters.discord.pacing import Urgency
from adapters.discord.places import FOLLOWUPS, Outgoing
from adapters.discord.posted import Kit, Posted
from adapters.discord.rendering import (
    Rendered,
    to_brief,
    to_finished,
    to_finished_brief,
    to_notice,
    to_preview,
)
from adapters.discord.threads import Arrival
from bot.errors import BotError, DeliveryError
from bot.replies import Action, Notice, Reply
from bot.turns import Turn

FIRST_WORDS_S = 0.5
TYPING_EVERY_S = 8.0
LONGEST_STREAM_S = 30 * 60.0
_SENTENCE = re.compile(r"[.!?…:。！？]\s|\n")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What a further message of a turn is: its name, its heading, and whether it is brief."""

    name: str
    label: str
    is_brief: bool = False


class DiscordSink:
    """Takes one answer; `open` starts its work, `finish` or `fail` ends it."""

    def __init__(
        self,
        turn: Turn,
        kit: Kit,
        arrive: Callable[[], Awaitable[Arrival]],
        branch: Branch | None = None,
    ) -> None:
        """`branch` makes it a further message beside the answer itself."""
        self.turn = turn
        self._is_brief = branch is not None and branch.is_brief
        self._label = f"**{branch.label}**\n" if branch else ""
        self._branches: list[DiscordSink] = []
        self._arrived = asyncio.Event()
        self.is_withdrawn = False
        self._kit = kit
        self._posted = Posted(turn, kit, branch.name if branch else "")
        self._arrive = arrive
        self._text = ""
        self._is_told = False
        self._is_over = False
        self._changed = asyncio.Event()
        self._readable = asyncio.Event()
        self._in_flight: asyncio.Future[None] | None = None
        self._refusal: BotError | None = None
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
        if not self._readable.is_set() and _SENTENCE.search(self._text):
            self._readable.set()

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> DiscordSink:
        """A further message of the turn, in the same place."""
        about = Branch(name=name, label=label, is_brief=is_brief)
        sink = DiscordSink(self.turn, self._kit, self._arrival, about)
        self._branches.append(sink)
        return sink

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer exactly, or take it back if its prompt was deleted."""
        await self._conclude(lambda: self._finished(reply), reply.actions)

    async def fail(self, notice: Notice) -> None:
        """Show a notice in place of an answer."""
        await self._conclude(lambda: to_notice(notice), notice.actions)

    async def close(self) -> None:
        """Stop writing without an end: somebody else will go on with it."""
        for branch in self._branches:
            await branch.close()
        await self._end_work()

    async def _conclude(self, render: Callable[[], Rendered], actions: tuple[Action, ...]) -> None:
        """The prompt may be deleted before the end is shown, and while it is."""
        await self._end_work()
        if not self.is_withdrawn:
            await self._prepare()
            await self._settle(render(), actions)
        if self.is_withdrawn:
            await self._take_back()

    async def _arrival(self) -> Arrival:
        """Where the branches go: where the answer itself goes, once that is known."""
        await self._arrived.wait()
        if not self._posted.has_place:
            raise self._refusal or DeliveryError()
        if self._posted.place.most_parts <= FOLLOWUPS + 1:
            raise DeliveryError("There is room for the answer only, so its steps are not shown.")
        return Arrival(place=self._posted.place)

    def _finished(self, reply: Reply) -> Rendered:
        style = self._posted.settings.footer
        reply = replace(reply, notes=(*self._posted.notes, *reply.notes))
        if self._is_brief:
            return to_finished_brief(reply, self._label, style)
        reply = replace(reply, text=f"{self._label}{reply.text}")
        return to_finished(reply, style, self._posted.most_parts)

    async def _end_work(self) -> None:
        """Stop the previews; a request under way is seen through."""
        self._is_over = True
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        if isinstance(ended, Exception):
            logger.error("previews failed", extra=self._facts, exc_info=ended)
        if self._in_flight is not None:
            await asyncio.gather(self._in_flight, return_exceptions=True)

    @property
    def _facts(self) -> dict[str, str]:
        return {"turn_id": self.turn.turn_id}

    async def _work(self) -> None:
        try:
            with self._kit.pacer.streaming():
                async with asyncio.timeout(LONGEST_STREAM_S):
                    await self._stream()
        except TimeoutError:
            logger.warning("a stream has no end", extra=self._facts)
        except BotError as error:
            self._refusal = error
            facts = {**self._facts, "error": type(error).__name__}
            logger.warning("an answer could not be shown so far", extra=facts)
            if isinstance(error, ForbiddenHereError):
                await self._tell_forbidden()

    async def _stream(self) -> None:
        try:
            await self._see_through(self._posted.begin(self._arrive))
        finally:
            self._arrived.set()
        typing = asyncio.create_task(self._keep_typing())
        try:
            # What was shown before a crash is longer than what has come since: leave it.
            await (asyncio.Event() if self._posted.shown else self._changed).wait()
            # Not wait_for: in Python 3.11 it may swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_WORDS_S):
                    await self._readable.wait()
            while not self._is_over:
                await self._changed.wait()
                self._changed.clear()
                await self._show_next()
                typing.cancel()
        finally:
            typing.cancel()

    async def _keep_typing(self) -> None:
        """Show that somebody types; for its branches, the answer's own sink does."""
        while not self._label:
            await self._kit.pacer.send(Urgency.TYPING)
            with contextlib.suppress(*FAILED):
                await self._posted.place.type()
            await asyncio.sleep(TYPING_EVERY_S)

    async def _show_next(self) -> None:
        """Post or edit the first part that is not up to date."""
        stale = self._first_stale()
        if stale is None:
            return
        is_new = stale[0] == len(self._posted.shown)
        if is_new:
            await self._kit.pacer.send(Urgency.FIRST)
        else:
            await self._kit.pacer.edit(self._posted.place.lane, Urgency.PREVIEW)
        # The text may have grown while we waited: show what it is now.
        index, content = self._first_stale() or stale
        if (index == len(self._posted.shown)) == is_new:
            await self._see_through(self._show(index, content))
        if self._first_stale() is not None:
            self._changed.set()

    async def _show(self, index: int, content: str) -> None:
        if index == len(self._posted.shown):
            await self._posted.post(index, self._posted.new(index, content, Action.STOP))
        else:
            await self._posted.edit(index, Outgoing(turn_id=self.turn.turn_id, content=content))

    def _first_stale(self) -> tuple[int, str] | None:
        text = to_brief(self._text) if self._is_brief else self._text
        parts = to_preview(f"{self._label}{text}", self._posted.most_parts)
        for index, content in enumerate(parts):
            if index >= len(self._posted.shown) or self._posted.shown[index].content != content:
                return index, content
        return None

    async def _see_through(self, request: Awaitable[None]) -> None:
        """Do something that is not broken off half-way, even when the previews are."""
        self._in_flight = asyncio.ensure_future(request)
        try:
            await asyncio.shield(self._in_flight)
        except FAILED as error:
            if not is_passing(error):
                raise to_delivery_error(error) from error
            self._changed.set()

    async def _prepare(self) -> None:
        """Be where the answer goes; a place that refused for good is not asked again."""
        if isinstance(self._refusal, GoneError | ForbiddenHereError):
            raise self._refusal
        if not self._posted.has_place:
            await self._posted.begin(self._arrive)

    async def _settle(self, rendered: Rendered, actions: tuple[Action, ...]) -> None:
        try:
            await self._posted.settle(rendered, actions)
        except BlockedError as error:
            await self._posted.settle_part(0, str(error), (Action.AGAIN,))
            await self._posted.drop_from(1)
        except ForbiddenHereError:
            await self._tell_forbidden()
            raise

    async def _tell_forbidden(self) -> None:
        """Tell the person elsewhere why there is no answer; once."""
        if self._posted.has_place and not self._is_told:
            self._is_told = True
            await self._kit.tell_forbidden(self.turn, self._posted.place.channel_id)

    async def _take_back(self) -> None:
        """The prompt was deleted: so is what was written of its answer."""
        with contextlib.suppress(DeliveryError):
            for posted in (self._posted, *(branch._posted for branch in self._branches)):
                await posted.drop_from(0)
