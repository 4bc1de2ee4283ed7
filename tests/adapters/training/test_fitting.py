"""The optimiser, on problems whose answer is known."""

import numpy as np
import pytest

from adapters.training.fitting import Penalty, fit_head, minimise
from adapters.training.matrix import Floats, to_matrix


def test_finds_the_bottom_of_a_narrow_valley() -> None:
    def valley(point: Floats) -> tuple[float, Floats]:
        x, y = point
        slope = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
        return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), slope

    assert minimise(valley, np.array([-1.2, 1.0]), steps=200) == pytest.approx([1, 1], abs=1e-2)


def test_separates_two_kinds_of_prompt() -> None:
    prompts = [f"please water the {plant}" for plant in ("rose", "fern", "ivy")]
    prompts += [f"integrate the function {name}" for name in ("sine", "tangent", "cosine")]
    labels = np.array([0.0] * 3 + [1.0] * 3)
    head = fit_head(
        to_matrix(prompts), labels, np.ones(6), Penalty(signals=1e-3, grams=1e-3), steps=40
    )
    scores = head.score(to_matrix(["please water the palm", "integrate the function log"]))
    assert scores[0] < 0 < scores[1]


def test_the_two_products_are_transposes_of_one_another() -> None:
    matrix = to_matrix(["one two three", "four five", "one four"])
    chance = np.random.default_rng(0)
    signals = np.array(chance.random(matrix.signals.shape[1]))
    grams, rows = chance.random(1 << 17), chance.random(3)
    to_signals, to_grams = matrix.transposed_times(rows)
    assert (matrix.times(signals, grams) * rows).sum() == pytest.approx(
        (to_signals * signals).sum() + (to_grams * grams).sum()
    )
