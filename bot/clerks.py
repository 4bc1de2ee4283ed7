"""Which models do the small work beside an answer: judging, checking, summarising. Pure."""

from __future__ import annotations

from bot.catalog import Catalog, ModelSpec, Tier
from bot.settings import Settings


def clerks(
    catalog: Catalog, settings: Settings, unhealthy: frozenset[str]
) -> tuple[ModelSpec, ...]:
    """Who may do it here: those that failed a moment ago last, the cheapest of the rest first."""
    allowed = catalog.only(settings.allows)
    return tuple(sorted(allowed, key=lambda m: (m.alias in unhealthy, m.tier, _worth(m), m.alias)))


def judges(
    catalog: Catalog, settings: Settings, unhealthy: frozenset[str]
) -> tuple[ModelSpec, ...]:
    """Who may give a one-word verdict here: healthy ones of the free and the cheap tier."""
    return tuple(
        model
        for model in clerks(catalog, settings, unhealthy)
        if model.tier <= Tier.CHEAP and model.alias not in unhealthy
    )


def _worth(model: ModelSpec) -> int:
    """What a small piece of work is worth; a free quota is spent on the cheapest first."""
    price = model.list_price
    return 0 if price is None else price.cost(input_tokens=1_000, output_tokens=100)
