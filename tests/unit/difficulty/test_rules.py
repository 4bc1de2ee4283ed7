"""The rules form: sensible order, probabilities in order, reasons in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import Tier
from bot.difficulty import HistoryTurn, RulesEstimator

EASY = ["hi", "thanks!", "What is the capital of France?", "你好", "wie geht's?", "спасибо"]
HARD = [
    "Write a Python function that merges k sorted lists and analyse its complexity.",
    "Prove that there are infinitely many primes congruent to 3 modulo 4.",
    "请证明存在无穷多个素数，并详细解释每一步推导",
    "Erkläre ausführlich den Unterschied zwischen Vertrag und Delikt und vergleiche die Haftung.",
]


@pytest.mark.parametrize("hard", HARD)
@pytest.mark.parametrize("easy", EASY)
def test_a_hard_prompt_is_less_likely_to_suit_the_free_tier_than_an_easy_one(
    easy: str, hard: str
) -> None:
    rules = RulesEstimator()
    assert rules.estimate(hard).p_free < rules.estimate(easy).p_free - 0.2


@given(st.text())
def test_probabilities_are_in_order_whatever_the_text(text: str) -> None:
    estimate = RulesEstimator().estimate(text)
    assert 0 <= estimate.p_free <= estimate.p_cheap <= estimate.p_full <= 1
    assert [estimate.p(tier) for tier in Tier] == [
        estimate.p_free,
        estimate.p_cheap,
        estimate.p_full,
    ]


def test_reasons_are_words() -> None:
    estimate = RulesEstimator().estimate(HARD[0])
    assert "about programming" in estimate.reasons
    assert estimate.version == "rules-1"


def test_doubt_makes_the_tier_that_answered_less_likely() -> None:
    before = [HistoryTurn(prompt=HARD[1], tier=Tier.CHEAP)]
    rules = RulesEstimator()
    alone, after = rules.estimate(HARD[1]), rules.estimate("are you sure?", before)
    assert after.p_cheap < alone.p_cheap / 2
    assert after.p_full == alone.p_full
    assert after.reasons[:2] == (
        "doubts the last answer",
        "the cheap tier's answer did not satisfy",
    )
