"""What opinions have taught, for each workspace by itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func
from sqlmodel import col, select, update

from bot.catalog import Tier
from bot.lessons import AnsweredTurn, LearnedVersion
from bot.turns import TurnStatus
from storage.convert import to_key
from storage.database import Database
from storage.tables import LEARNED, FeedbackRow, LearnedRow, MessageRow, TurnRow


class SqlLessons:
    """The part of the store from which the router learns."""

    _db: Database

    async def answered(self, scope_id: str, limit: int) -> tuple[AnsweredTurn, ...]:
        """The workspace's newest turns that one model answered, oldest first; none forgotten."""
        platform, workspace_id = scope_id.split("/", 1)
        marks = (
            select(func.coalesce(func.sum(col(FeedbackRow.value)), 0))
            .where(col(FeedbackRow.turn_id) == col(TurnRow.turn_id))
            .scalar_subquery()
        )
        async with self._db.read() as session:
            found = await session.exec(
                select(TurnRow, marks)
                .join(MessageRow)
                .where(TurnRow.platform == platform, TurnRow.workspace_id == workspace_id)
                .where(TurnRow.status == TurnStatus.DONE.value, ~col(MessageRow.is_withdrawn))
                .order_by(col(TurnRow.created_at).desc(), col(TurnRow.turn_id))
                .limit(limit)
            )
            turns = [_to_answered(row, int(total)) for row, total in found]
        return tuple(turn for turn in reversed(turns) if turn is not None)

    async def rated_workspaces(self) -> tuple[str, ...]:
        """The scope ids of all workspaces in which somebody gave an opinion."""
        async with self._db.read() as session:
            found = await session.exec(
                select(TurnRow.platform, TurnRow.workspace_id)
                .join(FeedbackRow, col(FeedbackRow.turn_id) == col(TurnRow.turn_id))
                .distinct()
            )
            return tuple(sorted(f"{platform}/{workspace}" for platform, workspace in found))

    async def learned(self, scope_id: str) -> LearnedVersion | None:
        """The version in use: the newest that was accepted and not withdrawn."""
        async with self._db.read() as session:
            found = await session.exec(
                select(LearnedRow)
                .where(LearnedRow.scope_id == scope_id)
                .where(LearnedRow.is_accepted, ~col(LearnedRow.is_withdrawn))
                .order_by(col(LearnedRow.number).desc())
                .limit(1)
            )
            row = found.first()
            return None if row is None else LearnedVersion(**row.model_dump())

    async def learned_versions(self, scope_id: str) -> tuple[LearnedVersion, ...]:
        """All versions, the newest first."""
        async with self._db.read() as session:
            found = await session.exec(
                select(LearnedRow)
                .where(LearnedRow.scope_id == scope_id)
                .order_by(col(LearnedRow.number).desc())
            )
            return tuple(LearnedVersion(**row.model_dump()) for row in found)

    async def keep_learned(self, version: LearnedVersion) -> bool:
        """Keep a version; False when another process has kept one of that number."""
        async with self._db.transaction() as connection:
            return await self._db.insert_new(connection, LEARNED, _to_values(version)) is not None

    async def withdraw_learned(self, scope_id: str, number: int) -> None:
        """Roll a version back: the one before it is in use again."""
        async with self._db.write() as session:
            await session.exec(
                update(LearnedRow)
                .where(col(LearnedRow.scope_id) == scope_id, col(LearnedRow.number) == number)
                .values(is_withdrawn=True)
            )


def _to_values(version: LearnedVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in LearnedRow.model_fields}


def _to_answered(row: TurnRow, marks: int) -> AnsweredTurn | None:
    """A turn that one model answered; None for a command, a debate or an ensemble."""
    tier = served_tier(row.decision)
    if tier is None:
        return None
    return AnsweredTurn(
        turn_id=row.turn_id,
        key=to_key(row),
        prompt=row.prompt,
        tier=tier,
        created_at=row.created_at,
        marks=marks,
        retry_of=row.retry_of,
    )


def served_tier(decision: Any) -> Tier | None:
    """The tier that answered, where one model did."""
    label = decision.get("tier")
    if not label or "command" in decision or "strategy" in decision:
        return None
    return Tier[str(label).upper()]
