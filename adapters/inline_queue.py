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
        self._begun: set[str] = set()
        self._last: dict[ConversationKey, asyncio.Task[None]] = {}

    async def submit(self, turn: Turn) -> None:
        """Start a turn once those before it in its conversation are over."""
        if turn.turn_id in self._running:
            return
        task = asyncio.create_task(self._run(turn.turn_id, self._last.get(turn.key)))
        self._running[turn.turn_id] = self._last[turn.key] = task
        task.add_done_callback(lambda _: self._forget(turn, task))

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn; one that has not begun sees for itself that it is to stop."""
        if turn_id in self._begun:
            self._running[turn_id].cancel()

    async def join(self) -> None:
        """Wait for every turn; raises what a turn could not deal with itself."""
        while self._running:
            await asyncio.gather(*self._running.values())

    async def _run(self, turn_id: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._begun.add(turn_id)
        await self._answer(turn_id)

    def _forget(self, turn: Turn, task: asyncio.Task[None]) -> None:
        self._running.pop(turn.turn_id, None)
        self._begun.discard(turn.turn_id)
        if self._last.get(turn.key) is task:
            del self._last[turn.key]
