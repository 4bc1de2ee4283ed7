"""Between the core's values and rows: pure functions, one pair for each table."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from bot.catalog import Tier
from bot.messages import Attachment, ConversationKey, IncomingMessage, Role
from bot.pictures import Bar, Card, Series
from bot.ports import Post
from bot.replies import Action, Footer, Reply
from bot.turns import Turn, TurnStatus, Utterance
from storage.tables import Columns, ConversationRow, MessageRow, TurnRow

TITLE_CHARACTERS = 80


def to_message_values(message: IncomingMessage) -> dict[str, Any]:
    """A message's columns."""
    return {
        "platform": message.key.platform,
        "message_id": message.message_id,
        "conversation_id": str(message.key),
        "author_id": message.author_id,
        "author_name": message.author_name,
        "text": message.text,
        "sent_at": message.sent_at,
        "is_addressed": message.is_addressed,
        "is_withdrawn": False,
        "attachments": [_to_attachment_data(a) for a in message.attachments],
    }


def to_turn_values(turn: Turn, message_row_id: int) -> dict[str, Any]:
    """A new turn's columns."""
    return {
        "turn_id": turn.turn_id,
        "message_row_id": message_row_id,
        **_to_key_values(turn.key),
        "user_id": turn.user_id,
        "user_name": turn.user_name,
        "prompt": turn.prompt,
        "tier": turn.tier,
        "retry_of": turn.retry_of,
        "is_admin": turn.is_admin,
        "role_ids": list(turn.role_ids),
        "anchor": dict(turn.anchor),
        "status": turn.status.value,
        "attempts": 0,
        "is_stopped": False,
        "notice": "",
        "decision": dict(turn.decision),
        "created_at": turn.created_at,
    }


def to_conversation_values(turn: Turn) -> dict[str, Any]:
    """The columns of the conversation that a turn is in, as it begins."""
    return {
        **_to_key_values(turn.key),
        "user_id": turn.user_id,
        "title": to_title(turn.prompt),
        "updated_at": turn.created_at,
    }


def _to_key_values(key: ConversationKey) -> dict[str, Any]:
    return {
        "conversation_id": str(key),
        "platform": key.platform,
        "workspace_id": key.workspace_id,
        "channel_id": key.channel_id,
        "thread_id": key.thread_id,
    }


def to_key(row: ConversationRow | TurnRow | Columns) -> ConversationKey:
    """The conversation that a row is of."""
    return ConversationKey(
        platform=row.platform,
        workspace_id=row.workspace_id,
        channel_id=row.channel_id,
        thread_id=row.thread_id,
    )


def to_turn(row: TurnRow | Columns, message: MessageRow | Columns) -> Turn:
    """A kept turn; its prompt is the message's text until it begins."""
    return Turn(
        turn_id=row.turn_id,
        key=to_key(row),
        message_id=message.message_id,
        user_id=row.user_id,
        user_name=row.user_name,
        prompt=row.prompt if row.attempts else message.text,
        created_at=row.created_at,
        attachments=to_attachments(message.attachments),
        tier=None if row.tier is None else Tier(row.tier),
        retry_of=row.retry_of,
        is_admin=row.is_admin,
        role_ids=tuple(row.role_ids),
        anchor=row.anchor,
        status=TurnStatus(row.status),
        attempts=row.attempts,
        reply=None if row.reply is None else to_reply(row.reply),
        notice=row.notice,
        decision=row.decision,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def to_reply_data(reply: Reply) -> dict[str, Any]:
    """A reply in plain values."""
    footer = reply.footer
    return {
        "text": reply.text,
        "footer": None if footer is None else asdict(footer) | {"tier": int(footer.tier)},
        "notes": list(reply.notes),
        "actions": [action.value for action in reply.actions],
        "remembered": reply.remembered,
        "card": None if reply.card is None else asdict(reply.card),
    }


def to_reply(data: Mapping[str, Any]) -> Reply:
    """A reply from plain values."""
    footer = data["footer"]
    return Reply(
        text=data["text"],
        footer=None if footer is None else Footer(**(footer | {"tier": Tier(footer["tier"])})),
        notes=tuple(data["notes"]),
        actions=tuple(Action(action) for action in data["actions"]),
        remembered=data.get("remembered", ""),
        card=to_card(data.get("card")),
    )


def to_card(data: Mapping[str, Any] | None) -> Card | None:
    """A picture's values from plain ones."""
    if data is None:
        return None
    series = tuple(Series(**each) for each in data["series"])
    bars = tuple(Bar(**(each | {"amounts": tuple(each["amounts"])})) for each in data["bars"])
    return Card(**(dict(data) | {"series": series, "bars": bars}))


def to_attachments(data: Iterable[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Attachments from plain values."""
    return tuple(Attachment(**(dict(item) | {"data": b64decode(item["data"])})) for item in data)


def _to_attachment_data(attachment: Attachment) -> dict[str, Any]:
    return asdict(attachment) | {"data": b64encode(attachment.data).decode("ascii")}


def to_title(text: str) -> str:
    """A conversation's name in lists: the beginning of its first prompt, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1] + "…"


def to_history(
    messages: Iterable[Columns], turns: Iterable[Columns], files: Mapping[int, list[Any]]
) -> tuple[Utterance, ...]:
    """Messages in order, each followed by the answer that was given last; without commands.

    `turns` are oldest first, each with the sum of its `feedback`; `files` are by message.
    """
    ended = list(turns)
    commands = {turn.message_row_id for turn in ended if "command" in turn.decision}
    answered = {turn.message_row_id: turn for turn in ended if turn.reply is not None}
    said: list[Utterance] = []
    for message in messages:
        if message.id in commands:
            continue
        said.append(_to_question(message, files.get(message.id, [])))
        turn = answered.get(message.id)
        if turn is not None and turn.reply["text"]:
            said.append(_to_answer(turn))
    return tuple(said)


def _to_question(message: Columns, files: list[Any]) -> Utterance:
    return Utterance(
        role=Role.USER,
        author_name=message.author_name,
        text=message.text,
        sent_at=message.sent_at,
        attachments=to_attachments(files),
        position=message.id,
    )


def _to_answer(turn: Columns) -> Utterance:
    reply, feedback = turn.reply, int(turn.feedback)
    footer = reply["footer"]
    return Utterance(
        role=Role.ASSISTANT,
        author_name="",
        text=reply.get("remembered") or reply["text"],
        sent_at=turn.finished_at or turn.created_at,
        turn_id=turn.turn_id,
        alias=str(turn.decision.get("model", "")),
        tier=None if footer is None else Tier(footer["tier"]),
        feedback=(feedback > 0) - (feedback < 0),
        position=turn.message_row_id,
    )


def to_post_values(post: Post) -> dict[str, Any]:
    """A post's columns."""
    return asdict(post)


def to_post(row: Columns) -> Post:
    """A kept post."""
    return Post(
        post_id=row.post_id,
        turn_id=row.turn_id,
        created_at=row.created_at,
        platform_id=row.platform_id,
        channel_id=row.channel_id,
    )
