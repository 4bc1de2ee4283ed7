"""The judge form: one word in, an estimate out, anything else falls back."""

import pytest

from bot.catalog import Tier
from bot.difficulty import HistoryTurn
from bot.difficulty.judge import VERSION, read_judgement, to_judge_prompt
from tests.unit.difficulty.models import make_estimator

LOCAL = make_estimator().estimate("write a parser in python")


@pytest.mark.parametrize("reply", ["EASY", "easy.", " **Medium**", "hard\n"])
def test_reads_the_judges_word(reply: str) -> None:
    estimate = read_judgement(reply, LOCAL)
    assert estimate is not None
    assert estimate.version == VERSION
    assert estimate.p_free <= estimate.p_cheap <= estimate.p_full


def test_hard_is_harder_than_easy() -> None:
    easy, hard = read_judgement("EASY", LOCAL), read_judgement("HARD", LOCAL)
    assert easy is not None
    assert hard is not None
    assert hard.p_free < easy.p_free


@pytest.mark.parametrize("reply", ["", "I think it is hard", "42", "困难"])
def test_anything_else_leaves_the_local_estimate(reply: str) -> None:
    assert read_judgement(reply, LOCAL) is None


def test_a_tier_that_failed_a_moment_ago_is_believed_less() -> None:
    down = [HistoryTurn(prompt="What is a monad?", tier=Tier.CHEAP, feedback=-1)]
    plain, after = read_judgement("EASY", LOCAL), read_judgement("EASY", LOCAL, down)
    assert plain is not None
    assert after is not None
    assert after.p_cheap < plain.p_cheap / 2
    assert after.p_full == plain.p_full


def test_the_judge_sees_a_capped_prompt_between_marks() -> None:
    asked = to_judge_prompt("x" * 10**6)
    assert len(asked) < 2_500
    assert asked.endswith("</message>")
