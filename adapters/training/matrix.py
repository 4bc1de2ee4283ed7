"""Many prompts as one sparse matrix: dense signals and hashed grams, by numpy alone.

No BLAS: sums are taken in one order, so that the same data gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.difficulty.hashing import BUCKETS, to_buckets
from bot.difficulty.signals import to_signals

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Rows of signals and of grams; a gram of a text with n grams counts 1/sqrt(n)."""

    signals: Floats
    buckets: NDArray[np.intp]
    counts: NDArray[np.intp]

    def times(self, signals: Floats, grams: Floats) -> Floats:
        """Return each row's product with the two weight vectors."""
        taken = grams[self.buckets]
        starts = np.concatenate(([0], np.cumsum(self.counts)[:-1]))
        sums = np.add.reduceat(taken, starts) / np.sqrt(self.counts)
        dense: Floats = np.einsum("ij,j->i", self.signals, signals)
        return dense + sums

    def transposed_times(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return the gradient's two parts for one number per row."""
        spread = np.repeat(rows / np.sqrt(self.counts), self.counts)
        dense: Floats = np.einsum("ij,i->j", self.signals, rows)
        grams = np.bincount(self.buckets, weights=spread, minlength=BUCKETS)
        return dense, grams.astype(np.float64)

    def take(self, keep: NDArray[np.bool_]) -> Matrix:
        """Return the rows where `keep` is true."""
        return Matrix(
            signals=self.signals[keep],
            buckets=self.buckets[np.repeat(keep, self.counts)],
            counts=self.counts[keep],
        )

    def scaled(self, mean: Floats, spread: Floats) -> Matrix:
        """Return the same rows with standardised signals."""
        return Matrix(
            signals=(self.signals - mean) / spread, buckets=self.buckets, counts=self.counts
        )


def to_matrix(prompts: Sequence[str]) -> Matrix:
    """Read every prompt; each must hold at least one gram (so: not be empty)."""
    buckets = [to_buckets(prompt) for prompt in prompts]
    return Matrix(
        signals=np.array([to_signals(prompt) for prompt in prompts], dtype=np.float64),
        buckets=np.concatenate(buckets),
        counts=np.array([len(b) for b in buckets], dtype=np.intp),
    )
