"""Learning from use: follows honest feedback, refuses what does worse, keeps versions."""

import random
from dataclasses import replace

import pytest

from bot.catalog import Tier
from bot.difficulty import Estimate, HistoryTurn
from bot.difficulty.learned import LearnedEstimator, from_bytes, may_explore, to_bytes
from bot.difficulty.learning import (
    MIN_MARKS,
    RatedTurn,
    refit,
    to_silence_weight,
    to_voiced_share,
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
    learned, report = refit(BASE, _turns(MIN_MARKS - 1, bread_is_fine=False), 1)
    assert not report.is_accepted
    assert LearnedEstimator(BASE, learned).estimate("hello").p_free == pytest.approx(
        BASE.estimate("hello").p_free
    )


def test_a_refit_that_does_worse_on_the_newest_turns_is_refused() -> None:
    misleading = _turns(160, bread_is_fine=False) + _turns(60, bread_is_fine=True)
    learned, report = refit(BASE, misleading, 1)
    assert not report.is_accepted
    assert report.refitted_loss > report.shipped_loss
    assert "worse than the shipped model" in report.reason
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


def test_silent_turns_are_no_opinions() -> None:
    silent = [
        replace(turn, weight=0.2, is_marked=False) for turn in _turns(200, bread_is_fine=True)
    ]
    _, report = refit(BASE, silent, 1)
    assert not report.is_accepted
    assert report.reason.startswith("Only 0 opinions")


def test_complaints_among_silence_do_not_make_everything_look_hard() -> None:
    """As many complaints as the shipped model expects leave the average where it was."""
    prompts = [CHAT.format(number) for number in range(1_000)]
    expected = sum(1 - BASE.estimate(prompt).p_free for prompt in prompts)
    failures = round(expected / 4)
    silence = to_silence_weight(to_voiced_share(failures, expected))
    turns = [
        RatedTurn(prompt=prompt, tier=Tier.FREE, is_content=False)
        if number % (1_000 // failures) == 0
        else RatedTurn(
            prompt=prompt, tier=Tier.FREE, is_content=True, weight=silence, is_marked=False
        )
        for number, prompt in enumerate(prompts)
    ]
    learned, _ = refit(BASE, turns, 1)
    prompt = CHAT.format("birds")
    moved = LearnedEstimator(BASE, learned).estimate(prompt).p_free - BASE.estimate(prompt).p_free
    assert abs(moved) < 0.1


def test_all_discontent_is_taken_as_voiced_when_there_is_more_than_expected() -> None:
    assert to_voiced_share(50, 20.0) == 1.0
    assert to_voiced_share(5, 20.0) == 0.25
    assert to_voiced_share(0, 20.0) == 0.02
    assert to_voiced_share(0, 0.0) == 1.0


def test_what_was_learned_is_of_the_prompt_that_a_follow_up_means() -> None:
    learned, _ = refit(BASE, _turns(200, bread_is_fine=False), 1)
    estimator = LearnedEstimator(BASE, learned)
    before = [HistoryTurn(prompt=BREAD.format("x"), tier=Tier.FREE)]
    assert estimator.estimate("why?", before).p_free < BASE.estimate("why?", before).p_free - 0.1
    thanks = estimator.estimate("thanks", before)
    assert thanks.p_free == pytest.approx(BASE.estimate("thanks", before).p_free)
