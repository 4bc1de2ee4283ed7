"""What the database holds in the end: answers, holds, and rows that something explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel, select

from adapters.engine.workflows import Workflows
from bot.turns import Turn, TurnStatus
from storage import SqlStore, open_store
from storage.tables import BudgetRow
from tests.soak.diary import Diary, Prompt

ORPHANS = {
    "turns without a message": "turn WHERE message_row_id NOT IN (SELECT id FROM message)",
    "calls without a turn": "llm_call WHERE turn_id NOT IN (SELECT turn_id FROM turn)",
    "posts without a turn": "post WHERE turn_id NOT IN (SELECT turn_id FROM turn)",
    "opinions without a turn": "feedback WHERE turn_id NOT IN (SELECT turn_id FROM turn)",
    "messages without a conversation": (
        "message WHERE NOT is_withdrawn "
        "AND conversation_id NOT IN (SELECT conversation_id FROM conversation)"
    ),
    "conversations without a message": (
        "conversation WHERE conversation_id NOT IN (SELECT conversation_id FROM message)"
    ),
}
"""Rows that nothing explains; there must be none."""
SETTLED = ("dbos_migrations", "application_versions", "queues", "workflow_schedules")
"""The engine's tables that have the same few rows whatever was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was found."""

    turns: Counter[str]
    rows: Mapping[str, int]
    lost: list[str]
    """Prompts with neither an answer nor a reason."""
    unseen: list[str]
    """Prompts that were answered or refused where nobody can see it."""
    held: int
    open_calls: int
    orphans: Mapping[str, int]
    engine_rows: int
    engine_rows_tomorrow: int
    """After what the engine purges once a day has passed."""
    size_mb: float


async def inspect_kept(database: str, diary: Diary, is_seen: Callable[[str, Prompt], bool]) -> Kept:
    """Look at the database of a program that has ended."""
    async with open_store(database) as store:
        turns = {turn_id: await store.turn(turn_id) for turn_id in diary.prompts}
        due = {t: prompt for t, prompt in diary.prompts.items() if not prompt.may_be_gone}
        lost = {t: prompt for t, prompt in due.items() if _is_lost(turns[t])}
        unseen = {t: p for t, p in due.items() if t not in lost and not is_seen(t, p)}
        rows = await _rows(store)
        return Kept(
            turns=Counter(turn.status.value for turn in turns.values() if turn),
            rows=rows,
            lost=_named(lost, turns),
            unseen=_named(unseen, turns),
            held=await _held(store),
            open_calls=await _count(store, "llm_call WHERE status = 'open'"),
            orphans={name: await _count(store, where) for name, where in ORPHANS.items()},
            engine_rows=_of_engine(rows),
            engine_rows_tomorrow=await _after_purge(store),
            size_mb=await size_mb(store),
        )


def _named(prompts: Mapping[str, Prompt], turns: Mapping[str, Turn | None]) -> list[str]:
    """Each with what it was and how far it came."""
    return [
        f"{turn_id} ({prompt.kind}, {turn.status.value if (turn := turns[turn_id]) else 'unknown'})"
        for turn_id, prompt in prompts.items()
    ]


def _is_lost(turn: Turn | None) -> bool:
    """Whether nobody would know what became of it."""
    if turn is None or not turn.status.is_over:
        return True
    if turn.status is TurnStatus.DONE:
        return turn.reply is None
    return turn.status is TurnStatus.FAILED and not turn.notice


async def size_mb(store: SqlStore) -> float:
    """How large the database is; on SQLite with its log of writes."""
    if store.url.get_backend_name() == "sqlite":
        folder, name = Path(str(store.url.database)).parent, Path(str(store.url.database)).name
        return sum(path.stat().st_size for path in folder.glob(f"{name}*")) / 2**20
    async with store._db.read() as session:
        found = await (await session.connection()).scalar(
            text("SELECT pg_database_size(current_database())")
        )
        return float(found or 0) / 2**20


async def _rows(store: SqlStore) -> dict[str, int]:
    """Each table with its rows, the engine's too."""
    async with store._db.read() as session:
        connection = await session.connection()
        names = await connection.run_sync(_tables)
        return {name: await _count(store, name) for name in names}


def _tables(connection: Connection) -> list[str]:
    looking = inspect(connection)
    schemas = [s for s in looking.get_schema_names() if s not in ("information_schema",)]
    default = looking.default_schema_name
    return [
        table if schema == default else f"{schema}.{table}"
        for schema in schemas
        for table in looking.get_table_names(schema=schema)
    ]


async def _count(store: SqlStore, where: str) -> int:
    async with store._db.read() as session:
        connection = await session.connection()
        return int(await connection.scalar(text(f"SELECT count(*) FROM {where}")) or 0)


async def _held(store: SqlStore) -> int:
    async with store._db.read() as session:
        return sum(budget.held for budget in await session.exec(select(BudgetRow)))


def _of_engine(rows: Mapping[str, int]) -> int:
    ours = {*SQLModel.metadata.tables, "alembic_version", *SETTLED}
    return sum(n for name, n in rows.items() if name.rpartition(".")[2] not in ours)


async def _after_purge(store: SqlStore) -> int:
    """Have the engine purge as it does a day later, and count what it leaves."""
    run: Callable[[str], Awaitable[None]] = _run_nothing
    workflows = Workflows(store.url, "soak", run)  # type: ignore[arg-type]  # nothing is left to run
    await workflows.launch()
    try:
        await workflows.purge(datetime.now(UTC) + timedelta(minutes=1))
    finally:
        await workflows.stop()
    return _of_engine(await _rows(store))


async def _run_nothing(turn_id: str) -> None:
    raise AssertionError(f"{turn_id} was left in the queue")
