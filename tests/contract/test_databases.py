"""What a database itself must stand: versions, newer ones, full disks, locks, many at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, text
from sqlmodel import SQLModel

from bot.calls import Purpose
from bot.caps import Scope
from bot.errors import ConfigurationError, StoreError
from bot.ledger import LedgerEntry
from bot.turns import Turn, TurnStatus
from storage import Place, SqlStore, open_store
from storage.convert_money import to_budget_values, to_call_values
from storage.database import Database, to_url
from storage.migrate import VERSIONS, is_ours, migrate
from storage.near_sqlite import connector
from storage.old_sqlite import teach_subseconds
from tests.contract.examples import (
    ELSEWHERE,
    NOON,
    accepted,
    answered,
    begun,
    done,
    entry,
    limit,
    message,
    turn_of,
)
from tests.unit.spending import call


async def test_the_migrations_make_the_tables_that_the_program_expects(location: str) -> None:
    database = Database(to_url(location))
    await migrate(database)

    def differences(connection: Connection) -> list[object]:
        options = {"include_object": is_ours, "render_as_batch": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, SQLModel.metadata))

    async with database.writer.begin() as connection:
        found = await connection.run_sync(differences)
    await database.close()
    assert found == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_database_of_each_version_is_brought_up_to_date(
    tmp_path: Path, version: str
) -> None:
    database = Database(to_url(tmp_path / "parley.db"))
    await migrate(database, version)
    await database.close()

    async with open_store(tmp_path / "parley.db") as store:
        await accepted(store, 1)


async def test_a_warning_that_was_said_before_the_update_is_not_said_again(
    tmp_path: Path,
) -> None:
    workspace = limit(Scope.WORKSPACE, scope_id="test/w", cap=1_000)
    values = to_budget_values(workspace, spent=850) | {"is_warned": True}
    del values["alerted_percent"]

    def keep(connection: Connection) -> None:
        budget = Table("budget", MetaData(), autoload_with=connection)
        connection.execute(budget.insert().values(values))

    database = Database(to_url(tmp_path / "parley.db"))
    await migrate(database, "0003")
    async with database.writer.begin() as connection:
        await connection.run_sync(keep)
    await database.close()

    async with open_store(tmp_path / "parley.db") as store:
        assert await store.claim_alerts([workspace]) == ()
        (said,) = await store.alerts_said(NOON)
        assert said.mark == 80


async def test_the_debates_of_an_earlier_version_are_no_ensembles(tmp_path: Path) -> None:
    found = [
        call(1, call_id="d:propose1", turn_id="d", purpose=Purpose.PROPOSE),
        call(1, call_id="d:criticise1", turn_id="d", purpose=Purpose.CRITICISE),
        call(1, call_id="e:propose1", turn_id="e", purpose=Purpose.PROPOSE),
    ]

    def keep(connection: Connection) -> None:
        table = Table("llm_call", MetaData(), autoload_with=connection)
        for each in found:
            values = to_call_values(each, ())
            connection.execute(table.insert().values({c.name: values[c.name] for c in table.c}))

    database = Database(to_url(tmp_path / "parley.db"))
    await migrate(database, "0003")
    async with database.writer.begin() as connection:
        await connection.run_sync(keep)
    await database.close()

    async with open_store(tmp_path / "parley.db") as store:
        kept = [*await store.entries("d"), *await store.entries("e")]
    assert {each.call_id: each.purpose for each in kept} == {
        "d:propose1": Purpose.DRAFT,
        "d:criticise1": Purpose.CRITICISE,
        "e:propose1": Purpose.PROPOSE,
    }


async def test_a_newer_database_is_refused_in_words(location: str) -> None:
    async with open_store(location):
        pass
    database = Database(to_url(location))
    async with database.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    with pytest.raises(ConfigurationError, match=r"newer Parley .*Update Parley"):
        async with open_store(location):
            pass


async def test_processes_that_start_at_once_make_the_tables_once(location: str) -> None:
    async def start() -> None:
        async with open_store(location) as store:
            assert await store.unfinished() == ()

    await asyncio.gather(*(start() for _ in range(4)))


async def test_what_was_kept_is_there_after_a_restart(location: str) -> None:
    async with open_store(location) as store:
        turn = await accepted(store, 1)

    async with open_store(location) as store:
        assert await store.unfinished() == (turn,)


async def test_the_same_message_many_times_at_once_is_one_turn(sql_store: SqlStore) -> None:
    incoming = message(1)
    turn = turn_of(incoming)

    kept = await asyncio.gather(*(sql_store.accept(incoming, turn) for _ in range(20)))

    assert sum(kept) == 1


@dataclass
class ShortLine:
    """Notes who joins and leaves; refuses the one for whom there is no room."""

    room: int = 1
    joined: list[tuple[str, int, bool]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def join(self, _connection: Connection, turn: Turn, place: Place) -> Callable[[], None]:
        self.joined.append((turn.turn_id, place.number, place.is_first))
        if len(self.joined) > self.room:
            raise RuntimeError("the line is full")
        return lambda: self.begun.append(turn.turn_id)

    def leave(self, _connection: Connection, turn_id: str) -> None:
        self.left.append(turn_id)


async def test_a_turn_and_its_place_in_the_queue_are_kept_together_or_not_at_all(
    sql_store: SqlStore,
) -> None:
    line = ShortLine()
    sql_store.line = line
    first = await accepted(sql_store, 1)
    with pytest.raises(RuntimeError):
        await accepted(sql_store, 2)

    assert line.joined == [("test:m1", 1, True), ("test:m2", 2, False)]
    assert line.begun == ["test:m1"]
    assert await sql_store.unfinished() == (first,)


async def test_a_turn_is_first_when_all_before_it_are_over_and_leaves_as_it_ends(
    sql_store: SqlStore,
) -> None:
    line = ShortLine(room=9)
    sql_store.line = line
    await answered(sql_store, 1)
    await accepted(sql_store, 2)
    await accepted(sql_store, 3)
    await accepted(sql_store, 4, key=ELSEWHERE)
    await sql_store.give_up("test:m2", "Sorry.", NOON)

    assert [is_first for *_, is_first in line.joined] == [True, True, False, True]
    assert line.left == ["test:m1", "test:m2"]


async def test_a_full_disk_is_told_in_words_and_nothing_is_half_kept(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        first = await accepted(store, 1)
        await _pragma(store, "PRAGMA max_page_count = 1")  # the file can grow no more
        with pytest.raises(StoreError, match="disk is full"):
            await accepted(store, 2, "x" * 1_000_000)
        await _pragma(store, "PRAGMA max_page_count = 1000000")

        assert await store.unfinished() == (first,)
        await accepted(store, 2)


async def _pragma(store: SqlStore, statement: str) -> None:
    async with store._db.write() as session:
        await session.connection()
        await (await session.connection()).exec_driver_sql(statement)


async def test_a_database_that_can_only_be_read_is_told_in_words(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        await _pragma(store, "PRAGMA query_only = ON")

        with pytest.raises(StoreError, match="can only be read"):
            await accepted(store, 1)


async def test_waits_for_a_locked_database(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        other = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(accepted(store, 1))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        other.execute("COMMIT")
        other.close()

        await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize(
    "address",
    ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "postgresql://host:port:name/x"],
)
async def test_an_address_that_cannot_be_used_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        async with open_store(address):
            pass


async def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(ConfigurationError, match="PARLEY_HOME"):
        async with open_store(tmp_path / "file" / "deep" / "parley.db"):
            pass


async def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "parley.db").write_text("no database at all, but quite long enough " * 50)

    with pytest.raises(ConfigurationError, match="not a database"):
        async with open_store(tmp_path / "parley.db"):
            pass


async def test_an_unreachable_server_is_told_in_words_without_its_password() -> None:
    with pytest.raises(ConfigurationError, match="could not be opened") as told:
        async with open_store("postgresql://parley:secret@127.0.0.1:1/none"):
            pass

    assert "secret" not in str(told.value)


async def test_the_trace_of_a_fault_tells_nothing_of_what_was_to_be_kept(
    location: str,
) -> None:
    prompt = "zebra"
    async with open_store(location) as store:
        database = Database(to_url(location))
        async with database.writer.begin() as connection:
            await connection.execute(text("ALTER TABLE message RENAME TO away"))
        await database.close()

        with pytest.raises(StoreError) as told:
            await accepted(store, 1, prompt)

    trace = "".join(traceback.format_exception(told.value))
    assert "INSERT INTO message" in trace
    assert prompt not in trace


async def test_what_was_begun_is_kept_although_the_caller_was_cancelled(location: str) -> None:
    async with open_store(location) as store:
        for number in range(1, 21):
            caller = asyncio.create_task(accepted(store, number))
            await asyncio.sleep(0)
            caller.cancel()
            await asyncio.wait({caller})

        await accepted(store, 21)

    async with open_store(location) as store:
        kept = [turn.turn_id for turn in await store.unfinished()]
        # The first step of a caller is its call; from then on it is kept.
        assert kept == [f"test:m{number}" for number in range(1, 22)]


async def test_a_file_that_cannot_be_opened_leaves_no_thread_at_work(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    left = set()

    for _ in range(20):
        with pytest.raises(sqlite3.OperationalError):
            await connector(tmp_path / "none" / "parley.db", is_writer=True)()
        left |= set(threading.enumerate()) - before - {threading.main_thread()}

    assert {thread.name for thread in left if "_connection_worker_thread" in thread.name} == set()


async def test_a_hold_that_comes_after_its_turn_has_ended_is_released(sql_store: SqlStore) -> None:
    """Its budget had to be begun first, and the turn ended between the two commits."""
    turn = await begun(sql_store, await accepted(sql_store, 1))
    await sql_store.finish(replace(turn, status=TurnStatus.CANCELLED, finished_at=NOON))

    await sql_store.open(entry(hold=100), [limit()])

    (state,) = await sql_store.states([limit()])
    assert (state.spent, state.held) == (100, 0)


async def test_a_sum_reserved_after_its_turn_has_ended_is_given_back(sql_store: SqlStore) -> None:
    turn = await begun(sql_store, await accepted(sql_store, 1))
    await sql_store.finish(replace(turn, status=TurnStatus.CANCELLED, finished_at=NOON))

    await sql_store.reserve(turn, 100, [limit()])

    (state,) = await sql_store.states([limit()])
    assert (state.spent, state.held) == (0, 0)


class LosingAnswer(SqlStore):
    """Its first commits take place, and nobody hears of it."""

    lost = 0

    async def _close(self, entry: LedgerEntry) -> bool:
        is_closed = await super()._close(entry)
        if self.lost:
            self.lost -= 1
            raise StoreError
        return is_closed


async def test_an_end_that_is_kept_although_the_connection_was_lost_counts_once(
    location: str,
) -> None:
    async with open_store(location) as opened:
        store = LosingAnswer(opened._db)
        store.lost = 2
        ended = done(await store.open(entry(hold=100), [limit()]), cost=40)

        assert await store.close(ended)
        assert not await store.close(replace(ended, attempt=2))
        (state,) = await store.states([limit()])

    assert (state.spent, state.held) == (40, 0)


def test_an_older_sqlite_tells_the_time_in_fractions_too() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        teach_subseconds(connection, (3, 37, 2))
        connection.execute("CREATE TABLE t (n, at INTEGER DEFAULT (unixepoch('subsec') * 1000))")
        before = time.time()
        connection.execute("INSERT INTO t (n) VALUES (1)")
        ((at,),) = connection.execute("SELECT at FROM t").fetchall()
    assert before - 0.001 <= at / 1000 <= time.time() + 0.001
