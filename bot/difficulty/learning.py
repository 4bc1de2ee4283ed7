"""Learning from use: a workspace's feedback moves the shipped model, never far, never blindly.

Bayesian logistic regression over the shipped difficulty, the signals and a few random
projections of the grams. Its prior mean is the shipped model: with no feedback the two agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.catalog import Tier
from bot.difficulty.estimate import Estimate, HistoryTurn
from bot.difficulty.hashing import BUCKETS, to_buckets
from bot.difficulty.local import LocalEstimator
from bot.difficulty.signals import NAMES, to_signals

Floats = NDArray[np.float64]

PROJECTIONS: Final = 32
FORGETTING: Final = 0.999
TOLERANCE: Final = 0.01
"""A refit may do this much worse on held-out turns, no more."""
MIN_TURNS: Final = 30
EXPLORATION: Final = 0.03
_PRIOR_PRECISION: Final = 100.0
_BIAS_PRECISION: Final = 1.0
_SIZE: Final = 1 + len(NAMES) + PROJECTIONS
_MAX_SHIFT: Final = 3.0
MAGIC: Final = b"parley-learned-1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedTurn:
    """One answered prompt of the feedback table, oldest first.

    `is_content` is False after a thumb down, "Heavier" or the same question again, True after
    a thumb up. `weight` is 1 for those; silence counts as content with the share of silent
    turns it truly stands for (see `to_silence_weight`), or is left out.
    """

    prompt: str
    tier: Tier
    is_content: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedWeights:
    """What a workspace's feedback changed: a shift of the log-odds, linear in the features."""

    version: str
    base_version: str
    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitReport:
    """What a refit did, and whether it may be used."""

    turns: int
    shipped_loss: float
    refitted_loss: float
    is_accepted: bool
    changes: tuple[str, ...]
    """The largest changes in words, such as "about programming: harder"."""
    reason: str


class LearnedEstimator:
    """The shipped estimator, moved by a workspace's own feedback."""

    def __init__(self, base: LocalEstimator, learned: LearnedWeights) -> None:
        if learned.base_version != base.version:
            raise ValueError(
                f"This was learned on {learned.base_version}, but {base.version} is in use. "
                "Refit it with `parley train --from-ledger`."
            )
        self._base = base
        self._learned = learned
        self.version = learned.version

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        """Judge as the shipped model does, then shift all tiers by what was learned."""
        base = self._base.estimate(prompt, history)
        shift = to_shift(self._learned, to_features(prompt))
        p_free, p_cheap, p_full = (
            _to_chance(_to_log_odds(p) + shift) for p in (base.p_free, base.p_cheap, base.p_full)
        )
        return Estimate(
            p_free=p_free,
            p_cheap=p_cheap,
            p_full=p_full,
            reasons=base.reasons if abs(shift) < 0.5 else (*base.reasons[:2], _to_reason(shift)),
            version=self.version,
        )

    def to_doubt(self, prompt: str) -> float:
        """Return the standard deviation of the learned shift: how little is known here."""
        features = to_features(prompt)
        return math.sqrt(float((features * features * self._learned.variance).sum()))


def may_explore(estimate: Estimate, lower: Tier, draw: float) -> bool:
    """Whether to try the tier below, to learn: rarely, and only where it is a toss-up.

    `draw` is a uniform number from 0 to 1 that the caller makes.
    """
    return draw < EXPLORATION and 0.4 <= estimate.p(lower) <= 0.6


def to_silence_weight(reaction_rate: float) -> float:
    """Return what a silent turn counts, if only `reaction_rate` of discontent people react.

    Silence says little where people seldom react: at a rate of 0.1 it counts a twentieth.
    """
    return 0.5 * max(0.0, min(1.0, reaction_rate))


