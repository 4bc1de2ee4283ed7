"""What a discussion will cost is known before it begins, and shared fairly when it is scarce."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.strategies.estimates import Cost, PlannedCall, cost_of, fair_output_tokens
from tests.fakes import model

ADA = model("ada", usd="5")


def _call(usd: str | None = "5", size: int = 100) -> PlannedCall:
    return PlannedCall(model=model("m", usd=usd), input_tokens=size, most_input_tokens=size + 8_192)


def test_the_estimate_is_the_sum_of_its_calls() -> None:
    one, two = cost_of([_call()]), cost_of([_call(), _call()])
    assert one.expected is not None
    assert two.expected == 2 * one.expected


@given(st.lists(st.integers(min_value=1, max_value=50_000), min_size=1, max_size=6))
def test_the_most_is_never_less_than_what_is_expected(sizes: list[int]) -> None:
    cost = cost_of([_call(size=size) for size in sizes])
    assert cost.expected is not None
    assert cost.most is not None
    assert cost.expected <= cost.most


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (Cost(expected=20_000_000, most=300_000_000), "About $0.0200, at most $0.30"),
        (Cost(expected=0, most=0), "It costs nothing"),
    ],
)
def test_an_estimate_in_words(cost: Cost, words: str) -> None:
    assert cost.words == words


def test_an_unpriced_model_has_no_estimate() -> None:
    assert "not known" in cost_of([_call(), _call(usd=None)]).words


def test_with_room_for_all_nobody_is_kept_short() -> None:
    cost = cost_of([_call()] * 3)
    assert fair_output_tokens(ADA, 100, cost, None) is None
    assert fair_output_tokens(ADA, 100, cost, cost.most) is None


@given(st.integers(min_value=40_000_000, max_value=200_000_000))
def test_voices_that_begin_at_once_all_fit_into_what_is_left(available: int) -> None:
    calls = [PlannedCall(model=ADA, input_tokens=100, most_input_tokens=100)] * 3
    cost = cost_of(calls)
    tokens = fair_output_tokens(ADA, 100, cost, available)
    assert ADA.price is not None
    if tokens is not None:
        held = 3 * ADA.price.cost(input_tokens=100, output_tokens=tokens)
        assert held <= available
