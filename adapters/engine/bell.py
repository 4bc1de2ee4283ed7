"""Tells the workers on a PostgreSQL database that another process has accepted a turn.

A bell that is not heard costs a second: the workers look at the queue by themselves, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import psycopg
from sqlalchemy import URL

CHANNEL = "parley_turns"
LIMIT_S = 5.0
RETRY_S = 5.0
_FAULTS = (psycopg.Error, OSError, TimeoutError)
logger = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[tuple[object, ...]]


class Bell:
    """Rung by whoever accepts, heard by whoever answers."""

    def __init__(self, url: URL) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: Connection | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._is_wanted = False

    def ring(self) -> None:
        """Tell everybody; many wishes at once are one ring."""
        self._is_wanted = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def hear(self, on_ring: Callable[[], None]) -> None:
        """Call `on_ring` at each ring, until cancelled."""
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    on_ring()  # what came before this was not heard
                    async for _ in connection.notifies():
                        on_ring()
            except _FAULTS:
                logger.info("the bell is out of hearing; the queue is looked at each second")
            await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Ring no more."""
        if self._ringing is not None:
            await asyncio.wait({self._ringing})
        await self._disconnect()

    async def _ring(self) -> None:
        while self._is_wanted:
            self._is_wanted = False
            try:
                async with asyncio.timeout(LIMIT_S):
                    if self._connection is None:
                        self._connection = await self._connect()
                        # A ring need not survive a crash, so it does not wait for the disk.
                        await self._connection.execute("SET synchronous_commit = off")
                    await self._connection.execute(f"NOTIFY {CHANNEL}")
            except _FAULTS:
                logger.info("the bell could not be rung; the queue is looked at each second")
                await self._disconnect()

    async def _connect(self) -> Connection:
        return await Connection.connect(self._address, autocommit=True, connect_timeout=10)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
