"""How a prompt relates to the conversation before it."""

import pytest

from bot.catalog import Tier
from bot.difficulty.estimate import HistoryTurn
from bot.difficulty.followups import FollowUp, classify, to_failed_tier

BEFORE = [HistoryTurn(prompt="Explain how vaccines work in detail", tier=Tier.CHEAP)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("thanks", FollowUp.THANKS),
        ("Thank you so much!", FollowUp.THANKS),
        ("谢谢你", FollowUp.THANKS),
        ("ok", FollowUp.THANKS),
        ("shorter", FollowUp.EDIT),
        ("and in French?", FollowUp.EDIT),
        ("als Liste, kürzer bitte", FollowUp.EDIT),
        ("are you sure?", FollowUp.DOUBT),
        ("Das stimmt nicht.", FollowUp.DOUBT),
        ("it still doesn't work", FollowUp.DOUBT),
        ("why?", FollowUp.CONTINUE),
        ("continue", FollowUp.CONTINUE),
        ("?", FollowUp.CONTINUE),
        ("explain how vaccines work in detail", FollowUp.REPEAT),
        ("history of Rome", FollowUp.NEW),
        ("What is the boiling point of water at sea level?", FollowUp.NEW),
        ("write a regular expression that matches dates in a long log file, " * 3, FollowUp.NEW),
    ],
)
def test_tells_follow_ups_from_new_questions(prompt: str, expected: FollowUp) -> None:
    assert classify(prompt, BEFORE) is expected


def test_without_a_conversation_everything_is_new() -> None:
    assert classify("are you sure?", []) is FollowUp.NEW


def test_a_doubted_tier_has_failed() -> None:
    assert to_failed_tier(FollowUp.DOUBT, BEFORE) is Tier.CHEAP


def test_a_thumb_down_counts_for_three_turns() -> None:
    down = HistoryTurn(prompt="a", tier=Tier.FREE, feedback=-1)
    plain = HistoryTurn(prompt="b", tier=Tier.FREE)
    assert to_failed_tier(FollowUp.NEW, [down, plain, plain]) is Tier.FREE
    assert to_failed_tier(FollowUp.NEW, [down, plain, plain, plain]) is None


def test_nothing_failed_when_nobody_complained() -> None:
    assert to_failed_tier(FollowUp.NEW, BEFORE) is None
