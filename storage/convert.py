"""Between the core's values and rows: pure functions, one pair for each table."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from bot.budget import BudgetAlert, BudgetState, Limit, Period, Scope, Window
from bot.calls import Purpose, Usage
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from bot.messages import Attachment, ConversationKey, IncomingMessage, Role
from bot.pictures import Bar, Card, Series
from bot.ports import Post
from bot.replies import Action, Footer, Reply
from bot.turns import Turn, TurnStatus, Utterance
from storage.tables import BudgetRow, LlmCallRow, MessageRow, PostRow, TurnRow

TITLE_CHARACTERS = 80
_SCOPES = list(Scope)


def to_message_row(message: IncomingMessage) -> MessageRow:
    """A message as it is kept."""
    return MessageRow(
        platform=message.key.platform,
        message_id=message.message_id,
        conversation_id=str(message.key),
        author_id=message.author_id,
        author_name=message.author_name,
        text=message.text,
        sent_at=message.sent_at,
        is_addressed=message.is_addressed,
        attachments=[_to_attachment_data(a) for a in message.attachments],
    )


def to_turn_row(turn: Turn, message_row_id: int) -> TurnRow:
    """A new turn as it is kept."""
    return TurnRow(
        turn_id=turn.turn_id,
        message_row_id=message_row_id,
        conversation_id=str(turn.key),
        platform=turn.key.platform,
        workspace_id=turn.key.workspace_id,
        channel_id=turn.key.channel_id,
        thread_id=turn.key.thread_id,
        user_id=turn.user_id,
        user_name=turn.user_name,
        prompt=turn.prompt,
        tier=turn.tier,
        retry_of=turn.retry_of,
        is_admin=turn.is_admin,
        role_ids=list(turn.role_ids),
        anchor=dict(turn.anchor),
        status=turn.status.value,
        decision=dict(turn.decision),
        created_at=turn.created_at,
    )


def to_turn(row: TurnRow, message: MessageRow) -> Turn:
    """A kept turn; its prompt is the message's text until it begins."""
    return Turn(
        turn_id=row.turn_id,
        key=ConversationKey(
            platform=row.platform,
            workspace_id=row.workspace_id,
            channel_id=row.channel_id,
            thread_id=row.thread_id,
        ),
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
    messages: Iterable[MessageRow], turns: Iterable[TurnRow], feedback: Mapping[str, int]
) -> tuple[Utterance, ...]:
    """Messages in order, each followed by the answer that was given last; without commands.

    `turns` are oldest first; `feedback` is each turn's sum.
    """
    ended = list(turns)
    commands = {turn.message_row_id for turn in ended if "command" in turn.decision}
    answered = {turn.message_row_id: turn for turn in ended if turn.reply is not None}
    said: list[Utterance] = []
    for message in messages:
        if message.id in commands:
            continue
        said.append(_to_question(message))
        turn = answered.get(message.id or 0)
        if turn is not None and turn.reply is not None and turn.reply["text"]:
            said.append(_to_answer(turn, turn.reply, feedback.get(turn.turn_id, 0)))
    return tuple(said)


def _to_question(message: MessageRow) -> Utterance:
    return Utterance(
        role=Role.USER,
        author_name=message.author_name,
        text=message.text,
        sent_at=message.sent_at,
        attachments=to_attachments(message.attachments),
        position=message.id or 0,
    )


def _to_answer(turn: TurnRow, reply: Mapping[str, Any], feedback: int) -> Utterance:
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


def to_call_row(entry: LedgerEntry, held_in: Iterable[str]) -> LlmCallRow:
    """An open entry as it is kept."""
    return LlmCallRow(
        call_id=entry.call_id,
        turn_id=entry.turn_id,
        platform=entry.platform,
        workspace_id=entry.workspace_id,
        channel_id=entry.channel_id,
        user_id=entry.user_id,
        created_at=entry.created_at,
        held_in=list(held_in),
        **to_call_values(entry),
    )


