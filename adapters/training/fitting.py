"""Logistic regression by L-BFGS, in numpy alone and in one fixed order of operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from adapters.training.matrix import Floats, Matrix
from bot.difficulty.hashing import BUCKETS

MEMORY: Final = 10
_WOLFE: Final = 1e-4

Objective = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """L2 strength for signals and for grams."""

    signals: float
    grams: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A fitted linear head."""

    signals: Floats
    grams: Floats
    bias: float

    def score(self, matrix: Matrix) -> Floats:
        """Return the log-odds of each row."""
        return matrix.times(self.signals, self.grams) + self.bias


def fit_head(
    matrix: Matrix, labels: Floats, weights: Floats, penalty: Penalty, *, steps: int = 45
) -> Head:
    """Fit labels between 0 and 1; rows count by their weights."""
    mean = matrix.signals.mean(axis=0)
    spread = (matrix.signals.std(axis=0) + 0.05) / 0.3
    scaled = matrix.scaled(mean, spread)
    share = weights / weights.sum()
    width = matrix.signals.shape[1]
    strength = np.full(width, penalty.signals)

    def objective(point: Floats) -> tuple[float, Floats]:
        dense, grams, bias = point[:width], point[width:-1], point[-1]
        logits = scaled.times(dense, grams) + bias
        loss = float((share * (np.logaddexp(0, logits) - labels * logits)).sum())
        loss += 0.5 * float((strength * dense * dense).sum() + penalty.grams * (grams**2).sum())
        error = share * (1 / (1 + np.exp(-logits)) - labels)
        to_dense, to_grams = scaled.transposed_times(error)
        slope = np.concatenate(
            (to_dense + strength * dense, to_grams + penalty.grams * grams, [error.sum()])
        )
        return loss, slope

    point = minimise(objective, np.zeros(width + BUCKETS + 1), steps=steps)
    dense = point[:width] / spread
    return Head(signals=dense, grams=point[width:-1], bias=float(point[-1] - (dense * mean).sum()))


def minimise(objective: Objective, start: Floats, *, steps: int) -> Floats:
    """Walk downhill by L-BFGS with a halving line search; stops early when it is flat."""
    point = start
    value, slope = objective(point)
    moves: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        direction = -_to_newton(slope, moves)
        descent = float((direction * slope).sum())
        size = 1.0 if moves else 1.0 / max(1e-12, float(np.abs(slope).sum()))
        found = _search(objective, point, value, direction, (descent, size))
        if found is None:
            break
        new_point, new_value, new_slope = found
        moved, turned = new_point - point, new_slope - slope
        curve = float((moved * turned).sum())
        if curve > 1e-18:
            moves = [*moves[1 - MEMORY :], (moved, turned, curve)]
        is_flat = value - new_value < 1e-9 * max(1.0, abs(value))
        point, value, slope = new_point, new_value, new_slope
        if is_flat:
            break
    return point


def _search(
    objective: Objective, point: Floats, value: float, direction: Floats, line: tuple[float, float]
) -> tuple[Floats, float, Floats] | None:
    descent, size = line
    for _ in range(25):
        candidate = point + size * direction
        new_value, new_slope = objective(candidate)
        if new_value <= value + _WOLFE * size * descent:
            return candidate, new_value, new_slope
        size /= 2
    return None


def _to_newton(slope: Floats, moves: list[tuple[Floats, Floats, float]]) -> Floats:
    rest = slope.copy()
    parts = []
    for moved, turned, curve in reversed(moves):
        part = float((moved * rest).sum()) / curve
        parts.append(part)
        rest -= part * turned
    if moves:
        moved, turned, curve = moves[-1]
        rest *= curve / float((turned * turned).sum())
    for (moved, turned, curve), part in zip(moves, reversed(parts), strict=True):
        rest += moved * (part - float((turned * rest).sum()) / curve)
    return rest
