"""The router: a prompt and its conversation in, a model with its fallbacks and reasons out. Pure.

The tier is the one with the least expected cost plus λ·(1 − p), where p is the probability that
it satisfies and λ what a poor answer costs, from the workspace's dial. Likely enough is certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.answer_limits import (
    EXPECTED_OUTPUT_TOKENS,
    MIN_OUTPUT_TOKENS,
    expected_cost,
    has_room,
    that_fits,
)
from bot.catalog import Catalog, ModelSpec, Tier
from bot.difficulty import Estimator
from bot.errors import NoModelError, NotAllowedError, PromptTooLongError, UnknownModelError
from bot.routes import Requirements, RouteDecision, RouteRequest

MAX_DIAL = 10
SUFFICIENT = 0.9
"""A tier that is this likely to satisfy counts as certain: what is more is within the estimator's
error, and nobody pays for it. So the free tier keeps what it answers well."""
_LAMBDA_AT_ZERO = 14_000_000
_LAMBDA_STEP = 1.26
_ALL_TIERS = tuple(Tier)


class Router:
    """Chooses among the models of a catalogue."""

    def __init__(self, catalog: Catalog, estimator: Estimator) -> None:
        self.catalog = catalog
        self.estimator = estimator

    def route(self, request: RouteRequest) -> RouteDecision:
        """Choose; raises NoModelError, PromptTooLongError, NotAllowedError or UnknownModelError."""
        capable = self._capable(request)
        if request.alias is not None:
            return self._named(request, request.alias, capable)
        requirements = self._requirements(request, capable)
        tier, notes = _nearest(requirements.tier, capable, self.catalog, request)
        tier, more = _step_down(request, capable, tier)
        ranked = _ranked(capable[tier], request)
        chosen = _sticky(ranked, request)
        rest = tuple(model for model in ranked if model is not chosen)
        return _decision(
            request, capable, requirements, (chosen, *rest, *_others(capable, tier, request)),
            notes=notes + more,
        )  # fmt: skip

    def _capable(self, request: RouteRequest) -> Mapping[Tier, tuple[ModelSpec, ...]]:
        allowed = self.catalog.only(lambda m: m.tier <= request.max_tier and _is_listed(m, request))
        seeing = allowed.only(lambda m: request.needs <= m.capabilities)
        fitting = seeing.only(lambda m: has_room(m, request.input_tokens))
        if not allowed.models:
            raise NoModelError
        if not seeing.models:
            needs = " and ".join(sorted(request.needs))
            raise NoModelError(
                f"No model that is switched on here has {needs}. An admin can add one."
            )
        if not fitting.models:
            raise PromptTooLongError
        return {tier: fitting.of_tier(tier) for tier in _ALL_TIERS if fitting.of_tier(tier)}

    def _named(
        self, request: RouteRequest, alias: str, capable: Mapping[Tier, tuple[ModelSpec, ...]]
    ) -> RouteDecision:
        model = self.catalog.named(alias)
        if model is None:
            raise UnknownModelError(f"There is no model `{alias}` here. Nothing was spent.")
        if model not in capable.get(model.tier, ()):
            raise _why_not(model, request)
        requirements = Requirements(
            tier=model.tier,
            capabilities=request.needs,
            expected=None,
            reasons=(f"you asked for {alias}",),
        )
        rest = tuple(m for m in _ranked(capable[model.tier], request) if m is not model)
        return _decision(request, capable, requirements, (model, *rest), notes=())

    def _requirements(
        self, request: RouteRequest, capable: Mapping[Tier, tuple[ModelSpec, ...]]
    ) -> Requirements:
        if request.tier is not None and request.expected is None:
            return Requirements(
                tier=request.tier,
                capabilities=request.needs,
                expected=None,
                reasons=(_tier_reason(request.tier, request),),
            )
        expected = request.expected or self.estimator.estimate(request.prompt, request.history)
        score = {
            tier: (_cost(_ranked(models, request)[0], request) or 0)
            + to_risk(expected.p(tier), request.dial)
            for tier, models in capable.items()
        }
        best = min(score, key=lambda tier: (score[tier], tier))
        asked = () if request.tier is None else (_tier_reason(request.tier, request),)
        return Requirements(
            tier=best if request.tier is None else request.tier,
            capabilities=request.needs,
            expected=expected,
            score=score,
            reasons=(*asked, *expected.reasons),
        )


def _tier_reason(tier: Tier, request: RouteRequest) -> str:
    return request.tier_reason or f"you asked for the {tier.label} tier"


def to_lambda(dial: int) -> int:
    """What a poor answer is worth avoiding, in nano-dollars: $0.014 at 0, × 1.26 with each step.

    At 0 nearly all prompts stay free, at 10 nearly all that money can buy is bought, on the
    prompts that docs/routing.md names.
    """
    step = max(0, min(MAX_DIAL, dial))
    return round(_LAMBDA_AT_ZERO * _LAMBDA_STEP**step)


def to_risk(chance: float, dial: int) -> int:
    """What the chance of a poor answer counts, in nano-dollars; nothing from SUFFICIENT on."""
    return round(to_lambda(dial) * max(0.0, SUFFICIENT - chance))


def _why_not(model: ModelSpec, request: RouteRequest) -> Exception:
    if not request.needs <= model.capabilities:
        return NoModelError(
            f"{model.alias} can't read images. Leave the tag out and I will choose."
        )
    if not has_room(model, request.input_tokens):
        return PromptTooLongError(
            f"This conversation is too long for {model.alias}. Leave the tag out."
        )
    return NotAllowedError(
        f"{model.alias} is not allowed here. Leave the tag out and I will choose."
    )


def _cost(model: ModelSpec, request: RouteRequest) -> int | None:
    """What an answer will cost with all that goes along; who answered last may have it cached."""
    return expected_cost(
        model,
        request.input_tokens,
        earlier_tokens=request.earlier_tokens,
        is_cached=request.goes_on and model.alias == request.current_alias,
    )


def _rank(model: ModelSpec, request: RouteRequest) -> tuple[bool, int, int, str]:
    """Healthy first, then cheapest; of those that cost nothing, the one worth most.

    An unpriced model comes last. The order of the catalogue does not matter.
    """
    cost = _cost(model, request)
    listed = model.list_price
    worth = 0 if listed is None else listed.cost(
        input_tokens=request.input_tokens, output_tokens=EXPECTED_OUTPUT_TOKENS
    )  # fmt: skip
    is_unhealthy = model.alias in request.unhealthy
    return (is_unhealthy, 2**62 if cost is None else cost, -worth, model.alias)


def _ranked(models: Sequence[ModelSpec], request: RouteRequest) -> tuple[ModelSpec, ...]:
    return tuple(sorted(models, key=lambda model: _rank(model, request)))


def _sticky(ranked: Sequence[ModelSpec], request: RouteRequest) -> ModelSpec:
    """The model that answered last, while its tier is right: its prompt cache is money."""
    for model in ranked:
        if model.alias == request.current_alias and model.alias not in request.unhealthy:
            return model
    return ranked[0]


def _fits_budget(
    model: ModelSpec, request: RouteRequest, capable: Mapping[Tier, tuple[ModelSpec, ...]]
) -> bool:
    """Whether a short answer can be paid for; an unpriced model may cost something, as all do."""
    if request.available is None:
        return True
    if model.price is None:
        return not _is_used_up(request, capable)
    earlier = that_fits(model, request.input_tokens, request.earlier_tokens)
    least = model.price.most(
        input_tokens=request.input_tokens + earlier, output_tokens=MIN_OUTPUT_TOKENS
    )
    return least <= request.available


def _step_down(
    request: RouteRequest, capable: Mapping[Tier, tuple[ModelSpec, ...]], wanted: Tier
) -> tuple[Tier, tuple[str, ...]]:
    """The tier that the budget allows, and a sentence when it is a lower one."""
    lower = [tier for tier in sorted(capable, reverse=True) if tier < wanted]
    is_pressed = request.is_budget_low and request.tier is None and bool(lower)
    affordable = [
        tier
        for tier in (lower if is_pressed else [wanted, *lower])
        if any(_fits_budget(model, request, capable) for model in capable[tier])
    ]
    tier = affordable[0] if affordable else wanted
    if tier is wanted:
        return wanted, ()
    return tier, (
        f"The budget is low, so the {tier.label} tier answers instead of {wanted.label}.",
    )


def _is_listed(model: ModelSpec, request: RouteRequest) -> bool:
    """Whether the place's list of models has this one, or there is no such list."""
    return not request.models or model.alias in request.models


