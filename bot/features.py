"""What people know a call as: the command that it was made for, and its step there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bot.calls import Purpose


class Feature(StrEnum):
    """What a person asked for, or what Parley does beside it."""

    ANSWERS = "answers"
    DEBATE = "debate"
    ENSEMBLE = "ensemble"
    ROUTING = "routing"
    SUMMARIES = "summaries"


_STEPS: Mapping[Purpose, tuple[Feature, str]] = MappingProxyType(
    {
        Purpose.ANSWER: (Feature.ANSWERS, "answers"),
        Purpose.DRAFT: (Feature.DEBATE, "first answers"),
        Purpose.CRITICISE: (Feature.DEBATE, "critiques"),
        Purpose.REVISE: (Feature.DEBATE, "revisions"),
        Purpose.PROPOSE: (Feature.ENSEMBLE, "voices"),
        Purpose.JUDGE: (Feature.ENSEMBLE, "judging"),
        Purpose.CLASSIFY: (Feature.ROUTING, "judging prompts"),
        Purpose.CHECK: (Feature.ROUTING, "checking answers"),
        Purpose.SUMMARISE: (Feature.SUMMARIES, "summaries"),
    }
)


def feature_of(purpose: Purpose) -> Feature:
    """What a call was made for."""
    return _STEPS[purpose][0]


def step_of(purpose: Purpose) -> str:
    """What it did there."""
    return _STEPS[purpose][1]


def purposes_of(feature: Feature) -> frozenset[Purpose]:
    """Every kind of call that is made for it."""
    return frozenset(purpose for purpose, (of, _) in _STEPS.items() if of is feature)
