"""What an estimator says of a prompt, and what it may know of the conversation before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.catalog import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The probability that each tier will satisfy: p_free <= p_cheap <= p_full.

    `reasons` are short phrases in words, the strongest first.
    """

    p_free: float
    p_cheap: float
    p_full: float
    reasons: tuple[str, ...]
    version: str

    def p(self, tier: Tier) -> float:
        """Return the probability for one tier."""
        return (self.p_free, self.p_cheap, self.p_full)[tier]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTurn:
    """One earlier prompt of the conversation.

    `tier` is the one that answered (None: unknown); `feedback` is above zero for a thumb
    up, below zero for a thumb down or "Heavier", None for silence.
    """

    prompt: str
    tier: Tier | None = None
    feedback: int | None = None


class Estimator(Protocol):
    """Judges how hard a prompt is. Pure, and fast enough for every message."""

    version: str

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        """Judge `prompt`; `history` holds the earlier prompts, the newest last."""
        ...