def _nearest(
    tier: Tier,
    capable: Mapping[Tier, tuple[ModelSpec, ...]],
    catalog: Catalog,
    request: RouteRequest,
) -> tuple[Tier, tuple[str, ...]]:
    """The tier itself, else the next one up, else the next one down; said when it is another."""
    if tier in capable:
        return tier, ()
    up = [other for other in sorted(capable) if other > tier]
    nearest = up[0] if up else max(capable)
    why = _why_empty(tier, catalog, request)
    return nearest, (f"{why}, so the {nearest.label} tier answers.",)


def _why_empty(tier: Tier, catalog: Catalog, request: RouteRequest) -> str:
    """Why no model of a tier answers: not allowed here, not switched on, or not able to."""
    if tier > request.max_tier:
        return f"The {tier.label} tier is not allowed here"
    active = catalog.of_tier(tier)
    listed = [model for model in active if _is_listed(model, request)]
    asleep = [m for m in catalog.inactive if m.tier is tier and _is_listed(m, request)]
    if not listed and (active or request.models) and not asleep:
        return f"No {tier.label} model is allowed here"
    if not listed:
        keys = tuple(dict.fromkeys(model.api_key_env or "" for model in asleep))
        hint = f" ({_one_of(keys)} switches one on)" if keys else ""
        return f"No {tier.label} model is switched on{hint}"
    if not any(request.needs <= model.capabilities for model in listed):
        return f"No {tier.label} model here can read images"
    return f"No {tier.label} model here has room for a conversation this long"


