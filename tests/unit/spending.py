"""Entries and lines that the tests of spend begin from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from bot.calls import Purpose, Usage
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from bot.money import NANOUSD
from bot.periods import Span, stretch_at
from bot.spend import Where

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
WEEK = stretch_at(Span.WEEK, MONDAY, UTC)
HERE = Where(platform="test", workspace_id="w")


def usd(amount: str) -> int:
    return int(Decimal(amount) * NANOUSD)


def call(number: int = 1, **more: object) -> LedgerEntry:
    """A finished answer of the cheap tier that cost a dollar, on Monday at noon."""
    values: dict[str, object] = {
        "call_id": f"t{number}:answer1",
        "turn_id": f"t{number}",
        "platform": "test",
        "workspace_id": "w",
        "channel_id": "c",
        "user_id": "ann",
        "purpose": Purpose.ANSWER,
        "tier": Tier.CHEAP,
        "alias": "haiku",
        "model_id": "p/haiku",
        "hold": 0,
        "created_at": MONDAY + timedelta(hours=12),
        "status": CallStatus.DONE,
        "usage": Usage(input_tokens=100_000, output_tokens=10_000),
        "cost": usd("1"),
        "list_price": usd("1"),
    }
    return LedgerEntry(**{**values, **more})  # type: ignore[arg-type]  # test data


usages = st.builds(
    Usage,
    input_tokens=st.integers(0, 10_000),
    output_tokens=st.integers(0, 10_000),
    cached_input_tokens=st.integers(0, 5_000),
)
entries = st.builds(
    call,
    number=st.integers(1, 10**9),
    tier=st.sampled_from(Tier),
    alias=st.sampled_from(["haiku", "flash", "opus", "demo"]),
    purpose=st.sampled_from(Purpose),
    channel_id=st.sampled_from(["c", "d"]),
    user_id=st.sampled_from(["ann", "bob", "cy"]),
    status=st.sampled_from(CallStatus),
    usage=st.none() | usages,
    cost=st.none() | st.integers(0, 10**10),
    lost_cost=st.integers(0, 10**9),
    created_at=st.integers(0, 7 * 86_400 - 1).map(lambda s: MONDAY + timedelta(seconds=s)),
)
