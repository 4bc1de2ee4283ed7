"""Runs turns in this very process, one after another: for the terminal, where nobody else waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.turns import Turn


class InlineQueue:
    """A queue of one conversation; `answer` runs a turn by its id."""

    def __init__(self, answer: Callable[[str], Awaitable[None]]) -> None:
        self._answer = answer
        self._running: dict[str, asyncio.Task[None]] = {}

    async def submit(self, turn: Turn) -> None:
        """Start a turn; `join` waits for it."""
        if turn.turn_id not in self._running:
            self._running[turn.turn_id] = asyncio.create_task(self._run(turn.turn_id))

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a running turn."""
        if task := self._running.get(turn_id):
            task.cancel()

    async def join(self) -> None:
        """Wait for every turn; raises what a turn could not deal with itself."""
        while self._running:
            turn_id, task = next(iter(self._running.items()))
            try:
                await task
            finally:
                self._running.pop(turn_id, None)

    async def _run(self, turn_id: str) -> None:
        await self._answer(turn_id)
