"""What every store promises about sums: they are the ledger's, whoever adds up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import CompoundSelect, text

from bot.calls import Purpose
from bot.ledger import CallStatus, LedgerEntry
from bot.ports import Store
from bot.spend import Spending, Sums, Where, to_spending
from storage import MemoryStore, SqlStore, open_store
from storage.spend_query import to_statement
from tests.contract.conftest import AnyStore
from tests.contract.examples import NOON, accepted, answered
from tests.unit.spending import HERE, MONDAY, WEEK, call, entries, usd


async def booked(store: Store, *found: LedgerEntry) -> None:
    """Bring entries into the ledger as calls do, by opening and closing them."""
    for entry in found:
        opened = replace(entry, status=CallStatus.OPEN, usage=None, cost=None, lost_cost=0)
        await store.open(opened, ())
        if entry.status is not CallStatus.OPEN:
            await store.close(replace(entry, lost_cost=0))


def in_any_order(spending: Spending) -> list[set[Sums]]:
    return [set(sums) for sums in all_three(spending)]


def all_three(spending: Spending) -> tuple[tuple[Sums, ...], ...]:
    return spending.lines, spending.channels, spending.people


def whole(sums: Iterable[Sums]) -> tuple[int, ...]:
    every = tuple(sums)
    return tuple(sum(getattr(each, field.name) for each in every) for field in fields(Sums))


async def test_sums_are_what_the_ledger_adds_up_to(store: AnyStore) -> None:
    found = [
        call(1),
        call(2, created_at=MONDAY + timedelta(days=3), user_id="bob", cost=usd("2")),
        call(3, status=CallStatus.FAILED, cost=0),
        call(4, cost=None),
        call(5, status=CallStatus.OPEN, cost=None, usage=None, list_price=None),
        call(6, created_at=WEEK.until),
        call(7, created_at=MONDAY - timedelta(microseconds=1)),
        call(8, workspace_id="other"),
    ]
    await booked(store, *found)

    spending = await store.spending(HERE, WEEK.bounds)

    assert in_any_order(spending) == in_any_order(to_spending(found[:7], WEEK.bounds))
    assert await store.spent_between(HERE, WEEK.since, WEEK.until) == usd("3")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.lists(entries, max_size=12, unique_by=lambda entry: entry.call_id))
async def test_a_database_adds_up_as_the_core_does(
    tmp_path_factory: pytest.TempPathFactory, found: list[LedgerEntry]
) -> None:
    memory = MemoryStore()
    await booked(memory, *found)
    async with open_store(tmp_path_factory.mktemp("db") / "parley.db") as store:
        await booked(store, *found)

        spending = await store.spending(HERE, WEEK.bounds)

    assert in_any_order(spending) == in_any_order(await memory.spending(HERE, WEEK.bounds))
    assert len(set(map(whole, all_three(spending)))) == 1


async def test_the_three_sums_are_of_one_moment_while_calls_are_closed(store: AnyStore) -> None:
    found = [call(n, created_at=MONDAY + timedelta(hours=n)) for n in range(60)]
    closing = asyncio.create_task(booked(store, *found))

    seen = [await store.spending(HERE, WEEK.bounds)]
    while not closing.done():
        seen.append(await store.spending(HERE, WEEK.bounds))
        await asyncio.sleep(0)  # a store in memory never waits

    await closing
    for spending in seen:
        assert len(set(map(whole, all_three(spending)))) == 1


async def test_asks_only_for_what_was_narrowed_to(store: AnyStore) -> None:
    bob = call(2, user_id="bob", channel_id="d", purpose=Purpose.JUDGE, cost=usd("2"))
    await booked(store, call(1), bob)

    for narrower in (
        replace(HERE, user_id="bob"),
        replace(HERE, channel_id="d"),
        replace(HERE, purposes=frozenset({Purpose.JUDGE, Purpose.PROPOSE})),
    ):
        assert await store.spent_between(narrower, WEEK.since, WEEK.until) == usd("2")
        spending = await store.spending(narrower, WEEK.bounds)
        assert [line.purpose for line in spending.lines] == [Purpose.JUDGE]
        assert [portion.key for portion in spending.channels] == ["d"]
        assert [portion.key for portion in spending.people] == ["bob"]
        assert [e.user_id for e in await store.latest_calls(narrower, before=NOON, limit=9)] == [
            "bob"
        ]


async def test_one_part_is_the_whole(store: AnyStore) -> None:
    await booked(store, call(1))

    spending = await store.spending(HERE, (WEEK.since, WEEK.until))

    assert [line.part for line in spending.lines] == [0]


async def test_nothing_was_spent_where_nothing_was_asked(store: AnyStore) -> None:
    assert await store.spending(HERE, WEEK.bounds) == Spending()
    assert await store.spent_between(HERE, WEEK.since, WEEK.until) == 0
    assert await store.first_call_at(HERE) is None
    assert await store.workspaces() == ()


async def test_knows_the_first_call_and_the_latest(store: AnyStore) -> None:
    found = [call(n, created_at=MONDAY + timedelta(hours=n)) for n in range(4)]
    await booked(store, *found)

    latest = await store.latest_calls(HERE, before=found[3].created_at, limit=2)

    assert await store.first_call_at(HERE) == MONDAY
    assert [entry.turn_id for entry in latest] == ["t2", "t1"]


async def test_the_whole_ledger_is_read_in_pages_without_a_gap(store: AnyStore) -> None:
    found = [call(n, created_at=MONDAY + timedelta(hours=n // 3)) for n in range(10)]
    await booked(store, *found)

    read: list[LedgerEntry] = []
    while page := await store.calls_after(
        HERE, WEEK.since, WEEK.until, read[-1] if read else None, 4
    ):
        read += page

    assert [entry.call_id for entry in read] == [entry.call_id for entry in found]


async def test_knows_why_a_turn_got_its_model(store: AnyStore) -> None:
    done = await answered(store, 1)

    assert await store.turn_decisions([done.turn_id, "nobody"]) == {
        done.turn_id: dict(done.decision)
    }


async def test_workspaces_of_one_name_are_told_apart_by_platform_and_id(store: AnyStore) -> None:
    for number, (platform, workspace) in enumerate([("a", "x"), ("b", "x"), ("a", "y")] * 2):
        await booked(store, call(number, platform=platform, workspace_id=workspace))

    assert await store.workspaces() == (("a", "x"), ("a", "y"), ("b", "x"))
    x_of_b = Where(platform="b", workspace_id="x")
    assert await store.spent_between(x_of_b, WEEK.since, WEEK.until) == usd("2")


async def test_knows_what_people_are_called(store: AnyStore) -> None:
    await accepted(store, 1)

    assert await store.user_names(HERE, ["ann", "nobody"]) == {"ann": "Ann"}
    elsewhere = Where(platform="test", workspace_id="other")
    assert await store.user_names(elsewhere, ["ann"]) == {}


async def test_a_digest_is_claimed_once(sql_store: SqlStore) -> None:
    claims = [await sql_store.claim_digest("test/w", "2026-W47", NOON) for _ in range(3)]

    assert [claim is not None for claim in claims] == [True, False, False]
    assert await sql_store.claim_digest("test/other", "2026-W47", NOON)
    assert await sql_store.claim_digest("test/w", "2026-W48", NOON)


async def test_a_claim_that_was_never_ended_can_be_taken_over(sql_store: SqlStore) -> None:
    first = await sql_store.claim_digest("test/w", "2026-W47", NOON)
    later = NOON + timedelta(minutes=10)
    second = await sql_store.claim_digest("test/w", "2026-W47", later)

    assert first is not None
    assert second is not None
    assert second.attempt == 2
    await sql_store.postpone_digest(first, NOON, "it was slow")  # is no longer its to postpone
    assert await sql_store.claim_digest("test/w", "2026-W47", later) is None


async def test_a_posted_digest_is_never_claimed_again(sql_store: SqlStore) -> None:
    claim = await sql_store.claim_digest("test/w", "2026-W47", NOON)
    assert claim is not None
    await sql_store.end_digest(claim, NOON)

    assert await sql_store.claim_digest("test/w", "2026-W47", NOON + timedelta(days=9)) is None


async def test_a_failed_digest_is_claimed_again_when_its_time_has_come(
    sql_store: SqlStore,
) -> None:
    claim = await sql_store.claim_digest("test/w", "2026-W47", NOON)
    assert claim is not None
    await sql_store.postpone_digest(claim, NOON + timedelta(hours=1), "no permission")

    early = await sql_store.claim_digest("test/w", "2026-W47", NOON + timedelta(minutes=59))
    due = await sql_store.claim_digest("test/w", "2026-W47", NOON + timedelta(minutes=60))

    assert early is None
    assert due is not None
    assert due.attempt == 2


async def test_reads_a_week_from_the_index_alone(sql_store: SqlStore) -> None:
    await booked(sql_store, *(call(n) for n in range(20)))

    plan = await _plan_of(sql_store, to_statement(HERE, WEEK.bounds))

    looked_up = [line for line in plan if " llm_call " in f"{line} "]
    assert len(looked_up) == len(WEEK.labels) + 2
    assert all("ix_llm_call_spend" in line for line in looked_up)
    assert all("COVERING INDEX" in line or "Index Only Scan" in line for line in looked_up)


async def _plan_of(store: SqlStore, statement: CompoundSelect[Any]) -> list[str]:
    """How the database answers, once small tables are as large as they will be."""
    dialect = store._db.reader.dialect
    shown = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    is_sqlite = dialect.name == "sqlite"
    async with store._db.query() as connection:
        if not is_sqlite:
            await connection.execute(text("SET enable_seqscan = off"))
            await connection.execute(text("SET enable_bitmapscan = off"))
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        rows = await connection.exec_driver_sql(f"{explain} {shown}")
        return [str(row[-1]) for row in rows]


async def test_a_place_has_its_last_name(store: AnyStore) -> None:
    await store.name_place("test", "w", "", "Acme")
    await store.name_place("test", "w", "c", "#general")
    await store.name_place("test", "other", "c", "#else")
    await store.name_place("test", "w", "c", "#everything")

    assert await store.channel_names(HERE, ["c", "unknown", ""]) == {"c": "#everything"}
    assert await store.workspace_names() == {("test", "w"): "Acme"}
    assert await store.channel_names(HERE, []) == {}


async def test_many_people_have_names_at_once(store: AnyStore) -> None:
    await answered(store, 1)

    found = await store.user_names(HERE, [*(f"u{n}" for n in range(250)), "ann"])

    assert set(found) == {"ann"}
