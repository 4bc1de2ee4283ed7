"""Values that the store's tests begin from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.budget import Limit, window_at
from bot.calls import Purpose, Usage
from bot.caps import Period, Scope
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from bot.messages import ConversationKey, IncomingMessage
from bot.ports import Store
from bot.replies import Footer, Reply
from bot.turns import Turn, TurnStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLACE = ConversationKey(platform="test", workspace_id="w", channel_id="c", thread_id="t")
ELSEWHERE = replace(PLACE, thread_id="other")


def message(number: int, text: str = "", *, key: ConversationKey = PLACE) -> IncomingMessage:
    return IncomingMessage(
        key=key,
        message_id=f"m{number}",
        author_id="ann",
        author_name="Ann",
        text=text or f"question {number}",
        sent_at=NOON + timedelta(seconds=number),
    )


def turn_of(incoming: IncomingMessage) -> Turn:
    return Turn(
        turn_id=f"test:{incoming.message_id}",
        key=incoming.key,
        message_id=incoming.message_id,
        user_id=incoming.author_id,
        user_name=incoming.author_name,
        prompt=incoming.text,
        attachments=incoming.attachments,
        anchor={"channel": "c"},
        created_at=incoming.sent_at,
    )


async def accepted(
    store: Store, number: int, text: str = "", *, key: ConversationKey = PLACE
) -> Turn:
    incoming = message(number, text, key=key)
    turn = turn_of(incoming)
    assert await store.accept(incoming, turn)
    return turn


async def begun(store: Store, turn: Turn) -> Turn:
    started = await store.begin(turn.turn_id, NOON)
    assert started is not None
    return started.turn


def reply(text: str) -> Reply:
    return Reply(
        text=text,
        footer=Footer(tier=Tier.CHEAP, model="haiku", tokens=30, cost=7, latency_s=0.5),
        notes=("A note.",),
    )


async def answered(
    store: Store, number: int, *, key: ConversationKey = PLACE, retry: Turn | None = None
) -> Turn:
    turn = await begun(store, retry or await accepted(store, number, key=key))
    done = replace(
        turn,
        status=TurnStatus.DONE,
        reply=reply(f"answer {number}" if retry is None else "a better answer"),
        decision={"model": "haiku", "alternatives": {"full": {"model": "opus"}}},
        finished_at=NOON + timedelta(seconds=number),
    )
    await store.finish(done)
    return done


def limit(
    scope: Scope = Scope.INSTANCE,
    *,
    cap: int = 1_000,
    scope_id: str = "",
    period: Period = Period.MONTH,
    at: datetime = NOON,
) -> Limit:
    return Limit(scope=scope, scope_id=scope_id, window=window_at(at, period, UTC), cap=cap)


def entry(call_id: str = "test:m1:answer1", *, hold: int = 100, turn_id: str = "") -> LedgerEntry:
    return LedgerEntry(
        call_id=call_id,
        turn_id=turn_id or call_id.rsplit(":", 1)[0],
        platform="test",
        workspace_id="w",
        channel_id="c",
        user_id="ann",
        purpose=Purpose.ANSWER,
        tier=Tier.CHEAP,
        alias="haiku",
        model_id="anthropic/claude-haiku-4-5",
        hold=hold,
        created_at=NOON,
    )


def done(opened: LedgerEntry, *, cost: int | None = 40) -> LedgerEntry:
    return replace(
        opened,
        status=CallStatus.DONE,
        cost=cost,
        list_price=cost,
        usage=Usage(
            input_tokens=10,
            output_tokens=20,
            cached_input_tokens=5,
            cache_write_tokens=4,
            reasoning_tokens=3,
        ),
        text="the answer",
        served_model_id="claude-haiku-4-5",
        finish_reason="stop",
        latency_s=1.5,
        first_token_s=0.25,
    )
