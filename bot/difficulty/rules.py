"""The simplest estimator: length, marks and words, with weights set by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.difficulty.estimate import Estimate, HistoryTurn
from bot.difficulty.followups import OF_THE_LAST, classify, discount, to_failed_tier
from bot.difficulty.reasons import to_conversation_reasons
from bot.difficulty.signals import INDEX, to_signals

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({
    "long": 1.2, "very_long": 1.0, "short": -0.6, "lines": 0.6, "digits": 0.5,
    "code": 1.4, "latex": 1.2, "listed": 0.5, "ordered": 0.4, "long_words": 0.8,
    "hard_mix": 3.0, "words_code": 1.2, "words_math": 1.4, "words_reason": 1.4,
    "words_write": 0.7, "words_expert": 1.4, "words_demand": 0.7, "words_format": 0.4,
    "share_talk": -1.2, "share_command": -1.0, "share_fact": -0.5, "share_self": -0.5,
    "share_edit": -0.5,
})  # fmt: skip
PHRASES: Final[Mapping[str, str]] = MappingProxyType({
    "long": "long prompt", "very_long": "very long prompt", "short": "short prompt",
    "lines": "many lines", "digits": "many numbers", "code": "contains code",
    "latex": "contains formulas", "listed": "a list of demands", "ordered": "asks for steps",
    "long_words": "technical wording", "hard_mix": "asks for several things at once",
    "words_code": "about programming", "words_math": "about mathematics",
    "words_reason": "asks for reasoning", "words_write": "asks for a longer text",
    "words_expert": "specialist subject", "words_demand": "states conditions",
    "words_format": "asks for a set form", "share_talk": "small talk",
    "share_command": "an everyday request", "share_fact": "a simple fact",
    "share_self": "personal chat", "share_edit": "a small edit",
})  # fmt: skip
_OFFSETS: Final = (1.6, 2.8, 4.0)


class RulesEstimator:
    """Judges by a handful of readable rules; needs no model file."""

    version = "rules-1"

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        """Judge `prompt`, or what it refers to; a tier that just failed is believed less."""
        follow_up = classify(prompt, history)
        signals = to_signals(history[-1].prompt if follow_up in OF_THE_LAST else prompt)
        parts = {name: w * float(signals[INDEX[name]]) for name, w in WEIGHTS.items()}
        difficulty = max(-3.0, min(5.0, sum(parts.values())))
        chances = [1 / (1 + math.exp(difficulty - offset)) for offset in _OFFSETS]
        failed = to_failed_tier(follow_up, history)
        p_free, p_cheap, p_full = chances if failed is None else discount(chances, failed)
        strongest = sorted(parts, key=lambda name: -abs(parts[name]))
        return Estimate(
            p_free=p_free,
            p_cheap=p_cheap,
            p_full=p_full,
            reasons=(
                *to_conversation_reasons(follow_up, failed),
                *(PHRASES[n] for n in strongest[:3] if abs(parts[n]) >= 0.1),
            )[:3],
            version=self.version,
        )
