"""Delivers answers to the pages that watch them: each page follows at its own pace.

Nothing is queued for a page. What was written so far is kept while the turn runs, and a page that
falls behind, or comes anew, is shown the text as it stands. A turn that runs in another process,
or is over, is followed in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import WeakValueDictionary

from bot.endings import STOPPED_NOTE, failed
from bot.replies import Notice, Reply
from bot.turns import Turn, TurnStatus

POLL_S = 1.0
"""How often a turn is looked up in the store while nothing is heard of it."""


class Turns(Protocol):
    """What is asked of the store."""

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchProgress:
    """A further message of a turn as it stands: a step of a debate, a voice of an ensemble."""

    name: str
    label: str
    text: str = ""
    reply: Reply | None = None
    notice: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.reply is not None or bool(self.notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A turn as a page should show it now."""

    attempt: int = 0
    """Changes when the answer begins anew, after a crash."""
    status: str = ""
    text: str = ""
    branches: tuple[BranchProgress, ...] = ()
    """In the order in which they began."""
    ended: Turn | None = None
    """The turn with its reply or notice, once it is over; then nothing more comes."""


class Live:
    """One turn while it is written: what there is so far, and who waits for more."""

    def __init__(self) -> None:
        self.now = Progress()
        self._changed = asyncio.Event()

    def set(self, progress: Progress) -> None:
        """Show this from now on, and wake who waits."""
        self.now = progress
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed(self, since: Progress, timeout_s: float) -> None:
        """Wait until there is something newer than `since`, or the time is up."""
        if self.now is not since:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return


class WebSink:
    """Takes one reply; every page that watches the turn sees it."""

    def __init__(self, turn: Turn, live: Live) -> None:
        self._turn = turn
        self._live = live
        live.set(Progress(attempt=live.now.attempt + 1))

    def status(self, text: str) -> None:
        """Show what is going on."""
        self._live.set(replace(self._live.now, status=text))

    def append(self, text: str) -> None:
        """Show more of the answer."""
        self._live.set(replace(self._live.now, text=self._live.now.text + text))

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> WebBranch:
        """A further message of the turn; a page has room for all of it."""
        return WebBranch(BranchProgress(name=name, label=label), self._live)

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer."""
        is_stopped = STOPPED_NOTE in reply.notes
        status = TurnStatus.CANCELLED if is_stopped else TurnStatus.DONE
        self._end(replace(self._turn, status=status, reply=reply))

    async def fail(self, notice: Notice) -> None:
        """Show a notice in place of an answer."""
        self._end(failed(self._turn, notice.text, is_refused=notice.is_refusal))

    async def close(self) -> None:
        """Whoever watches sees the end in the store."""

    def _end(self, turn: Turn) -> None:
        text = turn.reply.text if turn.reply else self._live.now.text
        self._live.set(replace(self._live.now, text=text, ended=turn))


class WebBranch:
    """Takes a further message of a turn."""

    def __init__(self, begun: BranchProgress, live: Live) -> None:
        self._now = begun
        self._live = live
        live.set(replace(live.now, branches=(*live.now.branches, begun)))

    def status(self, text: str) -> None:
        """The answer itself shows what is going on."""

    def append(self, text: str) -> None:
        """Show more of it."""
        self._set(replace(self._now, text=self._now.text + text))

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> WebBranch:
        """A further message beside it."""
        return WebBranch(BranchProgress(name=name, label=label), self._live)

    async def finish(self, reply: Reply) -> None:
        """Show the whole of it."""
        self._set(replace(self._now, text=reply.text, reply=reply))

    async def fail(self, notice: Notice) -> None:
        """Show a notice in its place."""
        self._set(replace(self._now, notice=notice.text))

    async def close(self) -> None:
        """Its text so far stays until the answer has ended."""

    def _set(self, now: BranchProgress) -> None:
        self._now = now
        branches = (now if b.name == now.name else b for b in self._live.now.branches)
        self._live.set(replace(self._live.now, branches=tuple(branches)))


class WebDelivery:
    """Opens sinks for the web page, and lets pages watch what they take."""

    def __init__(self) -> None:
        self._lives: WeakValueDictionary[str, Live] = WeakValueDictionary()
        self._is_closed = False

    async def open(self, turn: Turn) -> WebSink:
        """A sink for this turn; pages that wait for it see that it has begun."""
        return WebSink(turn, self._live(turn.turn_id))

    def hold(self, turn_id: str) -> Live:
        """What a turn shows, for as long as the caller has it.

        Who has it before the turn begins can't miss its end, not even that of `forget`, which is
        kept nowhere.
        """
        return self._live(turn_id)

    async def watch(self, turn_id: str, turns: Turns) -> AsyncIterator[Progress]:
        """The turn as it stands, then again after each change, up to its end.

        A slow reader misses steps in between, never the end. After a while without a change the
        same progress comes once more, so that the connection shows life.
        """
        live = self._live(turn_id)
        seen = live.now
        if seen.ended is None and (kept := await _ended(turns, turn_id)):
            yield kept
            return
        yield seen
        while seen.ended is None and not self._is_closed:
            await live.changed(seen, POLL_S)
            if live.now is seen and (kept := await _ended(turns, turn_id)):
                yield kept
                return
            seen = live.now
            yield seen

    def close(self) -> None:
        """End every watch, so that the server can stop; the turns themselves go on."""
        self._is_closed = True
        for live in list(self._lives.values()):
            live.set(replace(live.now))

    def _live(self, turn_id: str) -> Live:
        return self._lives.setdefault(turn_id, Live())


async def _ended(turns: Turns, turn_id: str) -> Progress | None:
    """What the store has, when the turn is over or unknown there."""
    turn = await turns.turn(turn_id)
    if turn is None:
        return Progress()
    if not turn.status.is_over:
        return None
    return Progress(ended=turn, text=turn.reply.text if turn.reply else "")
