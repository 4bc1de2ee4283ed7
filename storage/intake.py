"""What the inbox keeps: messages, turns, stops, opinions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.messages import ConversationKey, IncomingMessage
from bot.turns import Turn, TurnStatus
from storage.convert import (
    to_conversation_values,
    to_message_values,
    to_turn,
    to_turn_values,
)
from storage.database import Database
from storage.group_commit import Work
from storage.line import Line, Place
from storage.tables import CONVERSATION, FEEDBACK, MESSAGE, TURN

OVER = tuple(status.value for status in TurnStatus if status.is_over)

TURNS_AS_ASKED = select(
    TURN, MESSAGE.c.message_id, MESSAGE.c.text, MESSAGE.c.attachments
).join_from(TURN, MESSAGE)
"""Turns, each with what was asked."""
_MESSAGE = (
    select(MESSAGE.c.id, MESSAGE.c.is_withdrawn)
    .where(MESSAGE.c.platform == bindparam("on"), MESSAGE.c.message_id == bindparam("message"))
    .with_for_update()
)
_TURNS_HERE = select(
    func.count().label("all"),
    func.count().filter(TURN.c.status.not_in(OVER)).label("going"),
).where(TURN.c.conversation_id == bindparam("conversation_id"))


class _KnownError(Exception):
    """There is such a turn already, or none may be; what was written for it is taken back."""


class SqlIntake:
    """The inbox's part of the store."""

    _db: Database
    line: Line | None = None

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        """Keep a message, its turn and its place in the queue in one commit."""

        async def keep_both(connection: AsyncConnection) -> Callable[[], None]:
            row_id = await self._insert_message(connection, message)
            if row_id is None:
                raise _KnownError
            return await self._insert_turn(connection, turn, row_id)

        return await self._begun(keep_both)

    async def keep(self, message: IncomingMessage) -> None:
        """Keep a message that is context only."""
        async with self._db.transaction() as connection:
            await self._insert_message(connection, message)

    async def retry(self, turn: Turn) -> bool:
        """Keep a further turn on a kept message."""
        place = {"on": turn.key.platform, "message": turn.message_id}

        async def keep_turn(connection: AsyncConnection) -> Callable[[], None]:
            message = (await connection.execute(_MESSAGE, place)).first()
            if message is None or message.is_withdrawn:
                raise _KnownError
            return await self._insert_turn(connection, turn, message.id)

        return await self._begun(keep_turn)

    async def amend(self, platform: str, message_id: str, text: str) -> None:
        """Take an edited text."""
        statement = (
            MESSAGE.update()
            .where(MESSAGE.c.platform == platform, MESSAGE.c.message_id == message_id)
            .where(~MESSAGE.c.is_withdrawn)
            .values(text=text)
        )
        async with self._db.transaction() as connection:
            await connection.execute(statement)

    async def request_stop(self, turn_id: str) -> bool:
        """Mark a turn as to be stopped."""
        statement = (
            TURN.update()
            .where(TURN.c.turn_id == turn_id, TURN.c.status.not_in(OVER))
            .values(is_stopped=True)
        )
        async with self._db.transaction() as connection:
            return (await connection.execute(statement)).rowcount > 0

    async def going(self, key: ConversationKey) -> tuple[str, ...]:
        """The turns of a conversation that have not ended."""
        statement = select(TURN.c.turn_id).where(
            TURN.c.conversation_id == str(key),
            TURN.c.finished_at.is_(None),
            TURN.c.status.not_in(OVER),
        )
        async with self._db.query() as connection:
            return tuple(await connection.scalars(statement))

    async def add_feedback(self, turn_id: str, user_id: str, value: int) -> None:
        """Keep a person's opinion of an answer; the last one counts."""
        statement = (
            self._db.insert(FEEDBACK)
            .values(turn_id=turn_id, user_id=user_id, value=value)
            .on_conflict_do_update(index_elements=["turn_id", "user_id"], set_={"value": value})
        )
        async with self._db.transaction() as connection:
            await connection.execute(statement)

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""
        statement = TURNS_AS_ASKED.where(TURN.c.turn_id == turn_id)
        async with self._db.query() as connection:
            row = (await connection.execute(statement)).first()
            return None if row is None else to_turn(row, row)

    async def takes_part(self, key: ConversationKey) -> bool:
        """Whether a prompt was ever accepted in this conversation."""
        statement = select(TURN.c.turn_id).where(TURN.c.conversation_id == str(key)).limit(1)
        async with self._db.query() as connection:
            return (await connection.execute(statement)).first() is not None

    async def _insert_message(
        self, connection: AsyncConnection, message: IncomingMessage
    ) -> int | None:
        """The new row's id, or None when the message is known."""
        row_id: int | None = await self._db.insert_new(
            connection, MESSAGE, to_message_values(message)
        )
        return row_id

    async def _begun(self, keep: Work[Callable[[], None]]) -> bool:
        """Keep a turn and begin it once that is committed; False when it cannot be kept."""
        try:
            begin = await self._db.together(keep)
        except _KnownError:
            return False
        begin()
        return True

    async def _insert_turn(
        self, connection: AsyncConnection, turn: Turn, message_row_id: int
    ) -> Callable[[], None]:
        """Keep a new turn in its place; returns what begins it."""
        # This locks the conversation: who accepts there, too, sees this turn in the line.
        await connection.execute(self._touch, to_conversation_values(turn))
        values = to_turn_values(turn, message_row_id)
        if await self._db.insert_new(connection, TURN, values) is None:
            raise _KnownError
        return await self._join(connection, turn)

    async def _join(self, connection: AsyncConnection, turn: Turn) -> Callable[[], None]:
        """Give a new turn its place in the line; returns what begins it."""
        if self.line is None:
            return _nothing
        here = {"conversation_id": str(turn.key)}
        count = (await connection.execute(_TURNS_HERE, here)).one()
        place = Place(number=count.all, is_first=count.going == 1)
        return await connection.run_sync(self.line.join, turn, place)

    @cached_property
    def _touch(self) -> Any:
        """Keep the conversation, and when it was last used."""
        statement = self._db.insert(CONVERSATION)
        return statement.on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={"updated_at": statement.excluded.updated_at},
        )


def _nothing() -> None:
    """What begins a turn that nobody runs."""
