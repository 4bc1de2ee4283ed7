"""A quarter of digests: three processes on PostgreSQL, killed and away at random, two clock
changes. Each week comes exactly once, and says what the ledger says.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.money import format_usd
from bot.settings import SettingChange
from storage import SqlStore, open_store
from storage.convert_money import to_call_values
from storage.tables import LLM_CALL
from tests.chaos.digest_process import PLATFORM
from tests.postgres import Server, running_server
from tests.unit.spending import call, usd

WEEKS = 13
STEP = timedelta(hours=6)
FIRST_MONDAY = date(2026, 1, 5)
START, END = datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 4, 14, tzinfo=UTC)
"""From the end of the first week until the digest of the last one is out everywhere."""
# Casablanca's clocks change on Sunday, 15 February and 22 March, at the hour of its digest.
PLACES = {
    "casablanca": {"zone": "Africa/Casablanca", "digest_weekday": "sunday", "digest_time": "2:30"},
    "berlin": {"zone": "Europe/Berlin", "digest_weekday": "monday", "digest_time": "9:00"},
}
pytestmark = pytest.mark.postgres


@dataclass(slots=True)
class Process:
    """One process, which may be away for some hours, and is begun anew after it was killed."""

    address: str
    running: asyncio.subprocess.Process | None = None
    away_until: datetime = START

    async def at(self, now: datetime) -> None:
        """Let it look for what is due, unless it is away."""
        if now < self.away_until:
            return
        await self._send(now)
        assert self.running is not None
        assert self.running.stdout is not None
        assert await self.running.stdout.readline() == b"done\n"

    async def die_at(self, now: datetime, after_s: float) -> None:
        """Let it look for what is due, and kill it in the middle of that."""
        await self._send(now)
        await asyncio.sleep(after_s)
        await self.end()

    async def end(self) -> None:
        if self.running is not None:
            self.running.kill()
            await self.running.wait()
        self.running = None

    async def _send(self, now: datetime) -> None:
        if self.running is None:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.chaos.digest_process", self.address),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=dict(os.environ),
            )
            assert self.running.stdout is not None
            assert await self.running.stdout.readline() == b"ready\n"
        assert self.running.stdin is not None
        self.running.stdin.write(f"{now.isoformat()}\n".encode())
        await self.running.stdin.drain()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
async def store(server: Server) -> AsyncIterator[SqlStore]:
    address = server.new_database()
    async with open_store(address) as store:
        yield store
    server.drop(address)


async def _execute(store: SqlStore, statement: str) -> list[tuple[str, ...]]:
    async with store._db.write() as session:
        connection = await session.connection()
        result = await connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


async def _set_up(store: SqlStore, rnd: random.Random) -> dict[tuple[str, str], int]:
    """Calls in every local week, and what each week comes to, counted here."""
    await _execute(store, PLATFORM)
    expected: dict[tuple[str, str], int] = {}
    rows: list[dict[str, Any]] = []
    for workspace, settings in PLACES.items():
        for name, value in {**settings, "digest_channel": "C1"}.items():
            change = SettingChange(
                scope_id=f"test/{workspace}", name=name, after=value, user_id="ann",
                at=datetime(2026, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            await store.set_setting(change)
        for week in range(WEEKS):
            monday = FIRST_MONDAY + timedelta(weeks=week)
            key = "{}-W{:02}".format(*monday.isocalendar())
            for number in range(40):
                local = datetime(monday.year, monday.month, monday.day) + timedelta(  # noqa: DTZ001
                    seconds=[0, 7 * 86_400 - 1, rnd.randrange(7 * 86_400)][min(number, 2)]
                )
                at = local.replace(tzinfo=ZoneInfo(settings["zone"])).astimezone(UTC)
                cost = usd("0.01") * rnd.randrange(1, 300)
                number_of_call = len(rows)
                made = call(number_of_call, workspace_id=workspace, created_at=at, cost=cost)
                rows.append(to_call_values(made, []))
                expected[workspace, key] = expected.get((workspace, key), 0) + cost
    async with store._db.transaction() as connection:
        await connection.execute(LLM_CALL.insert(), rows)
    return expected


@pytest.mark.timeout(600)
async def test_a_quarter_brings_each_digest_once_with_the_ledgers_figures(
    store: SqlStore,
) -> None:
    rnd = random.Random(8)
    expected = await _set_up(store, rnd)
    address = store.url.render_as_string(hide_password=False)
    processes = [Process(address) for _ in range(3)]
    now = START
    deaths = 0
    try:
        while now < END:
            await _live_through(processes, now, rnd)
            if _is_due_about(now) and rnd.random() < 0.2:
                deaths += 1
                await rnd.choice(processes).die_at(now + STEP / 2, rnd.random() * 0.03)
            now += STEP
    finally:
        for process in processes:
            await process.end()

    posted = await _execute(
        store, "SELECT workspace_id, post_id, headline FROM platform_message ORDER BY id"
    )
    found = {
        (workspace, post_id.split(":")[2]): headline for workspace, post_id, headline in posted
    }
    assert deaths >= 5
    assert len(posted) == WEEKS * len(PLACES)
    assert found == {key: format_usd(amount) for key, amount in expected.items()}


async def _live_through(processes: list[Process], now: datetime, rnd: random.Random) -> None:
    """Some hours: who is there looks at once with the others; now and then one goes away."""
    for process in processes:
        if rnd.random() < 0.02:
            process.away_until = now + timedelta(hours=rnd.randrange(6, 90))
    if rnd.random() < 0.005:  # a downtime of all
        until = now + timedelta(hours=rnd.randrange(6, 60))
        for process in processes:
            process.away_until = until
    await asyncio.gather(*(process.at(now) for process in processes))


def _is_due_about(now: datetime) -> bool:
    return now.weekday() in (0, 6) and now.hour in (0, 6)
