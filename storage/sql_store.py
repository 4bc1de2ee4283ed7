"""The store on SQLite or PostgreSQL: its parts put together, opened and closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL

from storage.alerts import SqlAlerts
from storage.database import Database, to_url
from storage.digests import SqlDigests
from storage.forgetting import SqlForgetting
from storage.history import SqlHistory
from storage.intake import SqlIntake
from storage.ledger import SqlLedger
from storage.lessons import SqlLessons
from storage.line import Line
from storage.migrate import migrate
from storage.places import SqlPlaces
from storage.posts import SqlPosts
from storage.reservations import SqlReservations
from storage.spend import SqlSpend
from storage.turns import SqlTurns
from storage.uninterrupted import uninterrupted, until_all_ended
from storage.upkeep import SqlUpkeep


@uninterrupted
class SqlStore(
    SqlIntake,
    SqlTurns,
    SqlHistory,
    SqlLedger,
    SqlAlerts,
    SqlReservations,
    SqlSpend,
    SqlDigests,
    SqlPosts,
    SqlPlaces,
    SqlUpkeep,
    SqlForgetting,
    SqlLessons,
):
    """Everything that is kept, in one database. Its methods raise StoreError when it is gone."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.line: Line | None = None
        """Where turns wait; whoever runs them puts it here."""

    @property
    def url(self) -> URL:
        """Where it is."""
        return self._db.url

    async def until_calm(self) -> None:
        """Wait until no message is being accepted."""
        await self._db.until_calm()

    @property
    def is_accepting(self) -> bool:
        """Whether a message is being accepted right now: what can wait, waits."""
        return self._db.is_busy


@asynccontextmanager
async def open_store(location: str | Path) -> AsyncIterator[SqlStore]:
    """Open the store at an address or in a file, made or brought up to date as needed.

    Raises ConfigurationError for an address that cannot be used, or a newer Parley's database.
    """
    database = Database(to_url(location))
    try:
        await migrate(database)
        yield SqlStore(database)
    finally:
        await until_all_ended()
        await database.close()
