"""What a database and a crowd do to the program: locks, a lost server, everybody at once.

CHAOS_TROUBLE_S=35 makes the troubles as long as it says; by default they are short.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import select

from bot.money import NANOUSD
from bot.turns import TurnStatus
from storage import SqlStore, open_store
from storage.tables import BudgetRow
from tests.chaos.checks import billed_for, tag_of, to_answer
from tests.chaos.people import Event, People
from tests.chaos.program import Program
from tests.loopback.providers import ProviderServer
from tests.loopback.providers.record import Seen
from tests.loopback.providers.script import Reply
from tests.postgres import Server, running_server

TROUBLE_S = float(os.environ.get("CHAOS_TROUBLE_S", "4"))
LIMIT_S = 120 + 2 * TROUBLE_S
ROOM_BYTES = 64 * 1024
SET_CLOCK = Path(__file__).parent / "set_clock"
CROWD = 200
CAP_NANOUSD = NANOUSD // 20
pytestmark = pytest.mark.timeout(LIMIT_S * 2)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@asynccontextmanager
async def talking_to(
    database: str,
    folder: Path,
    *,
    cap_usd: str = "1000",
    more: Mapping[str, str] | None = None,
    processes: int = 1,
) -> AsyncIterator[tuple[People, ProviderServer]]:
    async with ProviderServer() as provider, aiohttp.ClientSession() as session:
        provider.script(lambda seen: Reply(text=to_answer(tag_of(seen)), chunk_delay_s=0.01))
        programs = [
            Program(folder, database, provider, f"program{n}", cap_usd=cap_usd, more=more)
            for n in range(processes)
        ]
        try:
            await asyncio.gather(*(program.start() for program in programs))
            yield People(programs, random.Random(1), session), provider
            assert [await program.stop() for program in programs] == [0] * processes
        finally:
            for program in programs:
                await program.kill()


async def all_over(database: str, events: list[Event]) -> list[TurnStatus]:
    async with open_store(database) as store, asyncio.timeout(LIMIT_S):
        while True:
            turns = [await store.turn(event.turn_id) for event in events]
            if all(turn is not None and turn.status.is_over for turn in turns):
                return [turn.status for turn in turns if turn is not None]
            await asyncio.sleep(0.5)


def events_of(count: int, name: str) -> list[Event]:
    return [Event(conversation=f"{name}{n}", number=1) for n in range(count)]


async def test_a_database_that_is_locked_for_a_while_loses_nothing(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'parley.db'}"
    before, during = events_of(3, "before"), events_of(3, "during")
    async with talking_to(database, tmp_path) as (people, provider):
        await asyncio.gather(*(people.deliver(event) for event in before))
        await provider.wait_for_requests(1, timeout_s=60)
        other = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        other.execute("PRAGMA busy_timeout = 30000")
        other.execute("BEGIN IMMEDIATE")
        delivering = [asyncio.create_task(people.deliver(event)) for event in during]
        await asyncio.sleep(TROUBLE_S)
        other.execute("COMMIT")
        other.close()
        await asyncio.gather(*delivering)

        assert await all_over(database, before + during) == [TurnStatus.DONE] * 6


async def test_a_disk_without_room_is_told_in_words_and_loses_nothing(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'parley.db'}"
    before, during, after = (events_of(3, name) for name in ("before", "during", "after"))
    async with talking_to(database, tmp_path) as (people, provider):
        await asyncio.gather(*(people.deliver(event) for event in before))
        await provider.wait_for_requests(1, timeout_s=60)
        (program,) = people.programs
        with no_file_above(ROOM_BYTES, program.pid):
            delivering = [asyncio.create_task(people.deliver(event)) for event in during]
            body = {"text": "Is there room?", "conversation": "new", "message_id": "unkept"}
            async with people.session.post(f"{program.address}/api/ask", json=body) as refusal:
                told = await refusal.text()
            await asyncio.sleep(TROUBLE_S)
            asked_meanwhile = {tag_of(seen) for seen in provider.requests}
        await asyncio.gather(*delivering)
        await asyncio.gather(*(people.deliver(event) for event in after))

        assert await all_over(database, before + during + after) == [TurnStatus.DONE] * 9
    assert refusal.status >= 500
    assert "could not save" in told
    assert asked_meanwhile <= {event.message_id for event in before}


@contextmanager
def no_file_above(size_bytes: int, pid: int) -> Iterator[None]:
    """Let a process write no file beyond a size, as if the disk were full there."""
    free = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, free[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)


async def test_a_clock_that_jumps_back_an_hour_keeps_order_and_history(tmp_path: Path) -> None:
    database, offset = f"sqlite:///{tmp_path / 'parley.db'}", tmp_path / "offset"
    offset.write_text("0", encoding="utf-8")
    clock = {"PYTHONPATH": str(SET_CLOCK), "CLOCK_OFFSET_FILE": str(offset)}
    first, second, third = (Event(conversation="talk", number=n) for n in (1, 6, 11))
    async with talking_to(database, tmp_path, more=clock) as (people, provider):
        await people.deliver(first)
        await all_over(database, [first])
        offset.write_text("-3600", encoding="utf-8")
        await people.deliver(second)
        await people.deliver(third)

        assert await all_over(database, [first, second, third]) == [TurnStatus.DONE] * 3
        asked = [seen.messages for seen in provider.requests]
    async with open_store(database) as store:
        turns = [await store.turn(event.turn_id) for event in (first, second)]

    assert len(asked) == 3
    prompts = [[m["content"] for m in each if m["role"] == "user"] for each in asked]
    assert [len(each) for each in prompts] == [1, 2, 3]
    assert first.message_id in prompts[2][0]
    assert second.message_id in prompts[2][1]
    assert turns[0] is not None
    assert turns[1] is not None
    assert turns[1].created_at < turns[0].created_at


@pytest.mark.postgres
async def test_a_server_that_is_gone_for_a_while_loses_nothing(
    tmp_path: Path, postgres: Server
) -> None:
    database = postgres.new_database()
    before, during = events_of(3, "before"), events_of(3, "during")
    async with talking_to(database, tmp_path) as (people, provider):
        await asyncio.gather(*(people.deliver(event) for event in before))
        await provider.wait_for_requests(1, timeout_s=60)
        await asyncio.to_thread(postgres.stop)
        delivering = [asyncio.create_task(people.deliver(event)) for event in during]
        await asyncio.sleep(TROUBLE_S)
        await asyncio.to_thread(postgres.start)
        await asyncio.gather(*delivering)

        assert await all_over(database, before + during) == [TurnStatus.DONE] * 6


@pytest.mark.postgres
async def test_a_server_that_is_started_again_costs_no_answer_that_is_under_way(
    tmp_path: Path, postgres: Server
) -> None:
    """Some of them end while it is away, the others go on in their own processes."""
    database, events = postgres.new_database(), events_of(20, "one")
    async with talking_to(database, tmp_path, processes=2) as (people, provider):
        provider.script(_at_leisure)
        await asyncio.gather(*(people.deliver(event) for event in events))
        await provider.wait_for_requests(len(events), timeout_s=60)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(TROUBLE_S)
        await asyncio.to_thread(postgres.start)

        assert await all_over(database, events) == [TurnStatus.DONE] * len(events)
        assert len(provider.requests) == len(events)


def _at_leisure(seen: Seen) -> Reply:
    tag = tag_of(seen)
    slow = TROUBLE_S + 8.0 if tag.endswith(("0-1", "5-1")) else 2.0
    return Reply(text=to_answer(tag), first_delay_s=slow)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_a_crowd_never_spends_more_than_the_cap(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        database = f"sqlite:///{tmp_path / 'parley.db'}"
    else:
        database = request.getfixturevalue("postgres").new_database()
    crowd = events_of(CROWD, "one")
    async with (
        talking_to(database, tmp_path, cap_usd="0.05") as (people, provider),
        open_store(database) as store,
    ):
        watching = asyncio.create_task(_highest_use(store))
        await asyncio.gather(*(people.deliver(event) for event in crowd))
        ended = await all_over(database, crowd)
        watching.cancel()
        budgets = await _budgets(store)
        billed = sum(map(billed_for, provider.requests))

    assert 0 < ended.count(TurnStatus.DONE) < CROWD
    assert ended.count(TurnStatus.DONE) + ended.count(TurnStatus.FAILED) == CROWD
    (budget,) = budgets
    assert budget.held == 0
    assert billed == budget.spent <= CAP_NANOUSD
    assert max(_uses) <= CAP_NANOUSD


_uses: list[int] = []


async def _highest_use(store: SqlStore) -> None:
    _uses.clear()
    while True:
        _uses.extend(budget.spent + budget.held for budget in await _budgets(store))
        await asyncio.sleep(0.05)


async def _budgets(store: SqlStore) -> list[BudgetRow]:
    async with store._db.read() as session:
        return list(await session.exec(select(BudgetRow)))
