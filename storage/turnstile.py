"""Lets only so many write at a time, the urgent before the others."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Turnstile:
    """A semaphore with two queues: who waits urgently goes first, each in order of arrival."""

    def __init__(self, places: int) -> None:
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._arrivals = count()
        self._free = places
        self.urgent = 0
        """How many are in or wait urgently."""
        self._calm = asyncio.Event()

    async def until_calm(self) -> None:
        """Wait until nobody is in or waits urgently."""
        while self.urgent:
            self._calm.clear()
            await self._calm.wait()

    @asynccontextmanager
    async def pass_through(self, *, is_urgent: bool) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it."""
        self.urgent += is_urgent
        try:
            await self._enter(is_urgent)
            try:
                yield
            finally:
                self._leave()
        finally:
            self.urgent -= is_urgent
            if not self.urgent:
                self._calm.set()

    async def _enter(self, is_urgent: bool) -> None:
        if self._free:
            self._free -= 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not is_urgent, next(self._arrivals), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
