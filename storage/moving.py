"""Copies everything from one database to another: from SQLite to PostgreSQL, or back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from bot.errors import ConfigurationError
from storage.database import Database, to_url
from storage.migrate import migrate

_BATCH = 500


async def move(source: str, target: str) -> dict[str, int]:
    """Copy every row into an empty database, in one commit; the source stays as it is.

    Returns how many rows each table has. Raises ConfigurationError when the target has rows, or
    when the two are the same.
    """
    here, there = Database(to_url(source)), Database(to_url(target))
    if here.url == there.url:
        raise ConfigurationError("That is the same database. Name another one to move to.")
    try:
        await migrate(here)
        await migrate(there)
        async with here.reader.connect() as old, there.writer.begin() as new:
            await _refuse_unless_empty(new)
            counts = {table.name: await _copy(table, old, new) for table in _tables()}
            if not there.is_sqlite:
                await _set_counters(new)
            return counts
    finally:
        await here.close()
        await there.close()


def _tables() -> Iterable[Table]:
    return SQLModel.metadata.sorted_tables


async def _refuse_unless_empty(target: AsyncConnection) -> None:
    for table in _tables():
        if await _count(table, target):
            raise ConfigurationError(
                "The database to move to is not empty. Name a new one: nothing is mixed."
            )


async def _copy(table: Table, source: AsyncConnection, target: AsyncConnection) -> int:
    rows = await source.stream(select(table).order_by(*table.primary_key))
    async for batch in rows.mappings().partitions(_BATCH):
        await target.execute(insert(table), [dict(row) for row in batch])
    before, after = await _count(table, source), await _count(table, target)
    if before != after:
        raise ConfigurationError(
            f"{table.name} changed while it was copied. Stop Parley, then try again."
        )
    return after


async def _count(table: Table, connection: AsyncConnection) -> int:
    found: Any = await connection.scalar(select(func.count()).select_from(table))
    return int(found)


async def _set_counters(target: AsyncConnection) -> None:
    """Let PostgreSQL count on from the highest id that was copied."""
    for table in _tables():
        if "id" in table.primary_key.columns:
            await target.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                    f'(SELECT coalesce(max(id), 0) + 1 FROM "{table.name}"), false)'
                )
            )
