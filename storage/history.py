"""What was said in a conversation, and the summaries that stand for its beginning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.conversation import MAX_HISTORY
from bot.messages import ConversationKey
from bot.turns import Summary, Turn, Utterance
from storage.convert import to_history
from storage.database import Database
from storage.tables import FEEDBACK, MESSAGE, SUMMARY, TURN, Columns

HISTORY_FILE_BYTES = 30_000_000
"""What is read of earlier files for one answer; a picture takes a third more than its size."""
_SAID = (
    select(
        MESSAGE.c.id,
        MESSAGE.c.author_name,
        MESSAGE.c.text,
        MESSAGE.c.sent_at,
        func.length(cast(MESSAGE.c.attachments, String)).label("files_bytes"),
    )
    .where(MESSAGE.c.conversation_id == bindparam("conversation_id"), ~MESSAGE.c.is_withdrawn)
    .order_by(MESSAGE.c.id.desc())
)
_OWN_ID = (
    select(MESSAGE.c.id)
    .where(
        MESSAGE.c.platform == bindparam("platform"),
        MESSAGE.c.message_id == bindparam("message_id"),
    )
    .scalar_subquery()
)
_SAID_BEFORE = _SAID.where(MESSAGE.c.id < _OWN_ID).limit(MAX_HISTORY)
_OPINION = (
    select(func.coalesce(func.sum(FEEDBACK.c.value), 0))
    .where(FEEDBACK.c.turn_id == TURN.c.turn_id)
    .scalar_subquery()
)
_ENDED = (
    select(
        TURN.c.turn_id,
        TURN.c.message_row_id,
        TURN.c.reply,
        TURN.c.decision,
        TURN.c.created_at,
        TURN.c.finished_at,
        _OPINION.label("feedback"),
    )
    .where(
        TURN.c.conversation_id == bindparam("conversation_id"),
        TURN.c.message_row_id >= bindparam("oldest"),
        TURN.c.finished_at.is_not(None),
    )
    .order_by(TURN.c.created_at, TURN.c.finished_at)
)
_FILES = select(MESSAGE.c.id, MESSAGE.c.attachments).where(
    MESSAGE.c.id.in_(bindparam("ids", expanding=True))
)
_NO_FILES_BYTES = len("[]")


class SqlHistory:
    """The part of the store that remembers what was said."""

    _db: Database

    async def history(self, turn: Turn) -> tuple[Utterance, ...]:
        """What was said in this conversation before this turn, oldest first."""
        place = {
            "conversation_id": str(turn.key),
            "platform": turn.key.platform,
            "message_id": turn.message_id,
        }
        async with self._db.query() as connection:
            newest_first = (await connection.execute(_SAID_BEFORE, place)).all()
            return await _exchanges(connection, turn.key, newest_first)

    async def transcript(self, key: ConversationKey) -> tuple[Utterance, ...]:
        """Everything that was said in a conversation and not withdrawn, without commands."""
        async with self._db.query() as connection:
            newest_first = (await connection.execute(_SAID, {"conversation_id": str(key)})).all()
            return await _exchanges(connection, key, newest_first)

    async def summaries(self, key: ConversationKey) -> tuple[Summary, ...]:
        """The summaries of this conversation's beginning, the one that covers least first."""
        statement = (
            SUMMARY.select()
            .where(SUMMARY.c.conversation_id == str(key))
            .order_by(SUMMARY.c.covers_to)
        )
        async with self._db.query() as connection:
            return tuple(
                Summary(covers_to=row.covers_to, text=row.text, created_at=row.created_at)
                for row in await connection.execute(statement)
            )

    async def keep_summary(self, key: ConversationKey, summary: Summary) -> None:
        """Keep a summary; one that covers as much is replaced."""
        values = {"text": summary.text, "created_at": summary.created_at}
        statement = (
            self._db.insert(SUMMARY)
            .values(conversation_id=str(key), covers_to=summary.covers_to, **values)
            .on_conflict_do_update(index_elements=["conversation_id", "covers_to"], set_=values)
        )
        async with self._db.transaction() as connection:
            await connection.execute(statement)


async def _exchanges(
    connection: AsyncConnection, key: ConversationKey, newest_first: Sequence[Columns]
) -> tuple[Utterance, ...]:
    """These messages, oldest first, with their files and the answers to them."""
    if not newest_first:
        return ()
    since = {"conversation_id": str(key), "oldest": newest_first[-1].id}
    turns = (await connection.execute(_ENDED, since)).all()
    return to_history(newest_first[::-1], turns, await _files(connection, newest_first))


async def _files(
    connection: AsyncConnection, newest_first: Sequence[Columns]
) -> dict[int, list[Any]]:
    """The files of these messages by the message's id, the newest first, up to so many bytes."""
    left_bytes, wanted = HISTORY_FILE_BYTES, list[int]()
    for message in newest_first:
        if message.files_bytes <= _NO_FILES_BYTES:
            continue
        left_bytes -= message.files_bytes
        if left_bytes < 0:
            break
        wanted.append(message.id)
    if not wanted:
        return {}
    return {row.id: row.attachments for row in await connection.execute(_FILES, {"ids": wanted})}
