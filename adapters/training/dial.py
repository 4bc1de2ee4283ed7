"""What each step of the dial means: dollars and quality, on prompts whose outcomes are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.evaluation import BENCHMARKS, EVERYDAY
from adapters.training.matrix import Floats
from adapters.training.tables import read_outcomes
from bot.catalog import Tier
from bot.difficulty import Estimate, Estimator
from bot.money import NANOUSD
from bot.router import MAX_DIAL, to_lambda, to_risk

COSTS: Final = np.array((0, 2_600_000, 8_400_000))
"""One answer of 300 tokens in and 500 out: a free quota, $1/$5 and $3/$15 per million tokens."""
_to_risks = np.vectorize(to_risk, otypes=[np.int64])
EVERYDAY_ROWS: Final = 3_000
"""At most so many prompts of each benchmark, and everyday ones that training never saw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialStep:
    """One setting of the dial on the mixed prompts."""

    dial: int
    lambda_usd: float
    shares: tuple[float, float, float]
    """Share of prompts that each tier answers."""
    usd_per_1000: float
    quality: float
    """Mean score of the answers given."""
    hard_quality: float
    """The same on the exam prompts alone."""


def to_dial(data: Path, estimator: Estimator) -> tuple[DialStep, ...]:
    """Replay known outcomes through the router's rule at each step of the dial."""
    hard = [
        row
        for name in BENCHMARKS
        for row in read_outcomes(data / "eval" / f"routellm_{name}.parquet")[:EVERYDAY_ROWS]
    ]
    kept = read_outcomes(data / "train" / f"{EVERYDAY}.parquet")
    everyday = [row for row in kept if row.is_held_out][:EVERYDAY_ROWS]
    estimates = [estimator.estimate(row.prompt) for row in (*hard, *everyday)]
    chances = np.array([(e.p_free, e.p_cheap, e.p_full) for e in estimates])
    scores = np.array([(row.free, row.cheap, row.full) for row in (*hard, *everyday)])
    return to_steps(chances, scores, np.arange(len(scores)) < len(hard))


def to_steps(chances: Floats, scores: Floats, is_hard: NDArray[np.bool_]) -> tuple[DialStep, ...]:
    """Return each step's meaning; `chances` and `scores` are of shape (prompts, tiers)."""
    return tuple(_to_step(dial, chances, scores, is_hard) for dial in range(MAX_DIAL + 1))


def choose(estimate: Estimate, dial: int) -> Tier:
    """Return the tier of least expected cost plus the router's risk, the lower one of equals."""
    chances = np.array([[estimate.p_free, estimate.p_cheap, estimate.p_full]])
    return Tier(int(_choose_all(chances, dial)[0]))


def _choose_all(chances: Floats, dial: int) -> NDArray[np.intp]:
    chosen: NDArray[np.intp] = (COSTS + _to_risks(chances, dial)).argmin(axis=1)
    return chosen


def _to_step(dial: int, chances: Floats, scores: Floats, is_hard: NDArray[np.bool_]) -> DialStep:
    tiers = _choose_all(chances, dial)
    answered = scores[np.arange(len(tiers)), tiers]
    free, cheap, full = (float((tiers == tier).mean()) for tier in Tier)
    return DialStep(
        dial=dial,
        lambda_usd=to_lambda(dial) / NANOUSD,
        shares=(free, cheap, full),
        usd_per_1000=1000 * float(COSTS[tiers].mean()) / NANOUSD,
        quality=float(answered.mean()),
        hard_quality=float(answered[is_hard].mean()),
    )
