"""What was spent, added up by the database: every question is answered from one covering index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, text, tuple_
from sqlmodel import col, select

from bot.ledger import LedgerEntry
from bot.spend import Spending, Where
from storage.convert_money import to_entry
from storage.database import Database
from storage.spend_query import to_spending, to_statement, within
from storage.tables import LLM_CALL, LlmCallRow, TurnRow

_MOST_AT_ONCE = 100
"""Names in one statement: databases limit its columns."""
_CALL = LlmCallRow
_ENTRIES = LLM_CALL.select().with_only_columns(
    *(column for column in LLM_CALL.c if column.name != "text"), literal("").label("text")
)
"""Calls without what the models wrote."""
_WORKSPACES = text(
    """
    WITH RECURSIVE platforms(platform) AS (
        SELECT min(platform) FROM llm_call
        UNION ALL
        SELECT (SELECT min(c.platform) FROM llm_call AS c WHERE c.platform > p.platform)
        FROM platforms AS p WHERE p.platform IS NOT NULL
    ), found(platform, workspace_id) AS (
        SELECT p.platform, (
            SELECT min(c.workspace_id) FROM llm_call AS c WHERE c.platform = p.platform
        ) FROM platforms AS p WHERE p.platform IS NOT NULL
        UNION ALL
        SELECT f.platform, (
            SELECT min(c.workspace_id) FROM llm_call AS c
            WHERE c.platform = f.platform AND c.workspace_id > f.workspace_id
        ) FROM found AS f WHERE f.workspace_id IS NOT NULL
    )
    SELECT platform, workspace_id FROM found WHERE workspace_id IS NOT NULL ORDER BY 1, 2
    """
)


class SqlSpend:
    """The reports' part of the store."""

    _db: Database

    async def spending(self, where: Where, bounds: Sequence[datetime]) -> Spending:
        """What was spent between the bounds, added up three times as it was at one moment."""
        async with self._db.query() as connection:
            return to_spending(await connection.execute(to_statement(where, bounds)))

    async def spent_between(self, where: Where, since: datetime, until: datetime) -> int:
        """The total of a stretch, in nano-dollars."""
        amount = func.coalesce(func.sum(col(_CALL.cost)), 0) + func.coalesce(
            func.sum(col(_CALL.lost_cost)), 0
        )
        async with self._db.read() as session:
            found = await session.exec(select(amount).where(*within(where, since, until)))
            return int(found.one() or 0)

    async def first_call_at(self, where: Where) -> datetime | None:
        """When the first call there was made."""
        statement = (
            select(_CALL.created_at)
            .where(_CALL.platform == where.platform, _CALL.workspace_id == where.workspace_id)
            .order_by(col(_CALL.created_at))
            .limit(1)
        )
        async with self._db.read() as session:
            return (await session.exec(statement)).first()

    async def latest_calls(
        self, where: Where, *, before: datetime, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The newest entries before then, newest first, without their texts."""
        statement = (
            _ENTRIES.where(*within(where, None, before))
            .order_by(col(_CALL.created_at).desc())  # this alone comes from the index in order
            .limit(limit)
        )
        async with self._db.query() as connection:
            found = [to_entry(row) for row in await connection.execute(statement)]
        return tuple(sorted(found, key=lambda e: (e.created_at, e.call_id), reverse=True))

    async def calls_after(
        self, where: Where, since: datetime, until: datetime, after: LedgerEntry | None, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a stretch that follow one of them, oldest first, without their texts."""
        key = tuple_(col(_CALL.created_at), col(_CALL.call_id))
        statement = (
            _ENTRIES.where(*within(where, after.created_at if after else since, until))
            .order_by(col(_CALL.created_at), col(_CALL.call_id))
            .limit(limit)
        )
        if after is not None:
            last = tuple_(literal(after.created_at), literal(after.call_id))
            statement = statement.where(key > last)
        async with self._db.query() as connection:
            return tuple(to_entry(row) for row in await connection.execute(statement))

    async def workspaces(self) -> tuple[tuple[str, str], ...]:
        """Every (platform, workspace id) that has called a model, hopping along the index."""
        async with self._db.read() as session:
            connection = await session.connection()
            rows = await connection.execute(_WORKSPACES)
            return tuple((platform, workspace_id) for platform, workspace_id in rows)

    async def user_names(self, where: Where, user_ids: Iterable[str]) -> dict[str, str]:
        """What people of a workspace were last called, by their ids; unknown ones are left out."""
        names: dict[str, str] = {}
        wanted = list(dict.fromkeys(user_ids))
        for start in range(0, len(wanted), _MOST_AT_ONCE):
            names |= await self._user_names(where, wanted[start : start + _MOST_AT_ONCE])
        return names

    async def _user_names(self, where: Where, wanted: Sequence[str]) -> dict[str, str]:
        latest = [
            select(TurnRow.user_name)
            .where(TurnRow.platform == where.platform, TurnRow.workspace_id == where.workspace_id)
            .where(TurnRow.user_id == user_id, TurnRow.user_name != "")
            .order_by(col(TurnRow.created_at).desc())
            .limit(1)
            .scalar_subquery()
            for user_id in wanted
        ]
        async with self._db.read() as session:
            connection = await session.connection()
            names = (await connection.execute(select(*latest))).one()
        return {user_id: name for user_id, name in zip(wanted, names, strict=True) if name}

    async def turn_decisions(self, turn_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Why each of these turns got its model, in plain values."""
        statement = select(TurnRow.turn_id, TurnRow.decision).where(
            col(TurnRow.turn_id).in_(turn_ids)
        )
        async with self._db.read() as session:
            return {turn_id: dict(decision) for turn_id, decision in await session.exec(statement)}