def to_call_values(entry: LedgerEntry) -> dict[str, Any]:
    """The columns of an entry that may change: by another attempt, and when it is closed."""
    usage = entry.usage
    return {
        "purpose": entry.purpose.value,
        "tier": int(entry.tier),
        "alias": entry.alias,
        "model_id": entry.model_id,
        "status": entry.status.value,
        "attempt": entry.attempt,
        "hold": entry.hold,
        "served_model_id": entry.served_model_id,
        "cost": entry.cost,
        "list_price": entry.list_price,
        "reported_cost": entry.reported_cost,
        "lost_cost": entry.lost_cost,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cached_input_tokens": usage.cached_input_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "is_estimated": usage.is_estimated if usage else False,
        "latency_s": entry.latency_s,
        "first_token_s": entry.first_token_s,
        "finish_reason": entry.finish_reason,
        "text": entry.text,
        "error": entry.error,
        "error_message": entry.error_message,
    }


def to_entry(row: LlmCallRow) -> LedgerEntry:
    """A kept entry."""
    return LedgerEntry(
        call_id=row.call_id,
        turn_id=row.turn_id,
        platform=row.platform,
        workspace_id=row.workspace_id,
        channel_id=row.channel_id,
        user_id=row.user_id,
        purpose=Purpose(row.purpose),
        tier=Tier(row.tier),
        alias=row.alias,
        model_id=row.model_id,
        hold=row.hold,
        created_at=row.created_at,
        status=CallStatus(row.status),
        attempt=row.attempt,
        served_model_id=row.served_model_id,
        usage=_to_usage(row),
        cost=row.cost,
        list_price=row.list_price,
        reported_cost=row.reported_cost,
        lost_cost=row.lost_cost,
        latency_s=row.latency_s,
        first_token_s=row.first_token_s,
        finish_reason=row.finish_reason,
        text=row.text,
        error=row.error,
        error_message=row.error_message,
    )


def _to_usage(row: LlmCallRow) -> Usage | None:
    if row.input_tokens is None:
        return None
    return Usage(
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens or 0,
        cached_input_tokens=row.cached_input_tokens or 0,
        reasoning_tokens=row.reasoning_tokens or 0,
        is_estimated=row.is_estimated,
    )


def to_budget_id(limit: Limit) -> str:
    """One budget: its scope first, so that ids can be put in the order of holds."""
    start = limit.window.starts_at.isoformat()
    return f"{limit.scope}|{limit.scope_id}|{limit.window.period}|{start}"


def to_place(limit: Limit) -> dict[str, str]:
    """Whose calls count for a limit, by the names of a ledger entry's fields."""
    own = {Scope.USER: "user_id", Scope.CHANNEL: "channel_id"}.get(limit.scope)
    names = ["platform", "workspace_id", *([own] if own else [])]
    if limit.scope is Scope.INSTANCE:
        return {}
    return dict(zip(names, limit.scope_id.split("/", len(names) - 1), strict=True))


def in_hold_order(budget_ids: Iterable[str]) -> list[str]:
    """The one order in which budgets are written, so that no two calls wait for each other."""
    return sorted(set(budget_ids), key=lambda b: (_SCOPES.index(Scope(b.split("|", 1)[0])), b))


def to_budget_row(limit: Limit) -> BudgetRow:
    """A budget as it begins."""
    return BudgetRow(
        budget_id=to_budget_id(limit),
        scope=limit.scope.value,
        scope_id=limit.scope_id,
        period=limit.window.period.value,
        starts_at=limit.window.starts_at,
        ends_at=limit.window.ends_at,
        cap=limit.cap,
    )


def to_alert(row: BudgetRow) -> BudgetAlert:
    """The last mark that was said of a kept budget."""
    window = Window(period=Period(row.period), starts_at=row.starts_at, ends_at=row.ends_at)
    limit = Limit(scope=Scope(row.scope), scope_id=row.scope_id, window=window, cap=row.cap)
    state = BudgetState(limit=limit, spent=row.spent, held=row.held)
    return BudgetAlert(state=state, mark=row.alerted_percent)


def to_post_row(post: Post) -> PostRow:
    """A post as it is kept."""
    return PostRow(**asdict(post))


def to_post(row: PostRow) -> Post:
    """A kept post."""
    return Post(
        post_id=row.post_id,
        turn_id=row.turn_id,
        created_at=row.created_at,
        platform_id=row.platform_id,
        channel_id=row.channel_id,
    )
