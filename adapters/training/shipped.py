"""The model file that ships with Parley."""

from __future__ import annotations

from importlib import resources
from typing import Final

from bot.difficulty import LocalEstimator

FILE: Final = "difficulty.bin"


def read_shipped_model() -> bytes:
    """Return the packaged model file's bytes."""
    return resources.files("adapters.training").joinpath("model", FILE).read_bytes()


def load_shipped_estimator() -> LocalEstimator:
    """Return the estimator that a new workspace begins with."""
    return LocalEstimator.from_bytes(read_shipped_model())