def _one_of(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _others(
    capable: Mapping[Tier, tuple[ModelSpec, ...]], tier: Tier, request: RouteRequest
) -> tuple[ModelSpec, ...]:
    """The models of the other tiers as fallbacks: upwards first, downwards when money is short."""
    up = [t for t in sorted(capable) if t > tier]
    down = [t for t in sorted(capable, reverse=True) if t < tier]
    order = [*down, *up] if request.is_budget_low else [*up, *down]
    return tuple(model for t in order for model in _ranked(capable[t], request))


def _decision(
    request: RouteRequest,
    capable: Mapping[Tier, tuple[ModelSpec, ...]],
    requirements: Requirements,
    models: tuple[ModelSpec, ...],
    *,
    notes: tuple[str, ...],
) -> RouteDecision:
    chosen, is_used_up = models[0], _is_used_up(request, capable)
    best = {tier: _ranked(of_tier, request)[0] for tier, of_tier in capable.items()}
    return RouteDecision(
        model=chosen,
        fallbacks=tuple(m for m in models[1:] if m.price is not None or not is_used_up),
        requirements=requirements,
        estimated_cost=_cost(chosen, request),
        alternatives={tier: (model.alias, _cost(model, request)) for tier, model in best.items()},
        reason=", ".join(requirements.reasons[:3]) or "an everyday question",
        notes=notes,
        goes_on=request.goes_on,
        is_budget_used_up=is_used_up,
    )


def _is_used_up(request: RouteRequest, capable: Mapping[Tier, tuple[ModelSpec, ...]]) -> bool:
    """Whether there are models that may cost something, and none of them can be paid for."""
    models = [model for of_tier in capable.values() for model in of_tier]
    paid = [model for model in models if _cost(model, request)]
    if paid:
        return not any(_fits_budget(model, request, capable) for model in paid)
    return request.available == 0 and any(model.price is None for model in models)
