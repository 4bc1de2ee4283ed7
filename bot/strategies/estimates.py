"""What a debate or an ensemble will cost, before it begins: expected and at most. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.answer_limits import EXPECTED_OUTPUT_TOKENS, MIN_OUTPUT_TOKENS, output_limit
from bot.catalog import ModelSpec
from bot.money import format_usd

CRITIQUE_TOKENS = 300
JUDGE_TOKENS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One call that is planned: who, and how much it reads and writes."""

    model: ModelSpec
    input_tokens: int
    """Expected."""
    most_input_tokens: int
    output_tokens: int = EXPECTED_OUTPUT_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Nano-dollars; None when a model has no known price."""

    expected: int | None
    most: int | None

    @property
    def words(self) -> str:
        """The estimate as people read it."""
        if self.expected is None:
            return "The price of a model here is not known, so there is no estimate"
        if not self.most:
            return "It costs nothing"
        return f"About {format_usd(self.expected)}, at most {format_usd(self.most)}"


def fair_output_tokens(
    model: ModelSpec, input_tokens: int, cost: Cost, available: int | None
) -> int | None:
    """How long one answer may be when not all of them can be as long as they like.

    Else the first of several that begin at once would hold what the others need. None when there
    is room for all.
    """
    price = model.price
    if price is None or available is None or not cost.expected or cost.most is None:
        return None
    if cost.most <= available:
        return None
    own = price.cost(input_tokens=input_tokens, output_tokens=EXPECTED_OUTPUT_TOKENS)
    share = available * own // cost.expected
    affordable = price.affordable_output_tokens(input_tokens=input_tokens, available=share)
    return max(MIN_OUTPUT_TOKENS, affordable)


def cost_of(calls: Iterable[PlannedCall]) -> Cost:
    """What these calls cost together."""
    expected = most = 0
    for call in calls:
        price = call.model.price
        if price is None:
            return Cost(expected=None, most=None)
        expected += price.cost(input_tokens=call.input_tokens, output_tokens=call.output_tokens)
        most += price.most(
            input_tokens=call.most_input_tokens,
            output_tokens=output_limit(call.model, call.most_input_tokens),
        )
    return Cost(expected=expected, most=most)
