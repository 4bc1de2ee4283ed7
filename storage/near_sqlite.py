"""SQLite through aiosqlite with fewer hops between threads.

Each call of aiosqlite is a hop to its thread and back, and a transaction is dozens of calls. What
may take time, such as waiting for the write lock, a commit or a long query, goes to the thread;
a statement inside a write transaction is a look at a page in memory and is run where it stands.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiosqlite

from storage.old_sqlite import teach_subseconds

_MAY_WAIT = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "CREATE", "ALTER", "DROP")


class NearConnection(aiosqlite.Connection):
    """A connection that leaves this thread only for what may take time."""

    def __init__(self, database: Path, *, is_writer: bool) -> None:
        super().__init__(lambda: _connect(database), 64)
        self._is_writer = is_writer
        self._thread.daemon = True

    async def until_stopped(self) -> None:
        """Wait for the thread's end: it tells this loop, which must not be closed by then."""
        await asyncio.to_thread(self._thread.join)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or not self._connection or self._may_take_time(fn, args):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # aiosqlite's
        return fn(*args, **kwargs)

    def _may_take_time(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        if not isinstance(getattr(fn, "__self__", None), sqlite3.Cursor):
            return fn.__name__ != "cursor"
        if fn.__name__ == "close":
            return False
        if not self._is_writer or not self._conn.in_transaction:
            return True
        return bool(args) and str(args[0]).lstrip().upper().startswith(_MAY_WAIT)


def _connect(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, check_same_thread=False)
    teach_subseconds(connection)
    return connection


def connector(database: Path, *, is_writer: bool) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """What makes connections to a file."""

    async def connect() -> aiosqlite.Connection:
        connection = NearConnection(database, is_writer=is_writer)
        try:
            return await connection
        except BaseException:
            await connection.until_stopped()
            raise

    return connect
