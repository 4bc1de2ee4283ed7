"""What the inbox keeps: messages, turns, stops, opinions."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func
from sqlalchemy.orm import Session
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import ConversationKey, IncomingMessage
from bot.turns import Turn, TurnStatus
from storage.convert import to_message_row, to_title, to_turn, to_turn_row
from storage.database import Database
from storage.tables import ConversationRow, FeedbackRow, MessageRow, TurnRow

Enqueue = Callable[[Session, Turn, int], None]
"""Gives a turn its place in the queue, inside the transaction that keeps it.

The number is the turn's position in its conversation: unlike a time it never goes back.
"""
OVER = tuple(status.value for status in TurnStatus if status.is_over)


class SqlIntake:
    """The inbox's part of the store."""

    _db: Database
    enqueue: Enqueue | None = None

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        """Keep a message, its turn and its place in the queue in one commit."""
        async with self._db.write(is_urgent=True) as session:
            row_id = await self._insert_message(session, message)
            if row_id is None or not await self._insert_turn(session, turn, row_id):
                await session.rollback()
                return False
            await self._touch(session, turn)
            return True

    async def keep(self, message: IncomingMessage) -> None:
        """Keep a message that is context only."""
        async with self._db.write() as session:
            await self._insert_message(session, message)

    async def retry(self, turn: Turn) -> bool:
        """Keep a further turn on a kept message."""
        async with self._db.write() as session:
            message = await _message(session, turn.key.platform, turn.message_id)
            if message is None or message.id is None or message.is_withdrawn:
                return False
            return await self._insert_turn(session, turn, message.id)

    async def amend(self, platform: str, message_id: str, text: str) -> None:
        """Take an edited text."""
        async with self._db.write() as session:
            await session.exec(
                update(MessageRow)
                .where(col(MessageRow.platform) == platform)
                .where(col(MessageRow.message_id) == message_id)
                .where(~col(MessageRow.is_withdrawn))
                .values(text=text)
            )

    async def request_stop(self, turn_id: str) -> bool:
        """Mark a turn as to be stopped."""
        async with self._db.write() as session:
            result = await session.exec(
                update(TurnRow)
                .where(col(TurnRow.turn_id) == turn_id)
                .where(col(TurnRow.status).not_in(OVER))
                .values(is_stopped=True)
            )
            return result.rowcount > 0

    async def going(self, key: ConversationKey) -> tuple[str, ...]:
        """The turns of a conversation that have not ended."""
        async with self._db.read() as session:
            found = await session.exec(
                select(TurnRow.turn_id)
                .where(col(TurnRow.conversation_id) == str(key))
                .where(col(TurnRow.finished_at).is_(None), col(TurnRow.status).not_in(OVER))
            )
            return tuple(found)

    async def add_feedback(self, turn_id: str, user_id: str, value: int) -> None:
        """Keep a person's opinion of an answer; the last one counts."""
        statement = self._db.insert(FeedbackRow).values(
            turn_id=turn_id, user_id=user_id, value=value
        )
        async with self._db.write() as session:
            await session.exec(
                statement.on_conflict_do_update(
                    index_elements=["turn_id", "user_id"], set_={"value": value}
                )
            )

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""
        async with self._db.read() as session:
            found = (
                await session.exec(
                    select(TurnRow, MessageRow).join(MessageRow).where(TurnRow.turn_id == turn_id)
                )
            ).first()
            return None if found is None else to_turn(*found)

    async def takes_part(self, key: ConversationKey) -> bool:
        """Whether a prompt was ever accepted in this conversation."""
        async with self._db.read() as session:
            statement = select(TurnRow.turn_id).where(TurnRow.conversation_id == str(key)).limit(1)
            return (await session.exec(statement)).first() is not None

    async def _insert_message(self, session: AsyncSession, message: IncomingMessage) -> int | None:
        """The new row's id, or None when the message is known."""
        values = to_message_row(message).model_dump(exclude={"id"})
        row_id: int | None = await self._db.insert_new(session, MessageRow, values)
        return row_id

    async def _insert_turn(self, session: AsyncSession, turn: Turn, message_row_id: int) -> bool:
        values = to_turn_row(turn, message_row_id).model_dump()
        if await self._db.insert_new(session, TurnRow, values) is None:
            return False
        if self.enqueue is not None:
            await session.run_sync(self.enqueue, turn, await _position(session, turn))
        return True

    async def _touch(self, session: AsyncSession, turn: Turn) -> None:
        """Keep the conversation, and when it was last used."""
        values = {
            "conversation_id": str(turn.key),
            "platform": turn.key.platform,
            "workspace_id": turn.key.workspace_id,
            "channel_id": turn.key.channel_id,
            "thread_id": turn.key.thread_id,
            "user_id": turn.user_id,
            "title": to_title(turn.prompt),
            "updated_at": turn.created_at,
        }
        await session.exec(
            self._db.insert(ConversationRow)
            .values(**values)
            .on_conflict_do_update(
                index_elements=["conversation_id"], set_={"updated_at": turn.created_at}
            )
        )


async def _message(session: AsyncSession, platform: str, message_id: str) -> MessageRow | None:
    statement = (
        select(MessageRow)
        .where(MessageRow.platform == platform, MessageRow.message_id == message_id)
        .with_for_update()
    )
    return (await session.exec(statement)).first()


async def _position(session: AsyncSession, turn: Turn) -> int:
    statement = select(func.count()).where(col(TurnRow.conversation_id) == str(turn.key))
    return (await session.exec(statement)).one()
