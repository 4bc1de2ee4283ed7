"""Many pieces of work in one commit."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreError
from storage.database import Database, to_url
from storage.group_commit import MOST, GroupCommit


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(to_url(tmp_path / "parley.db"))
    async with opened.transaction() as connection:
        await connection.execute(text("CREATE TABLE kept (name TEXT PRIMARY KEY)"))
    yield opened
    await opened.close()


async def kept(database: Database) -> list[str]:
    async with database.query() as connection:
        return list(await connection.scalars(text("SELECT name FROM kept ORDER BY rowid")))


async def keep(database: Database, name: str) -> str:
    async def work(connection: AsyncConnection) -> str:
        await connection.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})
        if "faulty" in name:
            raise ValueError(name)
        return name

    return await database.together(work)


async def test_what_comes_at_once_is_kept_in_order_in_a_few_commits(database: Database) -> None:
    commits = 0

    @asynccontextmanager
    async def counted() -> AsyncIterator[AsyncConnection]:
        nonlocal commits
        async with database.transaction() as connection:
            yield connection
        commits += 1

    database._group = GroupCommit(counted)
    names = [f"n{number}" for number in range(2 * MOST)]

    assert list(await asyncio.gather(*(keep(database, name) for name in names))) == names
    assert await kept(database) == names
    assert commits <= 3


async def test_the_fault_of_one_is_its_own(database: Database) -> None:
    names = ["a", "faulty b", "c", "a"]

    told = await asyncio.gather(*(keep(database, name) for name in names), return_exceptions=True)

    assert [type(each) for each in told] == [str, ValueError, str, StoreError]
    assert await kept(database) == ["a", "c"]


async def test_the_fault_of_one_alone_takes_back_what_it_wrote(database: Database) -> None:
    with pytest.raises(ValueError, match="faulty"):
        await keep(database, "faulty")

    assert await kept(database) == []


async def test_all_are_told_when_there_can_be_no_transaction(
    database: Database, tmp_path: Path
) -> None:
    await database.close()
    shutil.rmtree(tmp_path)

    asked = [keep(database, name) for name in ("a", "b", "c")]
    told = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in told] == [StoreError] * 3
