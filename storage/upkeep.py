"""What is asked after a crash and now and then, and what is forgotten for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.messages import ConversationKey
from bot.turns import Turn, TurnStatus
from storage.convert import to_key, to_turn
from storage.database import Database
from storage.intake import OVER
from storage.ledger import ended_turns_with_open_calls, release_open_calls
from storage.line import Line
from storage.reservations import ended_turns_with_reservations
from storage.tables import TURN, ConversationRow, LlmCallRow, MessageRow, TurnRow

RECENT = timedelta(days=14)
STUCK_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is not over: how many turns wait and run, and which of them make no headway."""

    counts: Mapping[tuple[str, TurnStatus], int]
    """By platform and status."""
    oldest_queued_s: float
    stuck: tuple[str, ...]
    """Turns that run for more than 15 minutes while no model writes for them."""


class SqlUpkeep:
    """The engine's part of the store."""

    _db: Database
    line: Line | None = None

    async def unfinished(self) -> tuple[Turn, ...]:
        """The turns that are queued or running, oldest first."""
        async with self._db.read() as session:
            found = await session.exec(
                select(TurnRow, MessageRow)
                .join(MessageRow)
                .where(col(TurnRow.finished_at).is_(None), col(TurnRow.status).not_in(OVER))
                .order_by(col(TurnRow.created_at), col(TurnRow.message_row_id))
            )
            return tuple(to_turn(*pair) for pair in found)

    async def number_of(self, turn: Turn) -> int:
        """How many turns of its conversation there were when it came, itself included.

        It is the number that it was given as it was accepted, if it was given any.
        """
        own = aliased(TurnRow)
        before = col(TurnRow.created_at) < col(own.created_at)
        at_once = col(TurnRow.created_at) == col(own.created_at)
        async with self._db.read() as session:
            found = await session.exec(
                select(func.count())
                .select_from(TurnRow)
                .join(own, col(TurnRow.conversation_id) == col(own.conversation_id))
                .where(own.turn_id == turn.turn_id)
                .where(before | at_once & (col(TurnRow.message_row_id) <= col(own.message_row_id)))
            )
            return found.one()

    async def ping(self) -> None:
        """Ask the database for nothing; raises StoreError when it does not answer."""
        async with self._db.read() as session:
            await session.exec(select(1))

    async def backlog(self, at: datetime) -> Backlog:
        """What is queued and running in the whole database."""
        async with self._db.read() as session:
            groups = await session.exec(
                select(TurnRow.platform, TurnRow.status, func.count(), func.min(TurnRow.created_at))
                .where(col(TurnRow.finished_at).is_(None), col(TurnRow.status).not_in(OVER))
                .group_by(col(TurnRow.platform), col(TurnRow.status))
            )
            counts: dict[tuple[str, TurnStatus], int] = {}
            oldest_queued_s = 0.0
            for platform, status, count, oldest in groups:
                counts[platform, TurnStatus(status)] = count
                if status == TurnStatus.QUEUED.value:
                    oldest_queued_s = max(oldest_queued_s, (at - oldest).total_seconds())
            stuck = await session.exec(_stuck_since(at - STUCK_AFTER))
            return Backlog(counts=counts, oldest_queued_s=oldest_queued_s, stuck=tuple(stuck))

    async def give_up(self, turn_id: str, notice: str, at: datetime) -> None:
        """Keep a turn as failed that could not be ended in the ordinary way."""
        async with self._db.transaction() as connection:
            given_up = await connection.execute(
                TURN.update()
                .where(TURN.c.turn_id == turn_id, TURN.c.status.not_in(OVER))
                .values(status=TurnStatus.FAILED.value, notice=notice, finished_at=at)
            )
            if given_up.rowcount:
                await release_open_calls(connection, (turn_id,))
                if self.line is not None:
                    await connection.run_sync(self.line.leave, turn_id)

    async def sweep(self) -> int:
        """Close the open calls of ended turns and book them as lost; release what they hold."""
        async with self._db.query() as connection:
            turn_ids = {
                *await ended_turns_with_open_calls(connection),
                *await ended_turns_with_reservations(connection),
            }
        if not turn_ids:
            return 0
        async with self._db.transaction() as connection:
            return await release_open_calls(connection, sorted(turn_ids))

    async def last_message_ids(self, platform: str) -> tuple[tuple[ConversationKey, str], ...]:
        """For each conversation with a recent turn: its last message, to read on from."""
        async with self._db.read() as session:
            newest = await session.exec(
                select(func.max(col(ConversationRow.updated_at))).where(
                    ConversationRow.platform == platform
                )
            )
            since: datetime | None = newest.one()
            if since is None:
                return ()
            last = (
                select(func.max(col(MessageRow.id)))
                .join(
                    ConversationRow,
                    col(ConversationRow.conversation_id) == col(MessageRow.conversation_id),
                )
                .where(ConversationRow.platform == platform)
                .where(ConversationRow.updated_at >= since - RECENT)
                .group_by(col(MessageRow.conversation_id))
            )
            found = await session.exec(
                select(ConversationRow, MessageRow.message_id)
                .join(
                    MessageRow,
                    col(MessageRow.conversation_id) == col(ConversationRow.conversation_id),
                )
                .where(col(MessageRow.id).in_(last))
            )
            return tuple((to_key(row), message_id) for row, message_id in found)


def _stuck_since(before: datetime) -> SelectOfScalar[str]:
    open_call = (
        select(LlmCallRow.call_id)
        .where(col(LlmCallRow.turn_id) == col(TurnRow.turn_id), LlmCallRow.status == "open")
        .exists()
    )
    return (
        select(TurnRow.turn_id)
        .where(col(TurnRow.finished_at).is_(None), TurnRow.status == TurnStatus.RUNNING.value)
        .where(col(TurnRow.started_at) < before, ~open_call)
    )
