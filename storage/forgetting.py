"""What is forgotten for good: texts, names and files go; ids and what was spent stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, delete, select, update

from bot.messages import ConversationKey
from storage.convert import to_title
from storage.database import Database
from storage.intake import OVER
from storage.tables import (
    ConversationRow,
    FeedbackRow,
    LlmCallRow,
    MessageRow,
    SettingRow,
    SummaryRow,
    TurnRow,
)

SHORTEST = timedelta(days=1)
_RETENTION = "retention_days"


class SqlForgetting:
    """The part of the store that deletes."""

    _db: Database

    async def withdraw(self, platform: str, message_id: str) -> tuple[str, ...]:
        """Forget a deleted message; its turns are to stop."""
        return await self._forget(
            (col(MessageRow.platform) == platform) & (col(MessageRow.message_id) == message_id)
        )

    async def forget(self, key: ConversationKey) -> tuple[str, ...]:
        """Forget a conversation."""
        going = await self._forget(col(MessageRow.conversation_id) == str(key))
        await self._db.scrub()
        return going

    async def forget_user(self, platform: str, workspace_id: str, user_id: str) -> tuple[str, ...]:
        """Forget all that a person wrote in a workspace, and the answers to it."""
        below = f"{platform}/{workspace_id}/"
        going = await self._forget(
            (col(MessageRow.author_id) == user_id)
            & col(MessageRow.conversation_id).startswith(below, autoescape=True)
        )
        await self._db.scrub()
        return going

    async def forget_expired(self, now: datetime) -> tuple[str, ...]:
        """Forget what is older than `retention_days` where it was said."""
        days_of = await self._retention()
        going: list[str] = []
        for conversation_id in await self._old_conversations(days_of, now - SHORTEST):
            days = _days_of(conversation_id, days_of)
            if days:
                going += await self._forget(
                    (col(MessageRow.conversation_id) == conversation_id)
                    & (col(MessageRow.sent_at) < now - timedelta(days=days))
                )
        await self._db.scrub()
        return tuple(going)

    async def _retention(self) -> dict[str, int]:
        """For each place with a limit of its own: days."""
        async with self._db.read() as session:
            rows = await session.exec(select(SettingRow).where(SettingRow.name == _RETENTION))
            return {row.scope_id: int(row.value) for row in rows}

    async def _old_conversations(self, places: Iterable[str], before: datetime) -> tuple[str, ...]:
        """Those at or below these places in which something was said before then."""
        where = [
            (col(MessageRow.conversation_id) == place)
            | col(MessageRow.conversation_id).startswith(f"{place}/", autoescape=True)
            for place in places
        ]
        if not where:
            return ()
        async with self._db.read() as session:
            found = await session.exec(
                select(MessageRow.conversation_id)
                .where(or_(*where), ~col(MessageRow.is_withdrawn))
                .where(col(MessageRow.sent_at) < before)
                .distinct()
            )
            return tuple(found)

    async def _forget(self, chosen: ColumnElement[bool]) -> tuple[str, ...]:
        """Empty the chosen messages and all that came of them, in one commit."""
        async with self._db.transaction() as connection:
            where_said = select(MessageRow.conversation_id).where(chosen).distinct()
            conversation_ids = (await connection.scalars(where_said)).all()
            turns = col(TurnRow.message_row_id).in_(select(MessageRow.id).where(chosen))
            going = await connection.scalars(
                select(TurnRow.turn_id).where(turns, col(TurnRow.status).not_in(OVER))
            )
            await empty_turns(connection, turns)
            await connection.execute(update(MessageRow).where(chosen).values(**_EMPTY_MESSAGE))
            for conversation_id in conversation_ids:
                await _rename(connection, conversation_id)
            await connection.execute(
                delete(SummaryRow).where(col(SummaryRow.conversation_id).in_(conversation_ids))
            )
            return tuple(going)


_EMPTY_MESSAGE: Mapping[str, Any] = {
    "text": "",
    "author_name": "",
    "attachments": [],
    "is_withdrawn": True,
}
_EMPTY_TURN: Mapping[str, Any] = {
    "prompt": "",
    "user_name": "",
    "notice": "",
    "reply": None,
    "decision": {},
}


async def empty_turns(connection: AsyncConnection, turns: ColumnElement[bool]) -> None:
    """Take all words out of turns, and stop those that have not ended."""
    turn_ids = select(TurnRow.turn_id).where(turns)
    await connection.execute(delete(FeedbackRow).where(col(FeedbackRow.turn_id).in_(turn_ids)))
    await connection.execute(
        update(LlmCallRow)
        .where(col(LlmCallRow.turn_id).in_(turn_ids))
        .values(text="", error_message="")
    )
    going = turns & col(TurnRow.status).not_in(OVER)
    await connection.execute(update(TurnRow).where(going).values(is_stopped=True))
    await connection.execute(update(TurnRow).where(turns).values(**_EMPTY_TURN))


async def _rename(connection: AsyncConnection, conversation_id: str) -> None:
    """Name a conversation after the first prompt that is left; without one it is not listed."""
    text = await connection.scalar(
        select(MessageRow.text)
        .where(MessageRow.conversation_id == conversation_id, ~col(MessageRow.is_withdrawn))
        .where(MessageRow.is_addressed)
        .order_by(col(MessageRow.id))
        .limit(1)
    )
    here = col(ConversationRow.conversation_id) == conversation_id
    if text is None:
        await connection.execute(delete(ConversationRow).where(here))
    else:
        await connection.execute(update(ConversationRow).where(here).values(title=to_title(text)))


def _days_of(conversation_id: str, days_of: Mapping[str, int]) -> int:
    """The limit of the narrowest place that has one; 0 keeps everything."""
    places = [p for p in days_of if conversation_id == p or conversation_id.startswith(f"{p}/")]
    return days_of[max(places, key=len)] if places else 0
