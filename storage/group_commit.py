"""One commit for many: whoever wants to write while another writes shares the next transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 50
"""How many share a transaction: the others of a crowd should not wait for too long."""

_T = TypeVar("_T")
Work = Callable[[AsyncConnection], Awaitable[_T]]
_Asked = tuple[Work[Any], asyncio.Future[Any]]


class GroupCommit:
    """Does pieces of work in the order in which they come; each succeeds or fails by itself."""

    def __init__(
        self, transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]]
    ) -> None:
        self._transaction = transaction
        self._waiting: list[_Asked] = []
        self._writing: asyncio.Task[None] | None = None

    async def run(self, work: Work[_T]) -> _T:
        """Do a piece of work; returns once it is committed, raises what it raises."""
        result: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, result))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await result

    async def _write(self) -> None:
        while self._waiting:
            batch: list[_Asked] = []
            outcomes: list[object] = []
            try:
                async with self._transaction() as connection:
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                    for work, _ in batch:
                        outcomes.append(await _outcome(connection, work, is_alone=len(batch) == 1))
            except Exception as error:  # noqa: BLE001  # raised at whoever waits for it
                if not batch:  # there was not even a transaction
                    batch, self._waiting = self._waiting, []
                outcomes = [error] * len(batch)
            for (_, result), outcome in zip(batch, outcomes, strict=True):
                _tell(result, outcome)


async def _outcome(connection: AsyncConnection, work: Work[Any], *, is_alone: bool) -> object:
    """What a piece of work returns or raises; what it wrote goes when it raises."""
    if is_alone:
        return await work(connection)
    try:
        async with connection.begin_nested():
            return await work(connection)
    except Exception as error:  # noqa: BLE001  # raised at whoever asked; the others go on
        return error


def _tell(result: asyncio.Future[Any], outcome: object) -> None:
    if result.done():
        return
    if isinstance(outcome, Exception):
        result.set_exception(outcome)
    else:
        result.set_result(outcome)
