"""What the engine does now and then: take over dead processes' work, restore, sweep, purge."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.exc import DBAPIError

from adapters.engine.ownership import Ownership
from bot.errors import StoreError
from bot.ports import Clock
from bot.turns import Turn
from storage import SqlStore

if TYPE_CHECKING:
    from adapters.engine.workflows import Workflows

TAKE_OVER_EVERY_S = 1.0
RESTORE_EVERY_S = 60.0
SWEEP_EVERY_S = 3_600.0
KEEP_ROWS = timedelta(days=1)
LOSSES = (StoreError, DBAPIError, psycopg.Error, TimeoutError)
"""What the store, DBOS and our own connections raise when the database is gone."""
logger = logging.getLogger(__name__)


class Upkeep:
    """One loop that does each thing in its time and outlives whatever fails in one of them."""

    def __init__(
        self,
        store: SqlStore,
        workflows: Workflows,
        ownership: Ownership,
        clock: Clock,
        runs_here: Callable[[Turn], bool],
        running: Callable[[], Collection[str]],
    ) -> None:
        """`running` are the turns that this process runs now."""
        self._store = store
        self._workflows = workflows
        self._ownership = ownership
        self._clock = clock
        self._runs_here = runs_here
        self._running = running
        self._astray: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Go on until cancelled."""
        restored_s = swept_s = self._clock.elapsed_s()
        while True:
            await asyncio.sleep(TAKE_OVER_EVERY_S)
            now_s = self._clock.elapsed_s()
            if self._ownership.is_shared:
                await _attempt(self._take_over)
            if now_s - restored_s >= RESTORE_EVERY_S:
                restored_s = now_s
                await _attempt(self.restore)
                await _attempt(self.find_astray)
            if now_s - swept_s >= SWEEP_EVERY_S:
                swept_s = now_s
                await _attempt(self._sweep)

    async def restore(self) -> None:
        """Queue turns that no workflow would run, such as those of a moved database."""
        turns = [turn for turn in await self._store.unfinished() if self._runs_here(turn)]
        if not turns:
            return
        lost = await self._workflows.without_workflow([turn.turn_id for turn in turns])
        for turn in turns:
            if turn.turn_id in lost and await self._is_unfinished(turn.turn_id):
                logger.warning("a turn had no place in the queue", extra={"turn_id": turn.turn_id})
                await self._workflows.requeue(turn, await self._store.number_of(turn))

    async def find_astray(self) -> None:
        """Queue again what is ours and does not run, twice in a row.

        Such as a turn whose commit took place while the connection was lost: it was never begun.
        """
        pending = await self._workflows.pending_of(self._ownership.executor_id)
        astray = pending.difference(self._running())
        if found := astray & self._astray:
            logger.warning(
                "turns had gone astray; they are queued again", extra={"turns": len(found)}
            )
            await self._workflows.queue_again(found)
        self._astray = astray

    async def _is_unfinished(self, turn_id: str) -> bool:
        """Whether it is still so: it may have ended while we looked."""
        turn = await self._store.turn(turn_id)
        return turn is not None and not turn.status.is_over

    async def _take_over(self) -> None:
        await self._ownership.renew()
        pending = await self._workflows.pending_elsewhere()
        try:
            for executor_id in await self._ownership.dead_among(sorted(pending)):
                count = await self._workflows.take_over(executor_id)
                logger.warning("a process died; its turns go on here", extra={"turns": count})
        finally:
            await self._ownership.release_dead()
        if pending:
            await self._workflows.claim()

    async def _sweep(self) -> None:
        now = self._clock.now()
        if count := await self._store.sweep():
            logger.warning("calls of ended turns were booked as lost", extra={"calls": count})
        await self._store.forget_expired(now)
        await self._workflows.purge(now - KEEP_ROWS)


async def _attempt(duty: Callable[[], Awaitable[None]]) -> None:
    """The edge of a duty: whatever goes wrong is logged, and it is tried again in its time."""
    try:
        await duty()
    except LOSSES as error:
        # Each second for as long as it is away, so in a line, without a trace.
        why = {"error": type(error).__name__, "reason": str(error.__cause__ or error)}
        logger.warning("the database is gone; trying again", extra=why)
    except Exception:
        logger.exception("what the engine does now and then failed")
