"""The small print names who served, and adds up what all calls cost."""

from datetime import timedelta

import pytest

from bot.calls import Purpose
from bot.strategies.footers import said_last, served_name, to_footer
from tests.fakes import NOON
from tests.unit.strategies.examples import entry


def test_the_cost_is_that_of_all_calls_and_the_model_that_of_one() -> None:
    one, two = entry("propose1", cost=1_000), entry("criticise1", cost=500, alias="bob")
    footer = to_footer(one, (one, two))
    assert (footer.model, footer.cost, footer.tokens) == ("ada", 1_500, 40)


def test_the_time_is_that_from_the_first_call_to_the_end_of_the_last() -> None:
    one = entry("propose1", created_at=NOON, latency_s=2.0)
    two = entry("criticise1", created_at=NOON + timedelta(seconds=3), latency_s=1.5)
    late = entry("judge", created_at=NOON + timedelta(seconds=1), latency_s=None)
    assert to_footer(one, (one, late, two)).latency_s == 4.5
    assert to_footer(one, (one,)).latency_s == 2.0


def test_the_small_work_beside_an_answer_did_not_say_it() -> None:
    answer, check = entry("answer1"), entry("check", purpose=Purpose.CHECK)
    assert said_last((answer, check)) is answer
    assert said_last((check,)) is check


def test_one_unpriced_call_makes_the_sum_unpriced() -> None:
    one = entry("propose1")
    assert to_footer(one, (one, entry("criticise1", cost=None))).cost is None


@pytest.mark.parametrize(
    ("asked", "served", "name"),
    [
        ("p1/ada-9", "", "ada"),
        ("p1/ada-9", "ada-9-2026-11", "ada"),
        ("p1/ada-9", "other-1", "other-1"),
        ("p1/ada-latest", "ada-9", "ada"),
        ("openrouter/v/ada-9", "v/ada-9", "ada"),
    ],
)
def test_another_served_model_is_named(asked: str, served: str, name: str) -> None:
    assert served_name(entry("answer1", model_id=asked, served_model_id=served)) == name
