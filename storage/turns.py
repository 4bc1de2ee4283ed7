"""What the responder reads and keeps, and what pages show: turns and histories."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func
from sqlalchemy.orm import defer
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.conversation import MAX_HISTORY
from bot.errors import SupersededError
from bot.messages import ConversationKey
from bot.turns import Conversation, Summary, Turn, TurnStatus, Utterance
from storage.convert import to_history, to_reply_data, to_turn
from storage.database import Database
from storage.forgetting import empty_turns
from storage.intake import OVER
from storage.ledger import release_open_calls
from storage.tables import ConversationRow, FeedbackRow, MessageRow, SummaryRow, TurnRow

HISTORY_FILE_BYTES = 30_000_000
"""What is read of earlier files for one answer; a picture takes a third more than its size."""


class SqlTurns:
    """The responder's part of the store."""

    _db: Database

    async def begin(self, turn_id: str, at: datetime) -> Turn | None:
        """Mark a turn as running and count the attempt."""
        async with self._db.write() as session:
            row = await session.get(TurnRow, turn_id, with_for_update=True)
            if row is None or row.status in OVER:
                return None
            message = await session.get(MessageRow, row.message_row_id)
            if message is None:
                return None
            if row.attempts == 0:
                row.prompt, row.started_at = message.text, at
            row.status = TurnStatus.RUNNING.value
            row.attempts += 1
            return to_turn(row, message)

    async def is_stopped(self, turn_id: str) -> bool:
        """Whether somebody asked for this turn to stop."""
        return bool(await self.stopped((turn_id,)))

    async def stopped(self, turn_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these turns somebody asked to stop."""
        async with self._db.read() as session:
            statement = select(TurnRow.turn_id).where(
                col(TurnRow.turn_id).in_(turn_ids), col(TurnRow.is_stopped)
            )
            return tuple(await session.exec(statement))

    async def history(self, turn: Turn) -> tuple[Utterance, ...]:
        """What was said in this conversation before this turn, oldest first."""
        async with self._db.read() as session:
            own_id = (
                select(MessageRow.id)
                .where(MessageRow.platform == turn.key.platform)
                .where(MessageRow.message_id == turn.message_id)
                .scalar_subquery()
            )
            newest_first = await session.exec(
                _said_in(turn.key).where(col(MessageRow.id) < own_id).limit(MAX_HISTORY)
            )
            messages = list(newest_first)[::-1]
            await _read_files(session, messages, HISTORY_FILE_BYTES)
            turns = await _ended_turns(session, turn.key, messages)
            return to_history(messages, turns, await _feedback(session, turns))

    async def transcript(self, key: ConversationKey) -> tuple[Utterance, ...]:
        """Everything that was said in a conversation and not withdrawn, without commands."""
        async with self._db.read() as session:
            messages = list(await session.exec(_said_in(key)))[::-1]
            await _read_files(session, messages, HISTORY_FILE_BYTES)
            return to_history(messages, await _ended_turns(session, key, messages), {})

    async def latest_conversations(self, limit: int = 100) -> tuple[Conversation, ...]:
        """The conversations of every platform, the latest used first."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(ConversationRow)
                .order_by(col(ConversationRow.updated_at).desc())
                .limit(limit)
            )
            return tuple(_to_conversation(row) for row in rows)

    async def summaries(self, key: ConversationKey) -> tuple[Summary, ...]:
        """The summaries of this conversation's beginning, the one that covers least first."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(SummaryRow)
                .where(SummaryRow.conversation_id == str(key))
                .order_by(col(SummaryRow.covers_to))
            )
            return tuple(
                Summary(covers_to=row.covers_to, text=row.text, created_at=row.created_at)
                for row in rows
            )

    async def keep_summary(self, key: ConversationKey, summary: Summary) -> None:
        """Keep a summary; one that covers as much is replaced."""
        values = {"text": summary.text, "created_at": summary.created_at}
        statement = self._db.insert(SummaryRow).values(
            conversation_id=str(key), covers_to=summary.covers_to, **values
        )
        async with self._db.write() as session:
            await session.exec(
                statement.on_conflict_do_update(
                    index_elements=["conversation_id", "covers_to"], set_=values
                )
            )

    async def prompts_since(self, turn: Turn, since: datetime) -> int:
        """How many turns its user began in its workspace after `since`, up to this one."""
        async with self._db.read() as session:
            count = await session.exec(
                select(func.count())
                .select_from(TurnRow)
                .where(TurnRow.platform == turn.key.platform)
                .where(TurnRow.workspace_id == turn.key.workspace_id)
                .where(TurnRow.user_id == turn.user_id)
                .where(TurnRow.created_at > since, TurnRow.created_at <= turn.created_at)
            )
            return int(count.one())

    async def finish(self, turn: Turn) -> None:
        """Keep a turn's end, and release whatever its calls still hold.

        Nothing that was said is kept when the turn was forgotten meanwhile. Raises
        SupersededError when the turn was begun again since.
        """
        async with self._db.write() as session:
            row = await session.get(TurnRow, turn.turn_id, with_for_update=True)
            if row is None:
                return
            if row.attempts != turn.attempts:
                raise SupersededError
            row.status = turn.status.value
            row.reply = None if turn.reply is None else to_reply_data(turn.reply)
            row.notice = turn.notice
            row.decision = dict(turn.decision)
            row.finished_at = turn.finished_at
            await release_open_calls(session, (turn.turn_id,))
            message = await session.get(MessageRow, row.message_row_id)
            if message is not None and message.is_withdrawn:
                await session.flush()
                await empty_turns(session, col(TurnRow.turn_id) == turn.turn_id)

    async def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        """The turns of a conversation that were not withdrawn, oldest first."""
        async with self._db.read() as session:
            found = await session.exec(
                select(TurnRow, MessageRow)
                .join(MessageRow)
                .where(TurnRow.conversation_id == str(key), ~col(MessageRow.is_withdrawn))
                .order_by(col(TurnRow.created_at), col(TurnRow.message_row_id))
            )
            return tuple(to_turn(*pair) for pair in found)

    async def conversations(
        self, platform: str, user_id: str, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """The conversations that a person began, the latest used first."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(ConversationRow)
                .where(ConversationRow.platform == platform, ConversationRow.user_id == user_id)
                .order_by(col(ConversationRow.updated_at).desc())
                .limit(limit)
            )
            return tuple(_to_conversation(row) for row in rows)


