"""The model's numbers, and the one file that holds them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.difficulty.hashing import BUCKETS
from bot.difficulty.signals import NAMES

MAGIC: Final = b"parley-difficulty-1\n"
HEADS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Two linear heads over signals and grams, and how their sum becomes probabilities.

    Head 0 asks "is this more than an everyday message?", head 1 "given that, would a small
    model fail?". The difficulty is `min(head 0, ceiling) + blend * head 1`, and a tier's
    probability is `1 / (1 + exp(slope * difficulty - offset))`, offsets rising with the tiers.
    """

    version: str
    signals: NDArray[np.float32]
    """Shape (signals, heads)."""
    grams: NDArray[np.float32]
    """Shape (heads, buckets); a text of n grams weighs each by 1/sqrt(n)."""
    bias: tuple[float, float]
    floor: float
    ceiling: float
    blend: float
    slope: float
    offsets: tuple[float, float, float]

    @property
    def signal_sums(self) -> NDArray[np.float32]:
        """What each signal adds to the difficulty."""
        sums: NDArray[np.float32] = self.signals[:, 0] + self.blend * self.signals[:, 1]
        return sums

    def to_heads(
        self, signals: NDArray[np.float32], buckets: NDArray[np.intp]
    ) -> tuple[float, float]:
        """Return both heads' log-odds."""
        raw = signals @ self.signals
        scale = 1 / math.sqrt(max(1, len(buckets)))
        serious = float(raw[0]) + scale * float(self.grams[0].take(buckets).sum())
        failure = float(raw[1]) + scale * float(self.grams[1].take(buckets).sum())
        return serious + self.bias[0], failure + self.bias[1]

    def to_difficulty(self, heads: tuple[float, float]) -> float:
        """Join both heads into one number, bounded on both sides."""
        serious = max(self.floor, min(self.ceiling, heads[0]))
        return serious + self.blend * max(-3.0, min(3.0, heads[1]))

    def to_probabilities(self, difficulty: float) -> tuple[float, float, float]:
        """Return the probability for each tier, in order."""
        free, cheap, full = (
            1 / (1 + math.exp(min(60.0, self.slope * difficulty - offset)))
            for offset in self.offsets
        )
        return free, cheap, full

    def to_bytes(self) -> bytes:
        """Write the file: a line, a JSON head with its length, then 16-bit numbers."""
        head = {
            "version": self.version,
            "signals": list(NAMES),
            "buckets": BUCKETS,
            "bias": self.bias,
            "floor": self.floor,
            "ceiling": self.ceiling,
            "blend": self.blend,
            "slope": self.slope,
            "offsets": self.offsets,
        }
        text = json.dumps(head, sort_keys=True).encode()
        return b"".join((
            MAGIC,
            len(text).to_bytes(4, "little"),
            text,
            self.signals.astype("<f4").tobytes(),
            self.grams.astype("<f2").tobytes(),
        ))  # fmt: skip


def read_weights(data: bytes) -> Weights:
    """Read a model file; raises ValueError with a sentence if it is not one that fits."""
    if not data.startswith(MAGIC):
        raise ValueError("This is not a Parley difficulty model (its first line is missing).")
    start = len(MAGIC) + 4
    end = start + int.from_bytes(data[len(MAGIC) : start], "little")
    try:
        head = json.loads(data[start:end])
        if head["signals"] != list(NAMES) or head["buckets"] != BUCKETS:
            raise ValueError(
                "This difficulty model was made for another version of Parley: train it again."
            )
        split = end + 4 * len(NAMES) * HEADS
        if len(data) != split + 2 * BUCKETS * HEADS:
            raise ValueError("This difficulty model is damaged: some of its numbers are missing.")
        signals = np.frombuffer(data[end:split], dtype="<f4").reshape(len(NAMES), HEADS)
        grams = np.frombuffer(data[split:], dtype="<f2").reshape(HEADS, BUCKETS)
        return Weights(
            version=head["version"],
            signals=signals.astype(np.float32),
            grams=grams.astype(np.float32),
            bias=tuple(head["bias"]),
            floor=head["floor"],
            ceiling=head["ceiling"],
            blend=head["blend"],
            slope=head["slope"],
            offsets=tuple(head["offsets"]),
        )
    except (KeyError, TypeError, json.JSONDecodeError) as broken:
        raise ValueError("This difficulty model is damaged: its head cannot be read.") from broken
