"""What a workspace's feedback has taught: a bounded shift of the shipped model's log-odds.

Linear in the signals and in a few random projections of the grams; numbers only, no text.
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
from bot.difficulty.estimate import Estimate, Estimator, HistoryTurn
from bot.difficulty.followups import OF_THE_LAST, FollowUp, classify
from bot.difficulty.hashing import BUCKETS, to_buckets
from bot.difficulty.signals import NAMES, to_signals

Floats = NDArray[np.float64]

PROJECTIONS: Final = 32
SIZE: Final = 1 + len(NAMES) + PROJECTIONS
EXPLORATION: Final = 0.03
MAGIC: Final = b"parley-learned-1\n"
_MAX_SHIFT: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedWeights:
    """What a workspace's feedback changed: a shift of the log-odds, linear in the features."""

    version: str
    base_version: str
    mean: Floats
    variance: Floats


class LearnedEstimator:
    """The shipped estimator, moved by a workspace's own feedback."""

    def __init__(self, base: Estimator, learned: LearnedWeights) -> None:
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
        shift = self._shift(prompt, history)
        p_free, p_cheap, p_full = (
            to_chance(to_log_odds(p) + shift) for p in (base.p_free, base.p_cheap, base.p_full)
        )
        return Estimate(
            p_free=p_free,
            p_cheap=p_cheap,
            p_full=p_full,
            reasons=base.reasons if abs(shift) < 0.5 else (*base.reasons[:2], _to_reason(shift)),
            version=self.version,
        )

    def _shift(self, prompt: str, history: Sequence[HistoryTurn]) -> float:
        """What was learned of the prompt, or of the one it refers to; thanks need no model."""
        follow_up = classify(prompt, history)
        if follow_up in (FollowUp.THANKS, FollowUp.EDIT):
            return 0.0
        asked = history[-1].prompt if follow_up in OF_THE_LAST else prompt
        return to_shift(self._learned, to_features(asked))


def may_explore(estimate: Estimate, lower: Tier, draw: float) -> bool:
    """Whether to try the tier below, to learn: rarely, and only where it is a toss-up.

    `draw` is a uniform number from 0 to 1 that the caller makes.
    """
    return draw < EXPLORATION and 0.4 <= estimate.p(lower) <= 0.6


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
    if len(numbers) != 2 * 8 * SIZE:
        raise ValueError("These learned weights are of another version of Parley: refit them.")
    found = json.loads(head)
    values = np.frombuffer(numbers, dtype="<f8")
    return LearnedWeights(
        version=found["version"],
        base_version=found["base_version"],
        mean=values[:SIZE].copy(),
        variance=values[SIZE:].copy(),
    )


def _to_signs() -> NDArray[np.uint8]:
    """One random bit per bucket and projection, the same on every machine."""
    states = np.arange(1, BUCKETS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    states ^= states >> np.uint64(31)
    states *= np.uint64(0xBF58476D1CE4E5B9)
    states ^= states >> np.uint64(27)
    return (states >> np.uint64(32)).astype("<u4").view(np.uint8).reshape(BUCKETS, 4)


_SIGNS: Final = _to_signs()


def _to_reason(shift: float) -> str:
    return "people here were content" if shift > 0 else "people here asked for better answers"


def to_log_odds(chance: float) -> float:
    bounded = max(1e-6, min(1 - 1e-6, chance))
    return math.log(bounded / (1 - bounded))


def to_chance(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
