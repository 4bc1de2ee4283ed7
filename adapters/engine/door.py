"""The queue for a process that hears people and does not answer: it puts turns in for others."""

from __future__ import annotations

import asyncio
from types import TracebackType

from adapters.engine.bell import Bell
from bot.turns import Turn
from storage import SqlStore


class QueueDoor:
    """Takes turns in that the workers on the same PostgreSQL run; use it as `async with`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._bell = Bell(store.url)

    async def __aenter__(self) -> QueueDoor:
        """From now on, what the store accepts is queued in the same commit."""
        # DBOS takes more than a second to import, which the page does not wait for.
        from adapters.engine.workflows import Entrance, make_tables

        await asyncio.to_thread(make_tables, self._store.url)
        self._entrance = Entrance(self._store.url)
        self._store.line = self._entrance
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take nothing in any more."""
        self._store.line = None
        await self._bell.close()
        self._entrance.close()

    async def submit(self, turn: Turn) -> None:
        """Tell the workers that there is something to do."""
        self._bell.ring()

    async def cancel(self, turn_id: str) -> None:
        """Nothing runs here; whoever runs it looks each second whether it is to stop."""
