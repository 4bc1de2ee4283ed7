"""The stores that one suite of tests is run over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from storage import MemoryStore, SqlStore, open_store
from tests.postgres import Server, running_server

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
AnyStore = MemoryStore | SqlStore
OpenStore = Callable[[], AbstractAsyncContextManager[SqlStore]]


@pytest.fixture(scope="session")
def postgres() -> object:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", POSTGRES])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """Where a new database is: a file on disk, or one on the server."""
    if request.param == "sqlite":
        yield str(tmp_path / "parley.db")
        return
    server: Server = request.getfixturevalue("postgres")
    address = server.new_database()
    yield address
    server.drop(address)


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyStore]:
    """Each kind of store, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "sqlite":
        async with open_store(tmp_path / "parley.db") as opened:
            yield opened
        return
    server: Server = request.getfixturevalue("postgres")
    address = server.new_database()
    async with open_store(address) as opened:
        yield opened
    server.drop(address)


@pytest.fixture
async def sql_store(location: str) -> AsyncIterator[SqlStore]:
    """Each kind of database, empty."""
    async with open_store(location) as opened:
        yield opened
