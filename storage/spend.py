"""What was spent, added up by the database: every question is answered from one covering index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, text, tuple_
from sqlalchemy.orm import defer
from sqlmodel import col, select

from bot.calls import Purpose
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from bot.spend import SpendLine, Where
from storage.convert_money import to_entry
from storage.database import Database
from storage.tables import LlmCallRow, TurnRow

_MOST_AT_ONCE = 100
"""Names in one statement: databases limit its columns."""
_CALL = LlmCallRow
_GROUPED = (
    col(_CALL.tier),
    col(_CALL.alias),
    col(_CALL.purpose),
    col(_CALL.channel_id),
    col(_CALL.user_id),
    col(_CALL.status),
)
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

    async def spend_lines(self, where: Where, bounds: Sequence[datetime]) -> tuple[SpendLine, ...]:
        """What was spent between the bounds, added up; each line knows its part."""
        part = _part(bounds).label("part")
        is_unpriced = col(_CALL.cost).is_(None) & col(_CALL.input_tokens).is_not(None)
        statement = (
            select(  # type: ignore[call-overload]  # more columns than sqlmodel has overloads for
                part,
                *_GROUPED,
                func.count(),
                func.sum(case((is_unpriced, 1), else_=0)),
                *(
                    func.coalesce(func.sum(column), 0)
                    for column in (
                        col(_CALL.cost),
                        col(_CALL.lost_cost),
                        col(_CALL.input_tokens),
                        col(_CALL.cached_input_tokens),
                        col(_CALL.output_tokens),
                    )
                ),
            )
            .where(*_within(where, bounds[0], bounds[-1]))
            .group_by(part, *_GROUPED)
        )
        async with self._db.read() as session:
            return tuple(_to_line(row) for row in await session.exec(statement))

    async def spent_between(self, where: Where, since: datetime, until: datetime) -> int:
        """The total of a stretch, in nano-dollars."""
        amount = func.coalesce(func.sum(col(_CALL.cost)), 0) + func.coalesce(
            func.sum(col(_CALL.lost_cost)), 0
        )
        async with self._db.read() as session:
            found = await session.exec(select(amount).where(*_within(where, since, until)))
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
            select(_CALL)
            .options(defer(_CALL.text))  # type: ignore[arg-type]  # a column, to sqlmodel a str
            .where(*_within(where, None, before))
            .order_by(col(_CALL.created_at).desc())  # this alone comes from the index in order
            .limit(limit)
        )
        async with self._db.read() as session:
            found = [_to_entry(row) for row in await session.exec(statement)]
        return tuple(sorted(found, key=lambda e: (e.created_at, e.call_id), reverse=True))

    async def calls_after(
        self, where: Where, since: datetime, until: datetime, after: LedgerEntry | None, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a stretch that follow one of them, oldest first, without their texts."""
        key = tuple_(col(_CALL.created_at), col(_CALL.call_id))
        statement = (
            select(_CALL)
            .options(defer(_CALL.text))  # type: ignore[arg-type]  # a column, to sqlmodel a str
            .where(*_within(where, after.created_at if after else since, until))
            .order_by(col(_CALL.created_at), col(_CALL.call_id))
            .limit(limit)
        )
        if after is not None:
            last = tuple_(literal(after.created_at), literal(after.call_id))
            statement = statement.where(key > last)
        async with self._db.read() as session:
            return tuple(_to_entry(row) for row in await session.exec(statement))

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


def _within(where: Where, since: datetime | None, until: datetime) -> list[Any]:
    conditions = [
        col(_CALL.platform) == where.platform,
        col(_CALL.workspace_id) == where.workspace_id,
        col(_CALL.created_at) < until,
    ]
    if since is not None:
        conditions.append(col(_CALL.created_at) >= since)
    narrower = (
        (col(_CALL.user_id), where.user_id),
        (col(_CALL.channel_id), where.channel_id),
    )
    conditions += [column == value for column, value in narrower if value is not None]
    if where.purposes is not None:
        conditions.append(col(_CALL.purpose).in_(sorted(where.purposes)))
    return conditions


def _part(bounds: Sequence[datetime]) -> Any:
    """Which part a call is in: the first whose end is after it."""
    ends = bounds[1:-1]
    if not ends:
        return literal(0)
    return case(
        *((col(_CALL.created_at) < end, literal(index)) for index, end in enumerate(ends)),
        else_=literal(len(ends)),
    )


def _to_line(row: Any) -> SpendLine:
    part, tier, alias, purpose, channel_id, user_id, status, *figures = row
    calls, unpriced, cost, lost_cost, given, cached, written = (int(figure) for figure in figures)
    return SpendLine(
        part=part,
        tier=Tier(tier),
        alias=alias,
        purpose=Purpose(purpose),
        channel_id=channel_id,
        user_id=user_id,
        status=CallStatus(status),
        calls=calls,
        unpriced=unpriced,
        cost=cost,
        lost_cost=lost_cost,
        input_tokens=given,
        cached_input_tokens=cached,
        output_tokens=written,
    )


def _to_entry(row: LlmCallRow) -> LedgerEntry:
    row.text = ""
    return to_entry(row)
