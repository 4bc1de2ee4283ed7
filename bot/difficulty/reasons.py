"""Why a prompt was judged as it was, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.catalog import Tier
from bot.difficulty.followups import FollowUp
from bot.difficulty.signals import INDEX
from bot.difficulty.weights import Weights

MOST: Final = 3
_WEIGHTY: Final = 0.15
_PRESENT: Final = 0.12
_LONG: Final[Mapping[str, float]] = MappingProxyType({"long": 0.5, "very_long": 0.3})
"""A prompt is called long from two hundred characters on, though each one weighs."""

PHRASES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "long": ("long prompt", ""),
    "very_long": ("very long prompt", ""),
    "short": ("", "short prompt"),
    "lines": ("many lines", ""),
    "digits": ("many numbers", ""),
    "operators": ("contains formulas", ""),
    "code_marks": ("contains code", ""),
    "code": ("contains code", ""),
    "latex": ("contains formulas", ""),
    "math_signs": ("contains formulas", ""),
    "choices": ("an exam question", ""),
    "listed": ("a list of demands", ""),
    "ordered": ("asks for steps", ""),
    "sentences": ("several sentences", ""),
    "words_per_sentence": ("long sentences", ""),
    "long_words": ("technical wording", ""),
    "hard_mix": ("asks for several things at once", ""),
    "words_code": ("about programming", ""),
    "words_math": ("about mathematics", ""),
    "words_reason": ("asks for reasoning", ""),
    "words_write": ("asks for a longer text", ""),
    "words_expert": ("specialist subject", ""),
    "words_demand": ("states conditions", ""),
    "words_format": ("asks for a set form", ""),
    "words_talk": ("", "small talk"),
    "words_command": ("", "an everyday request"),
    "words_fact": ("", "a simple fact"),
    "words_edit": ("", "a small edit"),
    "words_self": ("", "personal chat"),
    "share_code": ("about programming", ""),
    "share_math": ("about mathematics", ""),
    "share_reason": ("asks for reasoning", ""),
    "share_write": ("asks for a longer text", ""),
    "share_expert": ("specialist subject", ""),
    "share_talk": ("", "small talk"),
    "share_command": ("", "an everyday request"),
    "share_fact": ("", "a simple fact"),
    "share_edit": ("", "a small edit"),
    "share_self": ("", "personal chat"),
})  # fmt: skip
"""For each signal that can be said in words: what it says when it raises, when it lowers."""


_SPOKEN: Final = tuple(
    (INDEX[name], _LONG.get(name, _PRESENT), *phrases) for name, phrases in PHRASES.items()
)


def to_reasons(
    signals: NDArray[np.float32], weights: Weights, follow_up: FollowUp, failed: Tier | None
) -> tuple[str, ...]:
    """Return up to three phrases, the strongest first."""
    said = to_conversation_reasons(follow_up, failed)
    weighed = _weigh(signals, weights)
    strongest = sorted(weighed, key=lambda phrase: (-weighed[phrase], phrase))
    said += [phrase for phrase in strongest if weighed[phrase] >= _WEIGHTY]
    return tuple(said[:MOST]) or ("nothing special in its wording",)


def to_conversation_reasons(follow_up: FollowUp, failed: Tier | None) -> list[str]:
    """What the conversation adds, in words."""
    said = [] if follow_up is FollowUp.NEW else [follow_up.value]
    if failed is not None:
        said.append(f"the {failed.label} tier's answer did not satisfy")
    return said


def _weigh(signals: NDArray[np.float32], weights: Weights) -> dict[str, float]:
    """Sum what each phrase's signals moved; a signal that is barely there is not spoken of."""
    values = signals.tolist()
    parts = (signals * weights.signal_sums).tolist()
    weighed: dict[str, float] = {}
    for place, present, raises, lowers in _SPOKEN:
        if values[place] < present:
            continue
        part = parts[place]
        phrase = raises if part > 0 else lowers
        if phrase:
            weighed[phrase] = weighed.get(phrase, 0.0) + abs(part)
    return weighed
