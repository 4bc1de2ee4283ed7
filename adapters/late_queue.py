"""A queue that is opened after the page is shown: what comes before that waits."""

from __future__ import annotations

import asyncio

from bot.errors import StoreError
from bot.ports import Queue
from bot.turns import Turn


class LateQueue:
    """Hands on to another queue, as soon as there is one."""

    def __init__(self) -> None:
        self._opened: asyncio.Future[Queue] = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        """Whether what comes now is handed on at once."""
        return self._opened.done() and self._opened.exception() is None

    def open(self, queue: Queue) -> None:
        """From now on, this is the queue."""
        self._opened.set_result(queue)

    def close(self) -> None:
        """There will be none any more: whoever waits is told so."""
        if not self._opened.done():
            self._opened.set_exception(StoreError("Parley is stopping. Please ask again later."))
            self._opened.exception()  # seen: nobody has to wait for it

    async def until_open(self) -> Queue:
        """Wait for the queue; raises StoreError when it was closed before it was there."""
        return await asyncio.shield(self._opened)

    async def submit(self, turn: Turn) -> None:
        """Put a turn in."""
        await (await self.until_open()).submit(turn)

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn that was asked to stop."""
        await (await self.until_open()).cancel(turn_id)
