"""What is asked after a crash and now and then, and what is forgotten for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import ConversationKey
from bot.turns import Turn, TurnStatus
from storage.convert import to_turn
from storage.database import Database
from storage.intake import OVER
from storage.ledger import ended_turns_with_open_calls, release_open_calls
from storage.tables import (
    ConversationRow,
    FeedbackRow,
    LlmCallRow,
    MessageRow,
    PostRow,
    TurnRow,
)

RECENT = timedelta(days=14)


class SqlUpkeep:
    """The engine's part of the store."""

    _db: Database

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

    async def give_up(self, turn_id: str, notice: str, at: datetime) -> None:
        """Keep a turn as failed that could not be ended in the ordinary way."""
        async with self._db.write() as session:
            row = await session.get(TurnRow, turn_id, with_for_update=True)
            if row is None or row.status in OVER:
                return
            row.status, row.notice, row.finished_at = TurnStatus.FAILED.value, notice, at
            await release_open_calls(session, (turn_id,))

    async def sweep(self, at: datetime) -> int:
        """Close the open calls of ended turns, release their holds, book them as lost."""
        async with self._db.read() as session:
            turn_ids = await ended_turns_with_open_calls(session)
        if not turn_ids:
            return 0
        async with self._db.write() as session:
            return await release_open_calls(session, turn_ids)

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
            return tuple((_to_key(row), message_id) for row, message_id in found)

    async def forget(self, key: ConversationKey) -> tuple[str, ...]:
        """Forget what was said in a conversation. What was spent stays.

        Returns the turns that had not ended: they are to stop.
        """
        return await self._forget(col(TurnRow.conversation_id) == str(key), str(key))

    async def forget_user(self, platform: str, workspace_id: str, user_id: str) -> tuple[str, ...]:
        """Forget all that a person asked in a workspace, and the answers; as `forget`."""
        return await self._forget(
            (col(TurnRow.platform) == platform)
            & (col(TurnRow.workspace_id) == workspace_id)
            & (col(TurnRow.user_id) == user_id)
        )

    async def forget_before(self, key_prefix: str, before: datetime) -> tuple[str, ...]:
        """Forget the conversations below a place that were last used before then."""
        async with self._db.read() as session:
            old = await session.exec(
                select(ConversationRow.conversation_id)
                .where(col(ConversationRow.conversation_id).startswith(key_prefix, autoescape=True))
                .where(ConversationRow.updated_at < before)
            )
            conversation_ids = list(old)
        going: list[str] = []
        for conversation_id in conversation_ids:
            chosen = col(TurnRow.conversation_id) == conversation_id
            going += await self._forget(chosen, conversation_id)
        return tuple(going)

    async def _forget(self, chosen: Any, conversation_id: str | None = None) -> tuple[str, ...]:
        """Empty the chosen turns, their messages and calls; ids stay, so that none is repeated."""
        async with self._db.write() as session:
            turns = (await session.exec(select(TurnRow).where(chosen).with_for_update())).all()
            going = tuple(turn.turn_id for turn in turns if turn.status not in OVER)
            for turn in turns:
                turn.is_stopped = turn.is_stopped or turn.status not in OVER
                turn.prompt, turn.user_name, turn.notice = "", "", ""
                turn.reply, turn.decision, turn.anchor = None, {}, turn.anchor
            await _forget_messages(session, turns, conversation_id)
            turn_ids = [turn.turn_id for turn in turns]
            await session.exec(
                update(LlmCallRow).where(col(LlmCallRow.turn_id).in_(turn_ids)).values(text="")
            )
            for row in (FeedbackRow, PostRow):
                if going and row is PostRow:
                    continue
                await session.exec(delete(row).where(col(row.turn_id).in_(turn_ids)))
            return going


async def _forget_messages(
    session: AsyncSession, turns: Sequence[TurnRow], conversation_id: str | None
) -> None:
    empty = {"text": "", "author_name": "", "attachments": [], "is_withdrawn": True}
    statement = update(MessageRow).values(**empty)
    if conversation_id is None:
        row_ids = [turn.message_row_id for turn in turns]
        await session.exec(statement.where(col(MessageRow.id).in_(row_ids)))
        return
    await session.exec(statement.where(col(MessageRow.conversation_id) == conversation_id))
    await session.exec(
        delete(ConversationRow).where(col(ConversationRow.conversation_id) == conversation_id)
    )


def _to_key(row: ConversationRow) -> ConversationKey:
    return ConversationKey(
        platform=row.platform,
        workspace_id=row.workspace_id,
        channel_id=row.channel_id,
        thread_id=row.thread_id,
    )
