"""The connection to SQLite or PostgreSQL: transactions, and errors in words. It knows no table."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, ColumnElement, Engine, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import ConfigurationError, StoreError
from storage.group_commit import GroupCommit, Work
from storage.near_sqlite import connector
from storage.turnstile import Turnstile

_T = TypeVar("_T")
BUSY_TIMEOUT_MS = 30_000
_SCRUB_TIMEOUT_MS = 2_000
_POSTGRES_POOL = 10
_RESTED_S = 2.0
_SQLITE_READERS = 4
_FAULTS = {
    "full": "The disk is full, so I could not save this. Nothing was spent. Free some space.",
    "readonly": "The database can only be read, so I could not save this. Nothing was spent.",
    "locked": "The database is locked by another program, so I could not save this. Try again.",
}


def to_url(location: str | Path) -> URL:
    """A database's address: a path is SQLite; `sqlite:…` and `postgresql:…` are what they say.

    Raises ConfigurationError for any other.
    """
    text = str(location)
    if "://" not in text:
        return URL.create("sqlite+aiosqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "DATABASE_URL is not an address such as postgresql://user@host/name."
        ) from error
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite+aiosqlite")
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        "DATABASE_URL must begin with postgresql:// or sqlite:/// and name a database or a file."
    )


class Database:
    """Opens transactions: one writer at a time on SQLite, many on PostgreSQL."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.writer = _sqlite(url, readers=0) if self.is_sqlite else _postgres(url)
        self.reader = (
            _sqlite(url, readers=_SQLITE_READERS)
            if self.is_sqlite
            else _postgres(url, is_reader=True)
        )
        self._turnstile = Turnstile(1 if self.is_sqlite else _POSTGRES_POOL)
        self._group = GroupCommit(partial(self.transaction, is_urgent=True))
        self._insertions: dict[tuple[str, bool], Any] = {}

    @asynccontextmanager
    async def write(self, *, is_urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed at the end; raises StoreError when it cannot be.

        An urgent one, which a platform waits for, goes before those that wait.
        """
        async with (
            self.transaction(is_urgent=is_urgent) as connection,
            AsyncSession(connection, expire_on_commit=False) as session,
        ):
            yield session
            await session.commit()

    @asynccontextmanager
    async def transaction(self, *, is_urgent: bool = False) -> AsyncIterator[AsyncConnection]:
        """As `write`, for statements without rows as objects: what each message passes through."""
        with _in_words():
            async with (
                self._turnstile.pass_through(is_urgent=is_urgent),
                self.writer.begin() as connection,
            ):
                yield connection

    async def together(self, work: Work[_T]) -> _T:
        """Do an urgent piece of work, on SQLite in one commit with what others want meanwhile."""
        with _in_words():
            if self.is_sqlite:
                return await self._group.run(work)
            async with self.transaction(is_urgent=True) as connection:
                return await work(connection)

    async def until_calm(self) -> None:
        """Wait until no urgent transaction is under way or waits."""
        await self._turnstile.until_calm()

    @property
    def is_busy(self) -> bool:
        """Whether an urgent transaction is under way or waits."""
        return self._turnstile.urgent > 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A look at what is there now; raises StoreError when it cannot be had."""
        with _in_words():
            async with AsyncSession(self.reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def query(self) -> AsyncIterator[AsyncConnection]:
        """As `read`, for statements without rows as objects."""
        with _in_words():
            async with self.reader.connect() as connection:
                yield connection

    def insert(self, row: type[SQLModel] | Table) -> Any:
        """An INSERT that knows `on_conflict_…` in this database's dialect."""
        return sqlite.insert(row) if self.is_sqlite else postgresql.insert(row)

    def insertion(self, table: Table, *also: ColumnElement[Any]) -> Any:
        """An INSERT of a row that is not there; returns its primary key's first column, and that.

        Built once for each table. RETURNING, since PostgreSQL's driver gives no row count.
        """
        name = (table.name, bool(also))
        if name not in self._insertions:
            key = next(iter(table.primary_key))
            statement = self.insert(table).on_conflict_do_nothing().returning(key, *also)
            self._insertions[name] = statement
        return self._insertions[name]

    async def insert_new(
        self, connection: AsyncConnection, table: Table, values: dict[str, Any]
    ) -> Any:
        """Insert a row and return its primary key's first column; None when it is there already."""
        return (await connection.execute(self.insertion(table), values)).scalar_one_or_none()

    async def scrub(self) -> None:
        """Let go of what was deleted: on SQLite, empty the write-ahead log into the file.

        A reader may stand in the way; then it is done the next time. Raises StoreError for a fault.
        """
        if not self.is_sqlite:
            return
        with _in_words():
            async with self.writer.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None
                await raw.execute_fetchall(f"PRAGMA busy_timeout={_SCRUB_TIMEOUT_MS}")
                try:
                    await raw.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    await raw.execute_fetchall(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    async def close(self) -> None:
        """End all connections."""
        await self.writer.dispose()
        await self.reader.dispose()


class _in_words:  # noqa: N801  # reads as `with _in_words():`
    """Translates what a driver raises into a StoreError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DBAPIError | PoolTimeoutError | sqlite3.Error):
            raise to_store_error(error) from error


def to_store_error(error: Exception) -> StoreError:
    """What a driver's error means for a person."""
    text = str(getattr(error, "orig", error)).lower()
    if "disk is full" in text or "no space left" in text:
        return StoreError(_FAULTS["full"])
    if "readonly" in text or "read-only" in text:
        return StoreError(_FAULTS["readonly"])
    if "locked" in text or isinstance(error, PoolTimeoutError):
        return StoreError(_FAULTS["locked"])
    return StoreError()


def _postgres(url: URL, *, is_reader: bool = False) -> AsyncEngine:
    """The writers' engine, or the readers', whose statements are each a transaction."""
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT" if is_reader else None,
        pool_size=_POSTGRES_POOL,
        max_overflow=0,
        pool_timeout=60,
        hide_parameters=True,
        connect_args={"connect_timeout": 10},
    )
    _ping_the_rested(engine.sync_engine)
    return engine


def _ping_the_rested(engine: Engine) -> None:
    """See whether the server still knows a connection that rested; each time would be a trip more.

    SQLAlchemy's own `pool_pre_ping` does it at each use: https://docs.sqlalchemy.org/core/pooling.html
    """

    @event.listens_for(engine, "checkin")
    def _on_return(_connection: Any, record: Any) -> None:
        record.info["used_s"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_use(connection: Any, record: Any, _proxy: object) -> None:
        rested_s = time.monotonic() - record.info.get("used_s", time.monotonic())
        if rested_s < _RESTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _sqlite(url: URL, *, readers: int) -> AsyncEngine:
    """The writer's engine with its one connection, or the readers'."""
    engine = create_async_engine(
        url,
        async_creator=connector(Path(str(url.database)), is_writer=not readers),
        isolation_level="AUTOCOMMIT" if readers else None,
        pool_size=readers or 1,
        max_overflow=0,
        pool_timeout=60,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if readers:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    if not readers:

        @event.listens_for(engine.sync_engine, "begin")
        def _on_begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
