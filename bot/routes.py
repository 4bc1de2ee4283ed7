"""What a choice of model depends on, and what it comes to: values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.catalog import Capability, ModelSpec, Tier
from bot.difficulty import Estimate, HistoryTurn

POLICY_VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRequest:
    """All that the choice depends on."""

    prompt: str
    input_tokens: int
    """Of the newest message, which has to fit whole."""
    earlier_tokens: int = 0
    """Of what goes along with it: the conversation so far, as much of it as fits."""
    history: tuple[HistoryTurn, ...] = ()
    expected: Estimate | None = None
    """What was found out beforehand; None leaves the prompt to the router's own estimator."""
    needs: frozenset[Capability] = frozenset()
    tier: Tier | None = None
    """Asked for by a tag, a button or a setting."""
    tier_reason: str = ""
    alias: str | None = None
    """Asked for by a tag."""
    max_tier: Tier = Tier.FULL
    models: frozenset[str] = frozenset()
    """Aliases allowed; empty allows all."""
    dial: int = 5
    current_alias: str | None = None
    """The model that answered last in this conversation."""
    goes_on: bool = False
    """Whether that was a moment ago: its provider may have the conversation in its cache."""
    available: int | None = None
    """Nano-dollars left in the tightest budget; None without a cap."""
    is_budget_low: bool = False
    unhealthy: frozenset[str] = frozenset()
    """Aliases that failed a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What the answer needs: the tier, the capabilities, and why."""

    tier: Tier
    capabilities: frozenset[Capability]
    expected: Estimate | None
    """None when the tier was asked for."""
    score: Mapping[Tier, int] = field(default_factory=dict)
    """Expected cost plus the price of a poor answer, for each tier, in nano-dollars."""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDecision:
    """The chosen model, who follows if it fails, and why."""

    model: ModelSpec
    fallbacks: tuple[ModelSpec, ...]
    requirements: Requirements
    estimated_cost: int | None
    """Nano-dollars; None when unpriced."""
    alternatives: Mapping[Tier, tuple[str, int | None]]
    """For each tier: the model it would have been, and its estimated cost."""
    reason: str
    notes: tuple[str, ...] = ()
    """What the person should know of it, such as a step down for the budget."""
    goes_on: bool = False
    """Whether the conversation goes on at once, and so is worth a place in a provider's cache."""
    is_budget_used_up: bool = False
    """Whether only models that cost nothing can be paid for."""
    policy_version: str = POLICY_VERSION
