"""Small estimators for tests: hand-made weights, no training."""

import numpy as np

from bot.difficulty import LocalEstimator
from bot.difficulty.hashing import BUCKETS
from bot.difficulty.signals import INDEX, NAMES
from bot.difficulty.weights import Weights


def make_weights(version: str = "local-test") -> Weights:
    """Weights that only look at length and at words of programming."""
    signals = np.zeros((len(NAMES), 2), dtype=np.float32)
    signals[INDEX["long"], 0] = 4.0
    signals[INDEX["words_code"], 0] = 12.0
    return Weights(
        version=version,
        signals=signals,
        grams=np.zeros((2, BUCKETS), dtype=np.float32),
        bias=(-3.0, 0.0),
        floor=-6.0,
        ceiling=3.0,
        blend=0.5,
        slope=1.0,
        offsets=(0.0, 1.0, 2.0),
    )


def make_estimator() -> LocalEstimator:
    """An estimator with those weights."""
    return LocalEstimator(make_weights())
