"""Reasons are words: at most three, the strongest first, never none."""

import pytest

from bot.catalog import Tier
from bot.difficulty.followups import FollowUp
from bot.difficulty.reasons import MOST, PHRASES, to_reasons
from bot.difficulty.signals import NAMES, to_signals
from tests.unit.difficulty.models import make_weights


def test_every_phrase_belongs_to_a_signal() -> None:
    assert PHRASES.keys() <= set(NAMES)


def test_the_conversation_comes_first() -> None:
    reasons = to_reasons(to_signals("python code"), make_weights(), FollowUp.DOUBT, Tier.CHEAP)
    assert reasons[:2] == (
        "doubts the last answer",
        "the cheap tier's answer did not satisfy",
    )
    assert len(reasons) <= MOST


def test_says_so_when_nothing_stands_out() -> None:
    reasons = to_reasons(to_signals(""), make_weights(), FollowUp.NEW, None)
    assert reasons == ("nothing special in its wording",)


@pytest.mark.parametrize(("characters", "is_long"), [(70, False), (190, False), (260, True)])
def test_a_prompt_is_called_long_when_people_would(characters: int, is_long: bool) -> None:
    prompt = ("plain words here " * 40)[:characters]
    reasons = to_reasons(to_signals(prompt), make_weights(), FollowUp.NEW, None)
    assert ("long prompt" in reasons) is is_long
