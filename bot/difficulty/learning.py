"""Learning from use: a workspace's feedback moves the shipped model, never far, never blindly.

Bayesian logistic regression over the shipped difficulty, the signals and a few random
projections of the grams. Its prior mean is the shipped model: with no feedback the two agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.catalog import Tier
from bot.difficulty.estimate import Estimator
from bot.difficulty.learned import (
    SIZE,
    Floats,
    LearnedWeights,
    to_chance,
    to_features,
    to_log_odds,
    to_shift,
)
from bot.difficulty.reasons import PHRASES
from bot.difficulty.signals import NAMES

FORGETTING: Final = 0.999
TOLERANCE: Final = 0.01
"""A refit may do this much worse on held-out turns, no more."""
MIN_MARKS: Final = 30
"""A refit needs so many turns that somebody gave an opinion of."""
_PRIOR_PRECISION: Final = 100.0
_BIAS_PRECISION: Final = 1.0
_LEAST_VOICED: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedTurn:
    """One answered prompt, oldest first.

    `is_content` is False after a thumb down, "Heavier" or the same question again, True after
    a thumb up, and True of silence, which counts for `weight` only (see `to_silence_weight`).
    """

    prompt: str
    tier: Tier
    is_content: bool
    weight: float = 1.0
    is_marked: bool = True
    """Whether somebody gave an opinion; False for silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitReport:
    """What a refit did, and whether it may be used."""

    turns: int
    marks: int
    """The turns that somebody gave an opinion of."""
    shipped_loss: float
    """The log loss on the newest turns, which the trial had not seen."""
    refitted_loss: float
    is_accepted: bool
    changes: tuple[str, ...]
    """The largest changes in words, such as "about programming: harder"."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Example:
    """A rated turn as numbers."""

    features: Floats
    odds: float
    is_content: bool
    weight: float


def to_silence_weight(voiced: float, praised: float = 0.0) -> float:
    """Return what a silent turn counts, if such shares of discontent and of content people react.

    Silence says little where people seldom complain (at a share of 0.1 it counts a twentieth), and
    nothing where they praise as readily: then the content are as silent as the discontent.
    """
    return 0.5 * max(0.0, min(1.0, voiced) - praised)


def weigh_silence(*, turns: int, praises: int, failures: int, expected_failures: float) -> float:
    """Return what each silent turn counts among `turns`, so many of which had an opinion.

    `expected_failures`: how many the shipped model expects, said or not.
    """
    praised = praises / max(1.0, turns - expected_failures)
    return to_silence_weight(to_voiced_share(failures, expected_failures), praised)


def to_voiced_share(failures: int, expected: float) -> float:
    """Estimate how much of the discontent was voiced: of that which the shipped model expects."""
    return max(_LEAST_VOICED, min(1.0, failures / expected)) if expected > 0 else 1.0


def refit(
    base: Estimator, turns: Sequence[RatedTurn], number: int
) -> tuple[LearnedWeights, RefitReport]:
    """Fit on all turns, if a fit on the older four fifths does no worse on the newest fifth.

    `number` counts the workspace's refits. Refused weights change nothing: they are zero.
    """
    version = f"{base.version}+{number}"
    examples = [_to_example(base, turn) for turn in turns]
    marks = sum(turn.is_marked for turn in turns)
    split = max(1, len(turns) * 4 // 5)
    trial = _fit(base, examples[:split], version)
    shipped = _to_loss(examples[split:], None)
    refitted = _to_loss(examples[split:], trial)
    is_accepted = marks >= MIN_MARKS and refitted <= shipped + TOLERANCE
    learned = _fit(base, examples if is_accepted else (), version)
    return learned, RefitReport(
        turns=len(turns),
        marks=marks,
        shipped_loss=shipped,
        refitted_loss=refitted,
        is_accepted=is_accepted,
        changes=_to_changes(learned),
        reason=_to_verdict(marks, shipped, refitted),
    )


def _to_example(base: Estimator, turn: RatedTurn) -> _Example:
    return _Example(
        features=to_features(turn.prompt),
        odds=to_log_odds(base.estimate(turn.prompt).p(turn.tier)),
        is_content=turn.is_content,
        weight=turn.weight,
    )


def _to_loss(examples: Sequence[_Example], learned: LearnedWeights | None) -> float:
    total = sum(example.weight for example in examples)
    if not total:
        return 0.0
    loss = 0.0
    for example in examples:
        shift = to_shift(learned, example.features) if learned else 0.0
        chance = to_chance(example.odds + shift)
        loss -= example.weight * math.log(chance if example.is_content else 1 - chance)
    return loss / total


def _fit(base: Estimator, examples: Sequence[_Example], version: str) -> LearnedWeights:
    """Assumed-density filtering, one turn at a time, with a diagonal covariance."""
    mean = np.zeros(SIZE)
    precision = np.full(SIZE, _PRIOR_PRECISION)
    precision[0] = _BIAS_PRECISION
    prior = precision.copy()
    for example in examples:
        features = example.features
        chance = to_chance(example.odds + float((mean * features).sum()))
        # Old evidence fades, the prior does not.
        precision = prior + FORGETTING * (precision - prior)
        precision = precision + example.weight * chance * (1 - chance) * features * features
        error = example.weight * ((1.0 if example.is_content else 0.0) - chance)
        mean = FORGETTING * mean + error * features / precision
    return LearnedWeights(
        version=version, base_version=base.version, mean=mean, variance=1 / precision
    )


def _to_changes(learned: LearnedWeights) -> tuple[str, ...]:
    """The largest shifts whose signal can be named, with what they make of a chance of a half."""
    named = ((0, "every prompt"), *((1 + i, _spoken(name)) for i, name in enumerate(NAMES)))
    moved = [(float(learned.mean[place]), name) for place, name in named if name]
    largest = sorted(moved, key=lambda each: -abs(each[0]))[:5]
    return tuple(
        f"{name}: {'easier' if shift > 0 else 'harder'} (50% becomes {to_chance(shift):.0%})"
        for shift, name in largest
        if abs(shift) >= 0.04  # less than a hundredth
    )


def _spoken(signal: str) -> str:
    """What a signal is in words; nothing when it has none."""
    raises, lowers = PHRASES.get(signal, ("", ""))
    return raises or lowers


def _to_verdict(marks: int, shipped: float, refitted: float) -> str:
    if marks < MIN_MARKS:
        return f"Only {marks} opinions; {MIN_MARKS} are needed. What was in use stays."
    if refitted > shipped + TOLERANCE:
        return "It did worse than the shipped model on the newest turns, so it is refused."
    return "It did no worse than the shipped model on the newest turns, so it is accepted."
