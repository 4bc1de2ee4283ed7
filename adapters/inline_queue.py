"""Runs turns in this very process: in order within a conversation, at once across conversations.

For the terminal, where nobody else waits and nothing is taken up again after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.messages import ConversationKey
from bot.turns import Turn


class InlineQueue:
    """A queue in memory; `answer` runs a turn by its id."""

    def __init__(self, answer: Callable[[str], Awaitable[None]]) -> None:
        self._answer = answer
        self._running: dict[str, asyncio.Task[None]] = {}
        self._last: dict[ConversationKey, asyncio.Task[None]] = {}

    async def submit(self, turn: Turn) -> None:
        """Start a turn once those before it in its conversation are over."""
        if turn.turn_id in self._running:
            return
        task = asyncio.create_task(self._run(turn.turn_id, self._last.get(turn.key)))
        self._running[turn.turn_id] = self._last[turn.key] = task
        task.add_done_callback(lambda _: self._forget(turn, task))

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn."""
        if task := self._running.get(turn_id):
            task.cancel()

    async def join(self) -> None:
        """Wait for every turn; raises what a turn could not deal with itself."""
        while self._running:
            await asyncio.gather(*self._running.values())

    async def _run(self, turn_id: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self._answer(turn_id)

    def _forget(self, turn: Turn, task: asyncio.Task[None]) -> None:
        self._running.pop(turn.turn_id, None)
        if self._last.get(turn.key) is task:
            del self._last[turn.key]
