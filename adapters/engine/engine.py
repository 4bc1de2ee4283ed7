"""The queue of turns: in order within a conversation, at once across them, whatever dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType

from sqlalchemy import Connection

from adapters.engine.bell import Bell
from adapters.engine.ownership import ownership_of
from adapters.engine.upkeep import LOSSES, Upkeep
from bot.errors import BotError, StoreError
from bot.ports import Clock
from bot.turns import Turn
from storage import Place, SqlStore

STOP_LIMIT_S = 20.0
"""How long running turns may take to end when the process is told to stop."""
TURN_LIMIT_S = 1_800.0
"""How long one run of a turn may take at all."""
MAX_FAILURES = 6
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_AFTER_END_S = 0.02
_RUSH_S = 1.0
_GIVEN_UP = "I could not finish this answer, although I tried several times. Please ask again."
_LOST = "The database was lost while Parley started. Start Parley again once it is back."
logger = logging.getLogger(__name__)

Answer = Callable[[str], Awaitable[None]]


class DurableEngine:
    """Runs turns that the store has accepted; use it as `async with`."""

    def __init__(
        self,
        store: SqlStore,
        answer: Answer,
        clock: Clock,
        *,
        runs_here: Callable[[Turn], bool] = lambda _turn: True,
        stop_limit_s: float = STOP_LIMIT_S,
    ) -> None:
        """`answer` runs a turn by its id; `runs_here` says which turns are this program's."""
        self._store = store
        self._answer = answer
        self._clock = clock
        self._runs_here = runs_here
        self._stop_limit_s = stop_limit_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()
        self._tokens: dict[str, str] = {}
        """For each turn that was begun as it was accepted: what shows that it is ours."""
        self._begun: set[asyncio.Task[None]] = set()
        self._may_begin = self._is_stopping = False
        self._claiming: asyncio.Task[None] | None = None
        self._is_claim_wanted = False
        self._open = AsyncExitStack()

    async def __aenter__(self) -> DurableEngine:
        """Own this process's work, take up what was left, and go on from there.

        Raises ConfigurationError when another process has it, StoreError without a database.
        """
        try:
            await self._begin_all()
        except BaseException as error:
            await self._open.aclose()
            if isinstance(error, LOSSES):
                raise StoreError(_LOST) from error
            raise
        return self

    async def _begin_all(self) -> None:
        from adapters.engine.workflows import Workflows  # DBOS takes more than a second to import

        self._ownership = ownership = ownership_of(self._store.url)
        await ownership.take()
        self._open.push_async_callback(ownership.release)
        self._workflows = Workflows(self._store.url, ownership.executor_id, self._run)
        self._store.line = self
        await self._workflows.launch()
        self._may_begin = True
        self._open.push_async_callback(self._workflows.stop)
        upkeep = Upkeep(
            self._store,
            self._workflows,
            ownership,
            self._clock,
            self._runs_here,
            running=lambda: self._running,
        )
        await upkeep.restore()
        self._start(upkeep.run())
        self._start(self._watch_stops())
        if ownership.is_shared:
            self._start(Bell(self._store.url).hear(self._nudge))
        self._nudge()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let running turns end within the limit, park the others, and let go."""
        self._is_stopping, self._may_begin = True, False
        try:
            if self._running:
                await asyncio.wait(self._running.values(), timeout=self._stop_limit_s)
            parked = list(self._running.values())
            for task in parked:
                task.cancel()
            if parked:
                logger.info("turns were parked for the next start", extra={"turns": len(parked)})
                await asyncio.wait(parked, timeout=self._stop_limit_s)
            if self._begun:
                await asyncio.wait(self._begun, timeout=self._stop_limit_s)
        finally:
            self._store.line = None  # what comes now is found and queued at the next start
            await self._open.aclose()

    async def submit(self, turn: Turn) -> None:
        """Look at the queue, unless the turn has begun as it was accepted."""
        if turn.turn_id not in self._tokens:
            self._nudge()

    def join(self, connection: Connection, turn: Turn, place: Place) -> Callable[[], None]:
        """Give a turn its place; one that nobody stands before is begun here once it is kept."""
        entrance = self._workflows.entrance
        if not (place.is_first and self._may_begin and self._runs_here(turn)):
            entrance.join(connection, turn, place)
            return self._nudge
        token = entrance.join_running(connection, turn, place, self._workflows.executor_id)
        return partial(self._begin, turn, token)

    def leave(self, connection: Connection, turn_id: str) -> None:
        """Take out a turn that was begun as it was accepted; of others the queue keeps the end."""
        token = self._tokens.get(turn_id)
        if token is not None:
            self._workflows.entrance.leave_running(connection, turn_id, token)

    def _begin(self, turn: Turn, token: str) -> None:
        """Run a turn that was just kept; one that is not begun now is found at the next start."""
        if not self._may_begin:
            return
        self._tokens[turn.turn_id] = token
        task = asyncio.create_task(self._run_begun(turn))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _run_begun(self, turn: Turn) -> None:
        try:
            await self._let_messages_in()
            await self._hold(turn.turn_id)
        finally:
            del self._tokens[turn.turn_id]
        try:
            if await self._store.going(turn.key):
                self._nudge()
        except StoreError:
            logger.warning("the store is gone, so the queue waits until it is looked at")

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn that was asked to stop; another process sees it within a second."""
        task = self._running.get(turn_id)
        if task is not None and turn_id not in self._stopped:
            self._stopped.add(turn_id)  # once: it is keeping what it has while it stops
            task.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)

        async def end() -> None:
            task.cancel()
            await asyncio.wait({task})

        self._open.push_async_callback(end)

    def _nudge(self) -> None:
        """Have the queue looked at now; many wishes at once are one look."""
        self._is_claim_wanted = True
        if not self._is_stopping and (self._claiming is None or self._claiming.done()):
            self._claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        while self._is_claim_wanted and not self._is_stopping:
            await self._let_messages_in()
            self._is_claim_wanted = False
            await self._workflows.claim()

    async def _let_messages_in(self) -> None:
        """In a rush, messages are accepted first: platforms wait for that, and not for long."""
        if self._store.is_accepting:
            with suppress(TimeoutError):
                async with asyncio.timeout(_RUSH_S):
                    await self._store.until_calm()

    async def _run(self, turn_id: str) -> None:
        """What a workflow does."""
        try:
            await self._hold(turn_id)
        finally:
            # The workflow's end is written just after this; then the next one may begin.
            asyncio.get_running_loop().call_later(_AFTER_END_S, self._nudge)

    async def _hold(self, turn_id: str) -> None:
        """Answer a turn. When this is cancelled its row stays, for whoever comes next."""
        if self._is_stopping:
            raise asyncio.CancelledError
        task = asyncio.create_task(self._until_ended(turn_id))
        self._running[turn_id] = task
        try:
            await task
        finally:
            del self._running[turn_id]
            self._stopped.discard(turn_id)

    async def _until_ended(self, turn_id: str) -> None:
        """Answer, and again after a pause when that fails, for as long as there is hope."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(TURN_LIMIT_S):
                    await self._answer(turn_id)
                return
            except asyncio.CancelledError:
                if self._is_stopping or not await self._store.is_stopped(turn_id):
                    raise
                continue  # it was asked to stop before it could hear: it hears now
            except StoreError as error:  # each turn says so each second: without its trace
                cause = str(error.__cause__ or error).partition("\n")[0]
                facts = {"turn_id": turn_id, "cause": cause}
                logger.warning("the store is gone", extra=facts)
            except BotError:
                failures += 1
                logger.warning("a turn failed", extra={"turn_id": turn_id}, exc_info=True)
            except Exception:  # the edge of a turn: it is logged and tried again
                failures += 1
                logger.exception("a turn failed", extra={"turn_id": turn_id})
            if failures >= MAX_FAILURES:
                await self._give_up(turn_id)
                return
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])

    async def _give_up(self, turn_id: str) -> None:
        """Keep a turn as failed when not even its failure could be shown."""
        await self._store.give_up(turn_id, _GIVEN_UP, self._clock.now())

    async def _watch_stops(self) -> None:
        """Hear of stops that were asked for in another process, while something runs."""
        while True:
            await asyncio.sleep(1.0)
            if not self._running:
                continue
            try:
                stopped = await self._store.stopped(tuple(self._running))
            except StoreError:
                logger.warning("the store is gone, so stops are not heard")
                continue
            for turn_id in stopped:
                await self.cancel(turn_id)
