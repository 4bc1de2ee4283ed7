"""What must be there before this process can answer: each check says in words what is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.parts import Deliveries
from bot.errors import StoreError

Check = Callable[[], Awaitable[str]]


class Pinged(Protocol):
    """A store that can be asked whether it answers."""

    async def ping(self) -> None:
        """Raises StoreError when the database does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The checks behind `/readyz`. What they say names no secret and no address."""

    store: Pinged
    is_queue_open: Callable[[], bool]
    models_missing: Callable[[], str]
    deliveries: Deliveries
    platforms: Sequence[str]
    """The chat platforms that this process is to serve."""

    def checks(self) -> dict[str, Check]:
        """Every check by its name."""
        platforms = {name: self._platform(name) for name in self.platforms}
        return {
            "database": self._database,
            "queue": self._queue,
            "models": self._models,
            **platforms,
        }

    async def _database(self) -> str:
        try:
            await self.store.ping()
        except StoreError:
            return "the database does not answer"
        return ""

    async def _queue(self) -> str:
        return "" if self.is_queue_open() else "the queue has not started"

    async def _models(self) -> str:
        return self.models_missing()

    def _platform(self, name: str) -> Check:
        async def check() -> str:
            return "" if self.deliveries.is_connected(name) else "not connected"

        return check
