"""Learning from use: follows honest feedback and refuses what does worse."""

from dataclasses import replace
from functools import partial

import pytest

from bot.catalog import Tier
from bot.difficulty.learned import LearnedEstimator, to_bytes
from bot.difficulty.learning import (
    MIN_MARKS,
    RatedTurn,
    refit,
    to_silence_weight,
    to_voiced_share,
    weigh_silence,
)
from tests.unit.difficulty.rating import BASE, BREAD, CHAT, rated


def test_complaints_about_a_subject_lower_its_probability() -> None:
    learned, report = refit(BASE, rated(200, bread_is_fine=False, noise=0.1), 1)
    estimator = LearnedEstimator(BASE, learned)
    prompt = BREAD.format("north")
    assert report.is_accepted
    assert estimator.estimate(prompt).p_free < BASE.estimate(prompt).p_free - 0.1
    chat = CHAT.format("birds")
    assert estimator.estimate(chat).p_free > estimator.estimate(prompt).p_free + 0.1


def test_too_little_feedback_changes_nothing() -> None:
    learned, report = refit(BASE, rated(MIN_MARKS - 1, bread_is_fine=False), 1)
    assert not report.is_accepted
    assert LearnedEstimator(BASE, learned).estimate("hello").p_free == pytest.approx(
        BASE.estimate("hello").p_free
    )


def test_a_refit_that_does_worse_on_the_newest_turns_is_refused() -> None:
    misleading = rated(160, bread_is_fine=False) + rated(60, bread_is_fine=True)
    learned, report = refit(BASE, misleading, 1)
    assert not report.is_accepted
    assert report.refitted_loss > report.shipped_loss
    assert "worse than the shipped model" in report.reason
    assert not learned.mean.any()


def test_a_refit_says_what_changed() -> None:
    _, report = refit(BASE, rated(200, bread_is_fine=False), 1)
    assert any("harder" in change for change in report.changes)


def test_the_same_turns_give_the_same_bytes() -> None:
    turns = rated(80, bread_is_fine=False, noise=0.1)
    assert to_bytes(refit(BASE, turns, 1)[0]) == to_bytes(refit(BASE, turns, 1)[0])


def test_an_empty_prompt_can_be_judged_and_learned_from() -> None:
    turns = [RatedTurn(prompt="", tier=Tier.FREE, is_content=False)] * 40
    learned, report = refit(BASE, turns, 1)
    assert report.is_accepted
    assert LearnedEstimator(BASE, learned).estimate("").p_free < BASE.estimate("").p_free


def test_silence_counts_little_where_people_seldom_react() -> None:
    assert to_silence_weight(0.1) == pytest.approx(0.05)
    assert to_silence_weight(7) == 0.5


def test_silence_says_nothing_where_people_praise_as_readily_as_they_complain() -> None:
    assert to_silence_weight(0.1, 0.1) == 0
    assert to_silence_weight(0.1, 0.3) == 0
    assert to_silence_weight(0.3, 0.1) == pytest.approx(0.1)


def test_silence_is_weighed_by_what_the_shipped_model_expects() -> None:
    among = partial(weigh_silence, turns=1_000, expected_failures=400.0)
    assert among(praises=0, failures=40) == pytest.approx(0.05)
    assert among(praises=60, failures=40) == 0


def test_silent_turns_are_no_opinions() -> None:
    silent = [replace(turn, weight=0.2, is_marked=False) for turn in rated(200, bread_is_fine=True)]
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
