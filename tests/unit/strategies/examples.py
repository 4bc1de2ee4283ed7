"""Ledger entries as the steps of a turn leave them."""

from bot.calls import Purpose, Usage
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from tests.fakes import NOON


def entry(
    step: str, purpose: Purpose = Purpose.PROPOSE, *, text: str = "text", **more: object
) -> LedgerEntry:
    """A finished call of the test's turn."""
    values: dict[str, object] = {
        "call_id": f"test:m1:{step}",
        "turn_id": "test:m1",
        "platform": "test",
        "workspace_id": "w",
        "channel_id": "c",
        "user_id": "ada",
        "purpose": purpose,
        "tier": Tier.FULL,
        "alias": "ada",
        "model_id": "p1/ada-9",
        "hold": 0,
        "created_at": NOON,
        "status": CallStatus.DONE,
        "usage": Usage(input_tokens=10, output_tokens=10),
        "cost": 1_000,
        "text": text,
    }
    return LedgerEntry(**{**values, **more})  # type: ignore[arg-type]  # test data