def refit(
    base: LocalEstimator, turns: Sequence[RatedTurn], number: int
) -> tuple[LearnedWeights, RefitReport]:
    """Fit on all turns, if a fit on the older four fifths does no worse on the newest fifth.

    `number` counts the workspace's refits. Refused weights change nothing: they are zero.
    """
    version = f"{base.version}+{number}"
    split = max(1, len(turns) * 4 // 5)
    trial = _fit(base, turns[:split], version)
    shipped = to_loss(base, turns[split:], None)
    refitted = to_loss(base, turns[split:], trial)
    is_accepted = len(turns) >= MIN_TURNS and refitted <= shipped + TOLERANCE
    learned = _fit(base, turns if is_accepted else (), version)
    return learned, RefitReport(
        turns=len(turns),
        shipped_loss=shipped,
        refitted_loss=refitted,
        is_accepted=is_accepted,
        changes=_to_changes(learned),
        reason=_to_verdict(len(turns), shipped, refitted),
    )


def to_loss(
    base: LocalEstimator, turns: Sequence[RatedTurn], learned: LearnedWeights | None
) -> float:
    """Return the mean log loss over rated turns; 0 without any."""
    total = sum(turn.weight for turn in turns)
    if not total:
        return 0.0
    loss = 0.0
    for turn in turns:
        odds = _to_log_odds(base.estimate(turn.prompt).p(turn.tier))
        odds += to_shift(learned, to_features(turn.prompt)) if learned else 0.0
        chance = _to_chance(odds)
        loss -= turn.weight * math.log(chance if turn.is_content else 1 - chance)
    return loss / total


def to_features(prompt: str) -> Floats:
    """Return a constant, the signals and the projected grams."""
    buckets = to_buckets(prompt)
    grams = np.zeros(PROJECTIONS)
    if len(buckets):
        signs = _SIGNS[buckets]
        grams = (
            2.0 * np.unpackbits(signs, axis=1).sum(axis=0, dtype=np.float64) - len(buckets)
        ) / math.sqrt(len(buckets) * PROJECTIONS)
    return np.concatenate(([1.0], to_signals(prompt), grams))


def to_shift(learned: LearnedWeights, features: Floats) -> float:
    """Return the learned change of the log-odds, bounded."""
    return max(-_MAX_SHIFT, min(_MAX_SHIFT, float((learned.mean * features).sum())))


def _fit(base: LocalEstimator, turns: Sequence[RatedTurn], version: str) -> LearnedWeights:
    """Assumed-density filtering, one turn at a time, with a diagonal covariance."""
    mean = np.zeros(_SIZE)
    precision = np.full(_SIZE, _PRIOR_PRECISION)
    precision[0] = _BIAS_PRECISION
    prior = precision.copy()
    for turn in turns:
        features = to_features(turn.prompt)
        odds = _to_log_odds(base.estimate(turn.prompt).p(turn.tier))
        chance = _to_chance(odds + float((mean * features).sum()))
        # Old evidence fades, the prior does not.
        precision = prior + FORGETTING * (precision - prior)
        precision = precision + turn.weight * chance * (1 - chance) * features * features
        error = turn.weight * ((1.0 if turn.is_content else 0.0) - chance)
        mean = FORGETTING * mean + error * features / precision
    return LearnedWeights(
        version=version, base_version=base.version, mean=mean, variance=1 / precision
    )


def to_bytes(learned: LearnedWeights) -> bytes:
    """Write what was learned, to be kept per workspace and version."""
    head = {"version": learned.version, "base_version": learned.base_version}
    numbers = np.concatenate((learned.mean, learned.variance)).astype("<f8").tobytes()
    return MAGIC + json.dumps(head, sort_keys=True).encode() + b"\n" + numbers


def from_bytes(data: bytes) -> LearnedWeights:
    """Read it back; raises ValueError with a sentence if it does not fit this version."""
    if not data.startswith(MAGIC):
        raise ValueError("This is not a file of learned weights.")
    head, _, numbers = data[len(MAGIC) :].partition(b"\n")
    if len(numbers) != 2 * 8 * _SIZE:
        raise ValueError("These learned weights are of another version of Parley: refit them.")
    found = json.loads(head)
    values = np.frombuffer(numbers, dtype="<f8")
    return LearnedWeights(
        version=found["version"],
        base_version=found["base_version"],
        mean=values[:_SIZE].copy(),
        variance=values[_SIZE:].copy(),
    )


def _to_signs() -> NDArray[np.uint8]:
    """One random bit per bucket and projection, the same on every machine."""
    states = np.arange(1, BUCKETS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    states ^= states >> np.uint64(31)
    states *= np.uint64(0xBF58476D1CE4E5B9)
    states ^= states >> np.uint64(27)
    return (states >> np.uint64(32)).astype("<u4").view(np.uint8).reshape(BUCKETS, 4)


_SIGNS: Final = _to_signs()


def _to_changes(learned: LearnedWeights) -> tuple[str, ...]:
    names = ("every prompt", *(name.replace("_", " ") for name in NAMES))
    parts = learned.mean[: len(names)]
    order = np.argsort(-np.abs(parts), kind="stable")[:5]
    return tuple(
        f"{names[i]}: {'easier' if parts[i] > 0 else 'harder'} ({abs(parts[i]):.2f})"
        for i in order
        if abs(parts[i]) >= 0.01
    )


def _to_verdict(turns: int, shipped: float, refitted: float) -> str:
    if turns < MIN_TURNS:
        return f"Only {turns} rated turns; {MIN_TURNS} are needed. The shipped model stays."
    if refitted > shipped + TOLERANCE:
        return "It did worse on the newest turns, so the shipped model stays."
    return "It did no worse on the newest turns, so it is used."


def _to_reason(shift: float) -> str:
    return "people here were content" if shift > 0 else "people here asked for better answers"


def _to_log_odds(chance: float) -> float:
    bounded = max(1e-6, min(1 - 1e-6, chance))
    return math.log(bounded / (1 - bounded))


def _to_chance(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
