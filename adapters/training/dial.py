"""What each step of the dial means: dollars and quality, on prompts whose outcomes are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.training.evaluation import BENCHMARKS
from adapters.training.tables import Outcome, read_outcomes
from bot.catalog import Tier
from bot.difficulty import Estimate, Estimator
from bot.money import NANOUSD
from bot.router import MAX_DIAL, to_lambda

COSTS_USD: Final = (0.0, 0.0026, 0.0084)
"""One answer of 300 tokens in and 500 out: a free quota, $1/$5 and $3/$15 per million tokens."""
EVERYDAY_ROWS: Final = 4_000
"""Everyday prompts beside as many exam prompts: half a team's traffic, at a guess."""


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
    everyday = read_outcomes(data / "train" / "casual_unlabelled.parquet")[:EVERYDAY_ROWS]
    judged = [(row, estimator.estimate(row.prompt)) for row in (*hard, *everyday)]
    return tuple(_to_step(dial, judged, len(hard)) for dial in range(MAX_DIAL + 1))


def choose(estimate: Estimate, lambda_usd: float) -> Tier:
    """Return the tier of least expected cost plus λ·(1 − p), the lower one of equals."""
    score = {tier: COSTS_USD[tier] + lambda_usd * (1 - estimate.p(tier)) for tier in Tier}
    return min(Tier, key=lambda tier: (score[tier], tier))


def _to_step(dial: int, judged: Sequence[tuple[Outcome, Estimate]], hard: int) -> DialStep:
    lambda_usd = to_lambda(dial) / NANOUSD
    tiers = [choose(estimate, lambda_usd) for _, estimate in judged]
    scores = [
        (row.free, row.cheap, row.full)[tier] for (row, _), tier in zip(judged, tiers, strict=True)
    ]
    return DialStep(
        dial=dial,
        lambda_usd=lambda_usd,
        shares=(
            tiers.count(Tier.FREE) / len(tiers),
            tiers.count(Tier.CHEAP) / len(tiers),
            tiers.count(Tier.FULL) / len(tiers),
        ),
        usd_per_1000=1000 * sum(COSTS_USD[tier] for tier in tiers) / len(tiers),
        quality=sum(scores) / len(scores),
        hard_quality=sum(scores[:hard]) / hard,
    )