def _said_in(key: ConversationKey):  # type: ignore[no-untyped-def]  # sqlmodel's own type of a select
    """The messages of a conversation, the newest first, their files not read yet."""
    return (
        select(MessageRow)
        .options(defer(MessageRow.attachments))  # type: ignore[arg-type]  # a column, to sqlmodel a list
        .where(MessageRow.conversation_id == str(key), ~col(MessageRow.is_withdrawn))
        .order_by(col(MessageRow.id).desc())
    )


async def _read_files(session: AsyncSession, messages: list[MessageRow], most_bytes: int) -> None:
    """Read the files of these messages, the newest first, until they are too many bytes."""
    if not messages:
        return
    size = func.length(cast(col(MessageRow.attachments), String))
    here = (
        (col(MessageRow.conversation_id) == messages[0].conversation_id)
        & (col(MessageRow.id) >= messages[0].id)
        & (col(MessageRow.id) <= messages[-1].id)
    )
    sizes = await session.exec(
        select(MessageRow.id, size).where(here, size > 2).order_by(col(MessageRow.id).desc())
    )
    wanted: list[int | None] = []
    for row_id, length in sizes:
        most_bytes -= length
        if most_bytes < 0:
            break
        wanted.append(row_id)
    files: dict[int | None, list[Any]] = {}
    if wanted:
        found = select(MessageRow.id, MessageRow.attachments).where(col(MessageRow.id).in_(wanted))
        for row_id, data in await session.exec(found):
            files[row_id] = list(data)
    for message in messages:
        set_committed_value(message, "attachments", files.get(message.id, []))


async def _ended_turns(
    session: AsyncSession, key: ConversationKey, messages: list[MessageRow]
) -> list[TurnRow]:
    """The turns on these messages that have ended, oldest first."""
    if not messages:
        return []
    ended = _of_conversation(key).where(
        col(TurnRow.message_row_id) >= messages[0].id, col(TurnRow.finished_at).is_not(None)
    )
    return list(await session.exec(ended))


def _of_conversation(key: ConversationKey):  # type: ignore[no-untyped-def]  # sqlmodel's own type of a select
    return (
        select(TurnRow)
        .where(TurnRow.conversation_id == str(key))
        .order_by(col(TurnRow.created_at), col(TurnRow.finished_at))
    )


async def _feedback(session: AsyncSession, turns: list[TurnRow]) -> dict[str, int]:
    if not turns:
        return {}
    sums = await session.exec(
        select(FeedbackRow.turn_id, func.sum(col(FeedbackRow.value)))
        .where(col(FeedbackRow.turn_id).in_([turn.turn_id for turn in turns]))
        .group_by(col(FeedbackRow.turn_id))
    )
    return {turn_id: int(total) for turn_id, total in sums}


def _to_conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        key=ConversationKey(
            platform=row.platform,
            workspace_id=row.workspace_id,
            channel_id=row.channel_id,
            thread_id=row.thread_id,
        ),
        title=row.title,
        updated_at=row.updated_at,
    )
