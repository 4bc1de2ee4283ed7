"""Brings a database up to this version's tables, from empty or from an earlier version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.errors import ConfigurationError
from storage.database import Database

VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Every version there was, oldest first; the last is this one's."""
_FOLDER = Path(__file__).resolve().parent / "migrations"
_LOCK = 0x7061726C6579
"""Held while PostgreSQL is migrated, so that processes that start at once do it once."""


async def migrate(database: Database, version: str = VERSIONS[-1]) -> None:
    """Bring the database to a version; raises ConfigurationError when it cannot be used."""
    _make_folder(database)
    try:
        async with database.writer.begin() as connection:
            if not database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            await connection.run_sync(_upgrade, version)
    except DBAPIError as error:
        raise ConfigurationError(_unusable(database, error)) from error


def _make_folder(database: Database) -> None:
    if database.is_sqlite and database.url.database:
        folder = Path(database.url.database).resolve().parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {folder} could not be made: {error.strerror}. "
                "Set PARLEY_HOME to a folder that can be written."
            ) from error


def _upgrade(connection: Connection, version: str) -> None:
    present = _present(connection)
    if present == version:
        return
    if present is not None and present not in VERSIONS:
        raise ConfigurationError(
            f"This database was made by a newer Parley (its version is {present}, this program "
            f"knows up to {VERSIONS[-1]}). Update Parley, or use another database."
        )
    from alembic import command  # takes a third of a second, and is seldom needed
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    command.upgrade(config, version)


def _present(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def is_ours(_object: Any, _name: str | None, _kind: str, reflected: bool, counterpart: Any) -> bool:
    """Leave alone the tables of others in the same file, such as the engine's."""
    return not (reflected and counterpart is None)


def _unusable(database: Database, error: DBAPIError) -> str:
    where = database.url.render_as_string(hide_password=True)
    reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    remedy = (
        "May its file and folder be read and written?"
        if database.is_sqlite
        else "Does PostgreSQL run there? DATABASE_URL names host, port, user, password, name."
    )
    return f"The database {where} could not be opened: {reason.rstrip('.')}. {remedy}"
