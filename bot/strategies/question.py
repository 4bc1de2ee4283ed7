"""What a debate or an ensemble is asked: the conversation, who may play, what may be spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.answer_limits import has_room
from bot.calls import estimate_input_tokens
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.errors import (
    CommandError,
    NoModelError,
    NotAllowedError,
    PromptTooLongError,
    UnknownModelError,
)
from bot.messages import Message
from bot.tags import unknown_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that the choice of players depends on, and what they are asked."""

    turn_id: str
    messages: tuple[Message, ...]
    """The conversation with the question at its end, as every player gets it."""
    models: Catalog
    """Every active model."""
    options: Mapping[str, str] = field(default_factory=dict)
    """As they were typed: `models`, `rounds`, `n`, `mode`."""
    needs: frozenset[Capability] = frozenset()
    max_tier: Tier = Tier.FULL
    """The dearest tier allowed; a tag lowers it further."""
    allowed: frozenset[str] = frozenset()
    """Aliases allowed; empty allows all."""
    alias: str | None = None
    """The first player, asked for by a tag."""
    unhealthy: frozenset[str] = frozenset()
    planned: Mapping[str, object] = field(default_factory=dict)
    """What an earlier run planned that a crash ended, as `to_plan_record` keeps it."""
    begun: frozenset[str] = frozenset()
    """The steps that the earlier run had begun, by their names."""

    @property
    def input_tokens(self) -> int:
        """What every player reads at least."""
        return estimate_input_tokens(self.messages)

    @property
    def newest_tokens(self) -> int:
        """What every player must be able to read: older messages can be left out."""
        return estimate_input_tokens(self.messages[-1:])

    @property
    def has_players(self) -> bool:
        """Whether any model may play."""
        return any(self._fault(model) is None for model in self.models)

    def ranked(self) -> tuple[ModelSpec, ...]:
        """Who may play, the best first: healthy, then the highest tier, then the dearest.

        Raises NoModelError or PromptTooLongError when nobody can.
        """
        able = [model for model in self.models if self._fault(model) is None]
        if not able:
            raise self._nobody()
        return tuple(sorted(able, key=self._rank))

    def named(self) -> tuple[ModelSpec, ...]:
        """The models that were asked for by name, each once.

        Raises UnknownModelError, NotAllowedError, NoModelError or PromptTooLongError.
        """
        typed = [word.strip().lstrip("@") for word in self.options.get("models", "").split(",")]
        return tuple(self.model(alias) for alias in dict.fromkeys(word for word in typed if word))

    def model(self, alias: str) -> ModelSpec:
        """A model that may play, by its alias; raises as `named` does."""
        model = self.models.named(alias)
        if model is None:
            raise UnknownModelError(
                unknown_model(alias, self.models.aliases(), self.models.missing_keys())
            )
        if fault := self._fault(model):
            raise fault
        return model

    def planned_players(self) -> tuple[ModelSpec, ...]:
        """Who played in the run before a crash, in order; nobody when one of them is gone."""
        aliases = self.planned.get("players")
        found = [self._known(alias) for alias in aliases] if isinstance(aliases, list) else []
        return tuple(m for m in found if m is not None) if None not in found else ()

    def planned_model(self, name: str) -> ModelSpec | None:
        """Who had a part in the run before a crash, when that model is still there."""
        return self._known(self.planned.get(name))

    def _known(self, alias: object) -> ModelSpec | None:
        return self.models.named(alias) if isinstance(alias, str) else None

    def _fault(self, model: ModelSpec) -> Exception | None:
        """Why a model can't play."""
        if model.tier > self.max_tier or (self.allowed and model.alias not in self.allowed):
            return NotAllowedError(f"{model.alias} is not allowed here. Nothing was spent.")
        if not self.needs <= model.capabilities:
            return NoModelError(f"{model.alias} can't read images. Nothing was spent.")
        if not has_room(model, self.newest_tokens):
            return PromptTooLongError(f"This question is too long for {model.alias}.")
        return None

    def _nobody(self) -> Exception:
        faults = [fault for model in self.models if (fault := self._fault(model))]
        too_long = next((f for f in faults if isinstance(f, PromptTooLongError)), None)
        if too_long is not None:
            return PromptTooLongError()
        if self.needs and any(isinstance(fault, NoModelError) for fault in faults):
            return NoModelError("No model that is switched on here can read images.")
        return NoModelError()

    def _rank(self, model: ModelSpec) -> tuple[bool, int, int, str]:
        listed = model.list_price
        worth = 0 if listed is None else listed.cost(input_tokens=1_000, output_tokens=1_000)
        return (model.alias in self.unhealthy, -model.tier, -worth, model.alias)


def in_tiers(question: Question) -> tuple[Question, ...]:
    """The question as it is, then for lower and lower tiers: what to try when money is short."""
    lower = [tier for tier in sorted(Tier, reverse=True) if tier < question.max_tier]
    return (question, *(replace(question, max_tier=tier) for tier in lower))


def diverse(ranked: tuple[ModelSpec, ...], count: int) -> tuple[ModelSpec, ...]:
    """So many models, in their order, from as many providers as there are."""
    first_of: dict[str, ModelSpec] = {}
    for model in ranked:
        first_of.setdefault(model.provider, model)
    firsts = list(first_of.values())
    rest = [model for model in ranked if model not in firsts]
    return tuple([*firsts, *rest][:count])


def whole(options: Mapping[str, str], name: str, default: int, *, high: int, low: int = 1) -> int:
    """A whole number among the options; raises CommandError for anything else."""
    typed = options.get(name, str(default))
    if not typed.isdecimal() or not low <= int(typed) <= high:
        raise CommandError(f"`{name}:` takes {low} to {high}, not `{typed[:40]}`.")
    return int(typed)


def names(models: Sequence[ModelSpec]) -> str:
    """Aliases as a list in words."""
    aliases = [model.alias for model in models]
    return aliases[0] if len(aliases) == 1 else f"{', '.join(aliases[:-1])} and {aliases[-1]}"
