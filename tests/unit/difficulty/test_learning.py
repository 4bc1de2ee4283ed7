"""Learning from use: follows honest feedback, refuses what does worse, keeps versions."""

import random

import pytest

from bot.catalog import Tier
from bot.difficulty import Estimate
from bot.difficulty.learning import (
    MIN_TURNS,
    LearnedEstimator,
    RatedTurn,
    from_bytes,
    may_explore,
    refit,
    to_bytes,
    to_silence_weight,
)
from tests.unit.difficulty.models import make_estimator

BASE = make_estimator()
BREAD = "my sourdough starter smells like {} and does not rise"
CHAT = "recommend a nice book about {} please"


def _turns(count: int, *, bread_is_fine: bool, noise: float = 0.0) -> list[RatedTurn]:
    chance = random.Random(7)
    turns = []
    for number in range(count):
        is_bread = number % 2 == 0
        content = bread_is_fine if is_bread else True
        if chance.random() < noise:
            content = not content
        prompt = (BREAD if is_bread else CHAT).format(number)
        turns.append(RatedTurn(prompt=prompt, tier=Tier.FREE, is_content=content))
    return turns


def test_complaints_about_a_subject_lower_its_probability() -> None:
    learned, report = refit(BASE, _turns(200, bread_is_fine=False, noise=0.1), 1)
    estimator = LearnedEstimator(BASE, learned)
    prompt = BREAD.format("north")
    assert report.is_accepted
    assert estimator.estimate(prompt).p_free < BASE.estimate(prompt).p_free - 0.1
    chat = CHAT.format("birds")
    assert estimator.estimate(chat).p_free > estimator.estimate(prompt).p_free + 0.1


def test_the_order_of_tiers_is_kept() -> None:
    learned, _ = refit(BASE, _turns(200, bread_is_fine=False), 1)
    estimate = LearnedEstimator(BASE, learned).estimate(BREAD.format("x"))
    assert estimate.p_free <= estimate.p_cheap <= estimate.p_full
    assert estimate.version == "local-test+1"


def test_too_little_feedback_changes_nothing() -> None:
    learned, report = refit(BASE, _turns(MIN_TURNS - 1, bread_is_fine=False), 1)
    assert not report.is_accepted
    assert LearnedEstimator(BASE, learned).estimate("hello").p_free == pytest.approx(
        BASE.estimate("hello").p_free
    )


def test_a_refit_that_does_worse_on_the_newest_turns_is_refused() -> None:
    misleading = _turns(160, bread_is_fine=False) + _turns(60, bread_is_fine=True)
    learned, report = refit(BASE, misleading, 1)
    assert not report.is_accepted
    assert report.refitted_loss > report.shipped_loss
    assert "shipped model stays" in report.reason
    assert not learned.mean.any()


def test_a_refit_says_what_changed() -> None:
    _, report = refit(BASE, _turns(200, bread_is_fine=False), 1)
    assert any("harder" in change for change in report.changes)


def test_the_same_turns_give_the_same_bytes() -> None:
    turns = _turns(80, bread_is_fine=False, noise=0.1)
    assert to_bytes(refit(BASE, turns, 1)[0]) == to_bytes(refit(BASE, turns, 1)[0])


def test_reads_back_what_was_learned() -> None:
    learned, _ = refit(BASE, _turns(80, bread_is_fine=False), 3)
    read = from_bytes(to_bytes(learned))
    assert to_bytes(read) == to_bytes(learned)


def test_refuses_bytes_that_are_no_learned_weights() -> None:
    with pytest.raises(ValueError, match="not a file of learned weights"):
        from_bytes(b"hello")
    with pytest.raises(ValueError, match="another version"):
        from_bytes(to_bytes(refit(BASE, [], 1)[0])[:-8])


def test_refuses_to_run_on_another_base() -> None:
    learned, _ = refit(BASE, [], 1)
    other = type(learned)(
        version="x", base_version="local-other", mean=learned.mean, variance=learned.variance
    )
    with pytest.raises(ValueError, match="Refit it"):
        LearnedEstimator(BASE, other)


def test_doubt_shrinks_with_use() -> None:
    fresh = LearnedEstimator(BASE, refit(BASE, [], 1)[0])
    used = LearnedEstimator(BASE, refit(BASE, _turns(200, bread_is_fine=False), 1)[0])
    assert used.to_doubt(BREAD.format(1)) < fresh.to_doubt(BREAD.format(1))


def test_explores_rarely_and_only_toss_ups() -> None:
    toss_up = Estimate(p_free=0.5, p_cheap=0.7, p_full=0.9, reasons=(), version="x")
    assert may_explore(toss_up, Tier.FREE, 0.029)
    assert not may_explore(toss_up, Tier.FREE, 0.031)
    assert not may_explore(toss_up, Tier.CHEAP, 0.0)


def test_an_empty_prompt_can_be_judged_and_learned_from() -> None:
    turns = [RatedTurn(prompt="", tier=Tier.FREE, is_content=False)] * 40
    learned, report = refit(BASE, turns, 1)
    assert report.is_accepted
    assert LearnedEstimator(BASE, learned).estimate("").p_free < BASE.estimate("").p_free


def test_silence_counts_little_where_people_seldom_react() -> None:
    assert to_silence_weight(0.1) == pytest.approx(0.05)
    assert to_silence_weight(7) == 0.5
