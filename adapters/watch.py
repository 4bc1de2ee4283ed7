"""Looks now and then at what waits, what is stuck, and how late the event loop is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.metrics import Metrics
from bot.errors import StoreError
from bot.ports import Clock
from storage import SqlStore

BACKLOG_EVERY_S = 15.0
LAG_EVERY_S = 0.5
logger = logging.getLogger(__name__)


@asynccontextmanager
async def watching(store: SqlStore, metrics: Metrics, clock: Clock) -> AsyncIterator[None]:
    """Watch for as long as the context lasts."""
    tasks = [
        asyncio.create_task(_watch_backlog(store, metrics, clock), name="watch backlog"),
        asyncio.create_task(_watch_loop(metrics, clock), name="watch loop"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _watch_backlog(store: SqlStore, metrics: Metrics, clock: Clock) -> None:
    alarmed: frozenset[str] = frozenset()
    while True:
        try:
            backlog = await store.backlog(clock.now())
        except StoreError:
            logger.warning("the store is gone, so its backlog is not known")
        else:
            metrics.backlog(backlog)
            for turn_id in sorted(frozenset(backlog.stuck) - alarmed):
                logger.error("a turn is stuck", extra={"turn_id": turn_id})
            alarmed = frozenset(backlog.stuck)
        await asyncio.sleep(BACKLOG_EVERY_S)


async def _watch_loop(metrics: Metrics, clock: Clock) -> None:
    while True:
        before_s = clock.elapsed_s()
        await asyncio.sleep(LAG_EVERY_S)
        metrics.loop_lag(clock.elapsed_s() - before_s - LAG_EVERY_S)
