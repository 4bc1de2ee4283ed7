"""Costs come from usage and price; a free quota bills nothing; the unknown stays unknown."""

from bot.calls import ModelCall, Purpose, Usage
from bot.ledger import to_cost, to_hold, to_list_price
from bot.messages import Message, Role
from tests.fakes import model

USAGE = Usage(input_tokens=1_000, output_tokens=500)
PAID = model("paid", usd="2")
QUOTA = model("quota", usd="2", is_free_quota=True)
UNPRICED = model("unpriced", usd=None)


def _call(of: object, max_output_tokens: int = 100) -> ModelCall:
    return ModelCall(
        call_id="t:1",
        purpose=Purpose.ANSWER,
        model=of,  # type: ignore[arg-type]  # test data
        messages=(Message(role=Role.USER, text="x" * 315),),
        max_output_tokens=max_output_tokens,
    )


def test_a_hold_is_the_most_that_a_call_can_cost() -> None:
    assert to_hold(_call(PAID)) == 87 * 2_000 + 100 * 8_000


def test_a_free_quota_and_an_unknown_price_hold_nothing() -> None:
    assert to_hold(_call(QUOTA)) == 0
    assert to_hold(_call(UNPRICED)) == 0


def test_the_cost_is_tokens_times_price() -> None:
    assert to_cost(PAID, USAGE, None) == 6_000_000


def test_what_the_provider_reports_is_billed() -> None:
    assert to_cost(PAID, USAGE, 5) == 5


def test_a_free_quota_is_billed_nothing_and_keeps_the_list_price() -> None:
    assert to_cost(QUOTA, USAGE, 5) == 0
    assert to_list_price(QUOTA, USAGE) == 6_000_000


def test_an_unknown_price_stays_unknown() -> None:
    assert to_cost(UNPRICED, USAGE, None) is None
