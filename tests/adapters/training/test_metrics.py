"""The measures, on cases whose answer is known."""

import numpy as np
import pytest

from adapters.training.metrics import (
    to_apgr,
    to_auc,
    to_calibration_error,
    to_cpt,
    to_curve,
    to_interval,
    to_recall,
)

STRONG = np.ones(100)
WEAK = np.repeat([0.0, 1.0], 50)


def test_a_perfect_router_recovers_the_gap_with_half_the_calls() -> None:
    difficulty = np.arange(100, 0, -1, dtype=float)
    assert to_apgr(difficulty, WEAK, STRONG) == pytest.approx(0.75)
    assert to_cpt(difficulty, WEAK, STRONG, 0.5) == pytest.approx(0.25)


def test_the_worst_router_is_its_mirror_image() -> None:
    assert to_apgr(np.arange(100.0), WEAK, STRONG) == pytest.approx(0.25)


def test_a_router_that_knows_nothing_is_near_a_half() -> None:
    difficulty = np.random.default_rng(0).random(20_000)
    weak = (np.random.default_rng(1).random(20_000) < 0.5).astype(float)
    assert to_apgr(difficulty, weak, np.ones(20_000)) == pytest.approx(0.5, abs=0.02)


def test_the_curve_begins_at_nothing_and_ends_at_all() -> None:
    curve = to_curve(np.arange(100.0), WEAK, STRONG)
    assert (curve.recovered[0], curve.recovered[-1]) == (0.0, 1.0)


def test_auc_counts_ties_as_half() -> None:
    needed = np.array([True, False, True, False])
    assert to_auc(np.array([2.0, 1.0, 2.0, 1.0]), needed) == 1.0
    assert to_auc(np.ones(4), needed) == 0.5


def test_recall_is_taken_at_the_level_that_few_everyday_prompts_exceed() -> None:
    everyday = np.arange(100.0)
    assert to_recall(everyday, np.array([0.0, 97.0, 200.0, 300.0]), 0.01) == 0.5


def test_true_probabilities_have_no_calibration_error() -> None:
    chances = np.repeat([0.2, 0.8], 100)
    scores = np.concatenate(([1] * 20 + [0] * 80, [1] * 80 + [0] * 20)).astype(float)
    order = np.random.default_rng(0).permutation(100)
    shuffled = np.concatenate((scores[:100][order], scores[100:][order]))
    assert to_calibration_error(chances, shuffled) < 0.1


def test_an_interval_holds_its_value() -> None:
    values = np.random.default_rng(0).random(200)
    interval = to_interval(lambda rows: float(values[rows].mean()), 200, seed=1)
    assert interval.low < interval.value < interval.high
