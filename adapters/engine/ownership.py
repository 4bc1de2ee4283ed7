"""Which process owns which work: a locked file on SQLite, advisory locks on PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
from sqlalchemy import URL

from adapters.leases import connect_to_lease
from bot.errors import ConfigurationError

LOCAL = "parley"
"""The one process on SQLite: the same after a restart, so that it finds its own work again."""
GRACE_S = 5.0
"""How long nobody is taken for dead once our own lock was lost: the others' may be lost as well."""
SUSPECTED_S = 2.5
"""How long nobody may have a process's lock before that is a sign of its death.

Who lives and has lost its connection alone sees that within a second, and takes the lock anew.
"""
_LIMIT_S = 10.0


class Ownership(Protocol):
    """A process's claim to its work, for as long as it lives."""

    executor_id: str
    is_shared: bool
    """Whether other processes may work on the same database."""

    async def take(self) -> None:
        """Claim; raises ConfigurationError when another process has what there is only once."""

    async def renew(self) -> None:
        """Claim again what a lost connection has cost; others take it for the end of us."""

    async def dead_among(self, executor_ids: Iterable[str]) -> tuple[str, ...]:
        """Those of other processes that live no more; each is kept for us until `release_dead`."""

    async def release_dead(self) -> None:
        """Let go of what `dead_among` has kept."""

    async def release(self) -> None:
        """Give the claim up."""


class FileOwnership:
    """One process for each SQLite file."""

    executor_id = LOCAL
    is_shared = False

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.lock")
        self._file: int | None = None

    async def take(self) -> None:
        """Lock the file beside the database; the system unlocks it when the process dies."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise ConfigurationError(
                f"Parley is running already on this database ({self._path}). Stop it first, or "
                "set DATABASE_URL to PostgreSQL to run several."
            ) from error
        self._file = file

    async def renew(self) -> None:
        """A file is not lost."""

    async def dead_among(self, executor_ids: Iterable[str]) -> tuple[str, ...]:
        """Whoever else was here is dead, since we have the file."""
        return tuple(executor_ids)

    async def release_dead(self) -> None:
        """Nothing is kept."""

    async def release(self) -> None:
        """Unlock the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class AdvisoryOwnership:
    """Any number of processes: each holds a lock that PostgreSQL drops with its connection."""

    is_shared = True

    def __init__(self, url: URL) -> None:
        self.executor_id = uuid4().hex
        self._url = url
        self._connection: psycopg.AsyncConnection[tuple[int, ...]] | None = None
        self._kept: list[str] = []
        self._judges_from_s = self._looked_s = 0.0
        self._suspected: dict[str, float] = {}
        """Whose lock nobody had at each look, and since when."""

    async def take(self) -> None:
        """Connect and lock our own id."""
        with suppress(psycopg.Error):
            await self.release()
        self._connection = await connect_to_lease(self._url)
        if not await self._lock(self.executor_id):
            await self.release()
            # The server has not noticed yet that our earlier connection is gone.
            raise psycopg.OperationalError("our own lock is still held")

    async def renew(self) -> None:
        """See that the connection lives; take our lock anew when it does not.

        A server that was started again has dropped everybody's lock, and whoever lives takes it
        anew: only then is a lock that nobody has a sign of death.
        """
        if self._connection is not None:
            with suppress(psycopg.Error, TimeoutError):
                async with asyncio.timeout(_LIMIT_S):
                    await self._connection.execute("SELECT 1")
                return
        await self.take()
        self._judges_from_s = time.monotonic() + GRACE_S

    async def dead_among(self, executor_ids: Iterable[str]) -> tuple[str, ...]:
        """Those whose lock nobody has had for a while; it takes some looks, each soon again."""
        now_s, before_s = time.monotonic(), self._looked_s
        self._looked_s = now_s
        if now_s < self._judges_from_s or now_s - before_s > SUSPECTED_S:
            self._suspected.clear()
        if now_s < self._judges_from_s:
            return ()
        earlier, self._suspected = self._suspected, {}
        for executor_id in executor_ids:
            if executor_id == self.executor_id or not await self._lock(executor_id):
                continue
            self._suspected[executor_id] = since_s = earlier.get(executor_id, now_s)
            if now_s - since_s >= SUSPECTED_S:
                self._kept.append(executor_id)
            else:
                await self._unlock(executor_id)
        return tuple(self._kept)

    async def release_dead(self) -> None:
        """Unlock them."""
        kept, self._kept = self._kept, []
        for executor_id in kept:
            await self._unlock(executor_id)

    async def release(self) -> None:
        """Disconnect, which unlocks."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _lock(self, executor_id: str) -> bool:
        return await self._ask("SELECT pg_try_advisory_lock(%s)", executor_id)

    async def _unlock(self, executor_id: str) -> None:
        await self._ask("SELECT pg_advisory_unlock(%s)", executor_id)

    async def _ask(self, statement: str, executor_id: str) -> bool:
        if self._connection is None:
            raise psycopg.OperationalError("not connected")
        async with asyncio.timeout(_LIMIT_S):
            cursor = await self._connection.execute(statement, (_to_key(executor_id),))
            row = await cursor.fetchone()
        return row is not None and bool(row[0])


def _to_key(executor_id: str) -> int:
    """A lock's number; PostgreSQL's are signed 64 bits."""
    digest = blake2b(f"parley:{executor_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def ownership_of(url: URL) -> Ownership:
    """How work is owned on a database."""
    if url.get_backend_name() == "sqlite":
        return FileOwnership(Path(str(url.database)))
    return AdvisoryOwnership(url)
