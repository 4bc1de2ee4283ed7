"""How long a workspace's week takes on ledgers of 10 thousand to 10 million calls.

    python -m tests.bench.bench_spend                    10 k and 1 M rows on SQLite
    python -m tests.bench.bench_spend --postgres         the same on PostgreSQL
    python -m tests.bench.bench_spend --rows 10000000    10 M, which takes some minutes to make
    python -m tests.bench.bench_spend --each 1000000     one workspace that made a million calls

Two years of calls, 20 thousand for each workspace (some 190 a week), made by the database itself:
the ledger grows as it does, by more workspaces. The last two lines are all time again: the CPU time
of this process (on SQLite that is all of it), and the part of it in the event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import Connection, text
from sqlmodel import SQLModel
from starlette.applications import Starlette

from adapters.web import Dashboard
from bot.caps import NO_CAPS
from bot.periods import Span, same_before, stretch_at
from bot.reporting import Reporter
from bot.spend import Where
from storage import SqlStore, open_store
from tests.bench.figures import Figure, record
from tests.fakes import FrozenClock, catalog
from tests.postgres import running_server

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
HISTORY = timedelta(days=730)
CALLS_EACH = 20_000
RUNS = 9
TARGETS_MS = {"week": 20.0}
HERE = Where(platform="bench", workspace_id="0")
_COLUMNS = (
    "call_id, turn_id, platform, workspace_id, channel_id, user_id, purpose, tier, alias, "
    "model_id, served_model_id, status, attempt, hold, held_in, cost, list_price, lost_cost, "
    "input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, is_estimated, "
    "latency_s, finish_reason, text, error, error_message, created_at"
)
_VALUES = """
    'c' || n, 't' || n, 'bench', CAST(n % {workspaces} AS TEXT), 'ch' || (n % 13), 'u' || (n % 97),
    'answer', (n / {workspaces}) % 3, 'model' || ((n / {workspaces}) % 5), 'p/m', 'm', 'done', 1, 0,
    '[]', (n * 31) % 5000000, (n * 31) % 5000000, 0, 500 + n % 3000, n % 900, 0, 0, {false}, 1.5,
    'stop', 'An answer of some words, as they are kept for a turn that is run again.', '', '', {at}
"""


async def fill(store: SqlStore, rows: int, each: int) -> None:
    """Make the calls where they are kept."""
    first, step_s = (NOW - HISTORY).timestamp(), HISTORY.total_seconds() / rows
    moment = f"{first} + n * {step_s!r}"
    if store.url.get_backend_name() == "sqlite":
        at = f"strftime('%Y-%m-%d %H:%M:%f', {moment}, 'unixepoch') || '000'"
        source = (
            "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers "
            f"WHERE n < {rows - 1}) SELECT {_VALUES} FROM numbers"
        )
        false = "0"
    else:
        at, false = f"to_timestamp({moment})", "false"
        source = f"SELECT {_VALUES} FROM generate_series(0, {rows - 1}) AS n"
    values = source.format(workspaces=max(1, rows // each), at=at, false=false)
    async with store._db.write() as session:
        connection = await session.connection()
        await connection.run_sync(_without_indexes, f"INSERT INTO llm_call ({_COLUMNS}) {values}")
    async with store._db.write() as session:
        connection = await session.connection()
        await connection.execute(text("ANALYZE llm_call"))
    if store.url.get_backend_name() != "sqlite":
        async with store._db.writer.connect() as plain:
            vacuum = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await vacuum.execute(text("VACUUM llm_call"))  # as autovacuum does by and by


def _without_indexes(connection: Connection, statement: str) -> None:
    """Run a statement, and build the indexes once behind it: many rows go in faster so."""
    table = SQLModel.metadata.tables["llm_call"]
    for index in table.indexes:
        index.drop(connection)
    connection.execute(text(statement))
    for index in table.indexes:
        index.create(connection)


async def median_ms(ask: Callable[[], Awaitable[object]]) -> float:
    """The usual time of an answer, once what it needs is in memory."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - started) * 1_000)
    return statistics.median(times[1:])


async def cpu_ms(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """What an answer costs this process, and how much of that keeps all others waiting."""
    everywhere, event_loop = time.process_time(), time.thread_time()
    await ask()
    return (time.process_time() - everywhere) * 1_000, (time.thread_time() - event_loop) * 1_000


async def measure(address: str, rows: int, each: int) -> dict[str, float]:
    """Each question on a ledger of that size."""
    clock = FrozenClock(NOW)
    async with open_store(address) as store:
        started = time.perf_counter()
        await fill(store, rows, each)
        print(f"  {rows:>10,} rows made in {time.perf_counter() - started:.0f} s", flush=True)
        week, month, ever = (
            stretch_at(span, NOW, UTC, NOW - HISTORY) for span in (Span.WEEK, Span.MONTH, Span.ALL)
        )
        before = same_before(week, NOW, UTC)
        assert before is not None
        reporter = Reporter(store, catalog, clock, instance_caps=NO_CAPS)
        dashboard = Dashboard(store=store, reporter=reporter, clock=clock, instance_caps=NO_CAPS)
        transport = httpx.ASGITransport(app=Starlette(routes=dashboard.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
            page = "/spend?workspace=bench/0"
            times = {
                "week": await median_ms(lambda: store.spending(HERE, week.bounds)),
                "week total": await median_ms(lambda: store.spent_between(HERE, *before)),
                "month": await median_ms(lambda: store.spending(HERE, month.bounds)),
                "all": await median_ms(lambda: store.spending(HERE, ever.bounds)),
                "page": await median_ms(lambda: http.get(page)),
            }
            cpu, in_loop = await cpu_ms(lambda: store.spending(HERE, ever.bounds))
            return {**times, "all: CPU": cpu, "all: loop": in_loop}


@contextlib.contextmanager
def addresses(*, postgres: bool) -> Iterator[Callable[[], str]]:
    """Gives the address of a new database."""
    if postgres:
        with running_server() as server:
            yield server.new_database
        return
    folder = Path(tempfile.mkdtemp(prefix="parley-bench"))
    try:
        yield lambda: str(folder / f"{time.monotonic_ns()}.db")
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure and print, with the growth from the smallest ledger to the largest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--each", type=int, default=CALLS_EACH, help="calls of one workspace")
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    print("PostgreSQL" if options.postgres else "SQLite")
    with addresses(postgres=options.postgres) as new_address:
        found = {
            rows: asyncio.run(measure(new_address(), rows, options.each)) for rows in options.rows
        }
    first, last = found[options.rows[0]], found[options.rows[-1]]
    print(f"  {'median ms':<12}" + "".join(f"{rows:>12,}" for rows in found) + f"{'growth':>9}")
    for name in first:
        shown = "".join(f"{times[name]:>12.2f}" for times in found.values())
        print(f"  {name:<12}{shown}{last[name] / first[name]:>8.1f}×")
        what, target = f"{name}, {options.rows[-1]:,} calls", TARGETS_MS.get(name)
        record(Figure(name=what, value=last[name], unit="ms", target=target))


if __name__ == "__main__":
    main()
