"""How good is a router: the measures of the RouteLLM paper, and a few plain ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.matrix import Floats

STEPS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What part of the weak–strong gap is recovered at each share of strong calls."""

    shares: Floats
    recovered: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def to_curve(difficulty: Floats, weak: Floats, strong: Floats, *, steps: int = STEPS) -> Curve:
    """Send the hardest share of prompts to the strong model, in `steps` equal steps."""
    order = np.argsort(-difficulty, kind="stable")
    gains = np.concatenate(([0.0], np.cumsum((strong - weak)[order])))
    shares = np.linspace(0, 1, steps + 1)
    cuts = np.rint(shares * len(order)).astype(int)
    return Curve(shares=shares, recovered=gains[cuts] / gains[-1])


def to_apgr(difficulty: Floats, weak: Floats, strong: Floats) -> float:
    """Area under the recovered-gap curve: 0.5 is chance, 1 at most one step away from perfect."""
    curve = to_curve(difficulty, weak, strong)
    return float(np.trapezoid(curve.recovered, curve.shares))


def to_cpt(difficulty: Floats, weak: Floats, strong: Floats, gap: float) -> float:
    """Smallest share of strong calls that recovers `gap` (0 to 1) of the difference."""
    curve = to_curve(difficulty, weak, strong, steps=min(200, len(weak)))
    reached = np.flatnonzero(curve.recovered >= gap)
    return float(curve.shares[reached[0]]) if len(reached) else 1.0


def to_auc(difficulty: Floats, needed: NDArray[np.bool_]) -> float:
    """Chance that a prompt which needed the strong model was judged the harder of two."""
    ranks = _to_ranks(difficulty)
    positives = int(needed.sum())
    negatives = len(needed) - positives
    if not positives or not negatives:
        return 0.5
    surplus = ranks[needed].sum() - positives * (positives + 1) / 2
    return float(surplus / (positives * negatives))


def _to_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def to_recall(everyday: Floats, hard: Floats, share: float) -> float:
    """Share of hard prompts above the level that `share` of everyday prompts exceed."""
    return float((hard > np.quantile(everyday, 1 - share)).mean())


def to_interval(
    measure: Callable[[NDArray[np.intp]], float], rows: int, *, seed: int, times: int = 200
) -> Interval:
    """Measure on all rows and on `times` samples of rows drawn with replacement."""
    chance = np.random.default_rng(seed)
    drawn = [measure(chance.integers(0, rows, rows)) for _ in range(times)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value=measure(np.arange(rows)), low=float(low), high=float(high))


def to_calibration(
    chances: Floats, scores: Floats, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Return, per tenth of the rows, the mean probability, the mean score and the count."""
    order = np.argsort(chances, kind="stable")
    return [
        (float(chances[part].mean()), float(scores[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]


def to_calibration_error(chances: Floats, scores: Floats) -> float:
    """Mean distance between probability and outcome over tenths, weighted by their rows."""
    parts = to_calibration(chances, scores)
    return sum(abs(p - s) * n for p, s, n in parts) / sum(n for _, _, n in parts)
