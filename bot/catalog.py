"""The models a team can use: tiers, capabilities, prices. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import IntEnum, StrEnum

from bot.money import Price, to_nanousd

DEFAULT_CONTEXT_TOKENS = 8_192
DEFAULT_MAX_OUTPUT_TOKENS = 4_096


class Tier(IntEnum):
    """How hard a prompt we trust a model with."""

    FREE = 0
    CHEAP = 1
    FULL = 2

    @property
    def label(self) -> str:
        """The tier's name as people read and write it."""
        return self.name.lower()


class Capability(StrEnum):
    """What a model can take besides text."""

    VISION = "vision"
    TOOLS = "tools"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model: how it is called, what it can take, what it costs."""

    alias: str
    model_id: str
    """LiteLLM's name, `provider/model`."""
    provider: str
    tier: Tier
    capabilities: frozenset[Capability] = frozenset()
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    is_free_quota: bool = False
    """Billed $0 while the provider's free quota lasts; the list price is kept beside it."""
    api_base: str | None = None
    api_key_env: str | None = None
    """The environment variable of its key; empty if it needs none; None for the provider's own."""
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)
    """Further request fields that this model wants, such as sampling values."""
    note: str = ""
    """Shown with each answer, such as a demo model's warning."""

    @property
    def list_price(self) -> Price | None:
        """The price without any free quota; None when it is not known."""
        if self.input_usd_per_mtok is None or self.output_usd_per_mtok is None:
            return None
        return Price(
            input_nanousd_per_mtok=to_nanousd(self.input_usd_per_mtok),
            output_nanousd_per_mtok=to_nanousd(self.output_usd_per_mtok),
            cached_input_nanousd_per_mtok=_to_nanousd(self.cached_input_usd_per_mtok),
            cache_write_nanousd_per_mtok=_to_nanousd(self.cache_write_usd_per_mtok),
        )

    @property
    def price(self) -> Price | None:
        """The price that is billed."""
        if self.is_free_quota:
            return Price(input_nanousd_per_mtok=0, output_nanousd_per_mtok=0)
        return self.list_price


def _to_nanousd(usd: Decimal | None) -> int | None:
    return None if usd is None else to_nanousd(usd)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The active models, in the order of their file."""

    models: tuple[ModelSpec, ...]
    inactive: tuple[ModelSpec, ...] = ()
    """Listed, but their key is missing; `api_key_env` of each names it."""

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self.models)

    def named(self, alias: str) -> ModelSpec | None:
        """The model of that alias, any case."""
        return next((m for m in self.models if m.alias == alias.lower()), None)

    def aliases(self) -> tuple[str, ...]:
        """Every alias, in order."""
        return tuple(m.alias for m in self.models)

    def missing_keys(self) -> Mapping[str, str]:
        """What would switch the inactive models on, by alias."""
        return {m.alias: m.api_key_env or "" for m in self.inactive}

    def of_tier(self, tier: Tier) -> tuple[ModelSpec, ...]:
        """The models of one tier, in order."""
        return tuple(m for m in self.models if m.tier is tier)

    def only(self, keep: Callable[[ModelSpec], bool]) -> Catalog:
        """The catalogue without the models that `keep` refuses."""
        return replace(self, models=tuple(m for m in self.models if keep(m)))

    def with_models(self, more: tuple[ModelSpec, ...]) -> Catalog:
        """The catalogue with further models at its end; an alias already there wins."""
        known = set(self.aliases())
        models = self.models + tuple(m for m in more if m.alias not in known)
        active = {model.alias for model in models}
        return Catalog(models, tuple(m for m in self.inactive if m.alias not in active))
