"""What the responder reads and keeps of turns, and what pages show of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from bot.errors import SupersededError
from bot.messages import ConversationKey
from bot.settings import to_scope_ids
from bot.turns import RATE_WINDOW, Begun, Conversation, Turn, TurnStatus
from storage.convert import to_key, to_reply_data, to_turn
from storage.database import Database
from storage.forgetting import empty_turns
from storage.intake import OVER, TURNS_AS_ASKED
from storage.ledger import release_open_calls
from storage.line import Line
from storage.places import settings_in
from storage.tables import CONVERSATION, MESSAGE, TURN, Columns

# A message may be withdrawn while its turn begins or ends. Whoever withdraws locks the turn, so it
# is the turn that is written first; only the next statement sees for certain what came of that.
_BEGIN = (
    TURN.update()
    .where(TURN.c.turn_id == bindparam("id"), TURN.c.status.not_in(OVER))
    .values(
        status=TurnStatus.RUNNING.value,
        attempts=TURN.c.attempts + 1,
        started_at=func.coalesce(TURN.c.started_at, bindparam("at", type_=TURN.c.started_at.type)),
    )
    .returning(TURN)
)
_KEEP_PROMPT = (
    TURN.update().where(TURN.c.turn_id == bindparam("id")).values(prompt=bindparam("text"))
)
_SENT = (
    select(func.count())
    .select_from(TURN)
    .where(
        TURN.c.platform == bindparam("platform"),
        TURN.c.workspace_id == bindparam("workspace_id"),
        TURN.c.user_id == bindparam("user_id"),
        TURN.c.created_at > bindparam("since", type_=TURN.c.created_at.type),
        TURN.c.created_at <= bindparam("until", type_=TURN.c.created_at.type),
    )
)
_ASKED = select(
    MESSAGE.c.message_id,
    MESSAGE.c.text,
    MESSAGE.c.attachments,
    _SENT.scalar_subquery().label("recent_prompts"),
).where(MESSAGE.c.id == bindparam("id"))
_FINISH = (
    TURN.update()
    .where(TURN.c.turn_id == bindparam("id"), TURN.c.attempts == bindparam("attempt"))
    .values(
        {
            name: bindparam(f"new_{name}", type_=TURN.c[name].type)
            for name in ("status", "reply", "notice", "decision", "finished_at")
        }
    )
    .returning(TURN.c.message_row_id)
)
_IS_WITHDRAWN = select(MESSAGE.c.is_withdrawn).where(MESSAGE.c.id == bindparam("id"))

_LATEST = CONVERSATION.select().order_by(CONVERSATION.c.updated_at.desc())


class SqlTurns:
    """The responder's part of the store."""

    _db: Database
    line: Line | None = None

    async def begin(self, turn_id: str, at: datetime) -> Begun | None:
        """Mark a turn as running and count the attempt."""
        async with self._db.transaction() as connection:
            row = (await connection.execute(_BEGIN, {"id": turn_id, "at": at})).first()
            if row is None:
                return None
            asked = await connection.execute(
                _ASKED,
                {
                    "id": row.message_row_id,
                    "platform": row.platform,
                    "workspace_id": row.workspace_id,
                    "user_id": row.user_id,
                    "since": row.created_at - RATE_WINDOW,
                    "until": row.created_at,
                },
            )
            message = asked.one()
            turn = to_turn(row, message)
            if turn.attempts == 1:
                turn = replace(turn, prompt=message.text)
                await connection.execute(_KEEP_PROMPT, {"id": turn_id, "text": turn.prompt})
            return Begun(
                turn=turn,
                settings=await settings_in(connection, to_scope_ids(turn.key)),
                recent_prompts=message.recent_prompts,
                is_stopped=row.is_stopped,
            )

    async def is_stopped(self, turn_id: str) -> bool:
        """Whether somebody asked for this turn to stop."""
        return bool(await self.stopped((turn_id,)))

    async def stopped(self, turn_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these turns somebody asked to stop."""
        statement = select(TURN.c.turn_id).where(TURN.c.turn_id.in_(turn_ids), TURN.c.is_stopped)
        async with self._db.query() as connection:
            return tuple(await connection.scalars(statement))

    async def finish(self, turn: Turn) -> None:
        """Keep a turn's end, and release whatever its calls still hold.

        Nothing that was said is kept when the turn was forgotten meanwhile. Raises
        SupersededError when the turn was begun again since.
        """
        async with self._db.transaction() as connection:
            values = {
                "id": turn.turn_id,
                "attempt": turn.attempts,
                "new_status": turn.status.value,
                "new_reply": None if turn.reply is None else to_reply_data(turn.reply),
                "new_notice": turn.notice,
                "new_decision": dict(turn.decision),
                "new_finished_at": turn.finished_at,
            }
            message_row_id = (await connection.execute(_FINISH, values)).scalar_one_or_none()
            if message_row_id is None:
                known = select(TURN.c.turn_id).where(TURN.c.turn_id == turn.turn_id)
                if (await connection.execute(known)).first() is None:
                    return
                raise SupersededError
            await release_open_calls(connection, (turn.turn_id,))
            if self.line is not None:
                await connection.run_sync(self.line.leave, turn.turn_id)
            if await connection.scalar(_IS_WITHDRAWN, {"id": message_row_id}):
                await empty_turns(connection, TURN.c.turn_id == turn.turn_id)

    async def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        """The turns of a conversation that were not withdrawn, oldest first."""
        statement = TURNS_AS_ASKED.where(
            TURN.c.conversation_id == str(key), ~MESSAGE.c.is_withdrawn
        ).order_by(TURN.c.created_at, TURN.c.message_row_id)
        async with self._db.query() as connection:
            return tuple(to_turn(row, row) for row in await connection.execute(statement))

    async def conversations(
        self, platform: str, user_id: str, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """The conversations that a person began, the latest used first."""
        own = (CONVERSATION.c.platform == platform) & (CONVERSATION.c.user_id == user_id)
        return await self._conversations(_LATEST.where(own).limit(limit))

    async def latest_conversations(self, limit: int = 100) -> tuple[Conversation, ...]:
        """The conversations of every platform, the latest used first."""
        return await self._conversations(_LATEST.limit(limit))

    async def _conversations(self, statement: Select[Any]) -> tuple[Conversation, ...]:
        async with self._db.query() as connection:
            return tuple(_to_conversation(row) for row in await connection.execute(statement))


def _to_conversation(row: Columns) -> Conversation:
    return Conversation(key=to_key(row), title=row.title, updated_at=row.updated_at)
