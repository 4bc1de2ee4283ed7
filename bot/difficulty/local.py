"""The shipped estimator: two linear heads over hashed grams and signals, in microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.catalog import Tier
from bot.difficulty.estimate import Estimate, HistoryTurn
from bot.difficulty.followups import (
    OF_THE_LAST,
    FollowUp,
    classify,
    discount,
    to_failed_tier,
)
from bot.difficulty.hashing import to_buckets
from bot.difficulty.reasons import to_reasons
from bot.difficulty.signals import cap, to_signals
from bot.difficulty.weights import Weights, read_weights

_THANKS_DIFFICULTY: Final = -8.0
_EDIT_DIFFICULTY: Final = -7.0
_JUNK_DIFFICULTY: Final = -1.5
_LONG_CHARS: Final = 200
_REPETITIVE: Final = 4
"""A long text with fewer different grams than a quarter of its characters says one thing often."""


class LocalEstimator:
    """Judges with trained weights; the same bytes give the same answer everywhere."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.version = weights.version

    @classmethod
    def from_bytes(cls, data: bytes) -> LocalEstimator:
        """Build it from a model file's bytes; raises ValueError if they are not one."""
        return cls(read_weights(data))

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        """Judge `prompt` in the light of the conversation so far."""
        signals = to_signals(prompt)
        difficulty = self._to_difficulty(prompt, signals)
        follow_up = classify(prompt, history)
        difficulty = self._adjust(difficulty, follow_up, history)
        chances = list(self._weights.to_probabilities(difficulty))
        failed = to_failed_tier(follow_up, history)
        if failed is not None:
            chances = discount(chances, failed)
        return Estimate(
            p_free=chances[Tier.FREE],
            p_cheap=chances[Tier.CHEAP],
            p_full=chances[Tier.FULL],
            reasons=to_reasons(signals, self._weights, follow_up, failed),
            version=self.version,
        )

    def to_difficulty(self, prompt: str) -> float:
        """Return the difficulty of a prompt that stands alone; more is harder."""
        return self._to_difficulty(prompt, to_signals(prompt))

    def _to_difficulty(self, prompt: str, signals: NDArray[np.float32]) -> float:
        weights = self._weights
        buckets = to_buckets(prompt)
        difficulty = weights.to_difficulty(weights.to_heads(signals, buckets))
        if len(prompt) >= _LONG_CHARS and len(buckets) * _REPETITIVE < len(cap(prompt)):
            return min(difficulty, _JUNK_DIFFICULTY)
        return difficulty

    def _adjust(
        self, difficulty: float, follow_up: FollowUp, history: Sequence[HistoryTurn]
    ) -> float:
        if follow_up is FollowUp.THANKS:
            return min(difficulty, _THANKS_DIFFICULTY)
        if follow_up is FollowUp.EDIT:
            return min(difficulty, _EDIT_DIFFICULTY)
        if follow_up in OF_THE_LAST:
            return max(difficulty, self.to_difficulty(history[-1].prompt))
        return difficulty
