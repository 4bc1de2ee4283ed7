"""The ledger: one entry for each model call, which is also its journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.calls import ModelCall, Purpose, Usage
from bot.catalog import ModelSpec, Tier


class CallStatus(StrEnum):
    """How far a call has come; all but OPEN are closed."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One model call: who asked, what served, what it used, what it cost. Amounts: nano-dollars."""

    call_id: str
    turn_id: str
    platform: str
    workspace_id: str
    channel_id: str
    user_id: str
    purpose: Purpose
    tier: Tier
    alias: str
    model_id: str
    hold: int
    """The most it can cost, kept back from every budget it counts for while it is open."""
    created_at: datetime
    status: CallStatus = CallStatus.OPEN
    attempt: int = 1
    served_model_id: str = ""
    usage: Usage | None = None
    cost: int | None = None
    """What is billed; None is unpriced."""
    list_price: int | None = None
    """The same tokens without a free quota."""
    reported_cost: int | None = None
    lost_cost: int = 0
    """The most that attempts which a crash cut off can have cost."""
    latency_s: float | None = None
    first_token_s: float | None = None
    finish_reason: str = ""
    text: str = ""
    """What the model answered, so that a turn run again need not pay for it again."""
    error: str = ""
    """The name of the error's class."""
    error_message: str = ""

    @property
    def spent(self) -> int:
        """What this call takes from the budgets."""
        return (self.cost or 0) + self.lost_cost


def to_hold(call: ModelCall) -> int:
    """The most a call can be billed: its input and all the output it may write.

    An unknown price holds nothing: it reads `unpriced` everywhere.
    """
    price = call.model.price
    if price is None:
        return 0
    return price.most(input_tokens=call.input_tokens, output_tokens=call.max_output_tokens)


def to_cost(model: ModelSpec, usage: Usage, reported_cost: int | None) -> int | None:
    """What is billed: nothing on a free quota, else the provider's own sum, else tokens × price."""
    if model.is_free_quota:
        return 0
    return to_list_price(model, usage) if reported_cost is None else reported_cost


def to_list_price(model: ModelSpec, usage: Usage) -> int | None:
    """What these tokens cost without a free quota; None when the price is not known."""
    if model.list_price is None:
        return None
    if usage.is_estimated:
        return model.list_price.most(
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens
        )
    return model.list_price.cost(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
