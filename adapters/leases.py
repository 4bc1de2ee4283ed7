"""What only one process may have at a time: locks that PostgreSQL drops when their process dies.

On SQLite there is one process, which may have everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import psycopg
from sqlalchemy import URL

from bot.errors import StoreError
from storage.database import to_url

LIMIT_S = 10.0
_FAULTS = (psycopg.Error, OSError, TimeoutError)
# A machine that lost its power says no goodbye: the server asks, and gives up after 25 seconds.
_NOTICE_DEATH = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
_HOLDERS = """
    SELECT pid, objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Leases(Protocol):
    """Leases of numbered things of a kind. Each method raises StoreError when they are gone."""

    @property
    def me(self) -> int:
        """This process among the holders; another one after `renew` said so."""

    async def renew(self) -> bool:
        """Make sure that we can lease; True when all that was leased before is lost."""

    async def take(self, kind: int, number: int, *, is_shared: bool = False) -> bool:
        """Lease, without waiting; False when another has it. Shared, several may have it."""

    async def drop(self, kind: int, number: int) -> None:
        """Give a lease up."""

    async def held(self, kind: int) -> Mapping[int, frozenset[int]]:
        """What each holder has of a kind, this process among them."""

    async def close(self) -> None:
        """Give everything up."""


class SoleLeases:
    """The leases of a process that is alone."""

    me = 0

    def __init__(self) -> None:
        self._held: dict[int, set[int]] = {}

    async def renew(self) -> bool:
        """Nothing gets lost."""
        return False

    async def take(self, kind: int, number: int, *, is_shared: bool = False) -> bool:
        """Nobody else wants it."""
        self._held.setdefault(kind, set()).add(number)
        return True

    async def drop(self, kind: int, number: int) -> None:
        """Give a lease up."""
        self._held[kind].discard(number)

    async def held(self, kind: int) -> Mapping[int, frozenset[int]]:
        """What this process has."""
        return {self.me: frozenset(self._held.get(kind, ()))}

    async def close(self) -> None:
        """Give everything up."""
        self._held.clear()


class AdvisoryLeases:
    """Leases as PostgreSQL's advisory locks: they end with this process's connection."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[tuple[int, ...]] | None = None

    @property
    def me(self) -> int:
        """The server's number for our connection."""
        return self._connection.info.backend_pid if self._connection else 0

    async def renew(self) -> bool:
        """Connect, if that is to be done."""
        if self._connection is not None and not self._connection.closed:
            return False
        try:
            self._connection = await connect_to_lease(self._url)
        except _FAULTS as error:
            raise StoreError from error
        return True

    async def take(self, kind: int, number: int, *, is_shared: bool = False) -> bool:
        """Lock, without waiting."""
        shared = "_shared" if is_shared else ""
        rows = await self._ask(f"SELECT pg_try_advisory_lock{shared}(%s, %s)", kind, number)
        return bool(rows[0][0])

    async def drop(self, kind: int, number: int) -> None:
        """Unlock."""
        await self._ask("SELECT pg_advisory_unlock(%s, %s)", kind, number)

    async def held(self, kind: int) -> Mapping[int, frozenset[int]]:
        """What each connection has locked."""
        found: dict[int, set[int]] = {}
        for holder, number in await self._ask(_HOLDERS, kind):
            found.setdefault(holder, set()).add(number)
        return {holder: frozenset(numbers) for holder, numbers in found.items()}

    async def close(self) -> None:
        """Disconnect, which unlocks."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _ask(self, statement: str, *values: int) -> list[tuple[int, ...]]:
        try:
            if self._connection is None:
                raise psycopg.OperationalError("not connected")
            async with asyncio.timeout(LIMIT_S):
                cursor = await self._connection.execute(statement.encode(), values)
                return await cursor.fetchall()
        except _FAULTS as error:
            await self.close()
            raise StoreError from error


async def connect_to_lease(url: URL) -> psycopg.AsyncConnection[tuple[int, ...]]:
    """A connection whose locks the server drops soon after its process, or machine, is gone."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await psycopg.AsyncConnection[tuple[int, ...]].connect(
        address, autocommit=True, connect_timeout=10
    )
    await connection.execute(_NOTICE_DEATH)
    return connection


def leases_on(location: str) -> Leases:
    """How processes on a database lease."""
    url = to_url(location)
    return SoleLeases() if url.get_backend_name() == "sqlite" else AdvisoryLeases(url)
