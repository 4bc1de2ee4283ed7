"""The cheapest model that is likely to satisfy, and every reason for another one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer_limits import expected_cost
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.errors import NoModelError, NotAllowedError, PromptTooLongError, UnknownModelError
from bot.router import Router, to_lambda
from bot.routes import RouteRequest
from tests.fakes import FixedEstimator, catalog, model

ASK = RouteRequest(prompt="hi", input_tokens=100)
EASY = FixedEstimator(0.97, 0.98, 0.99)
HARD = FixedEstimator(0.1, 0.4, 0.95)


def _router(*models: ModelSpec, estimator: FixedEstimator = EASY) -> Router:
    return Router(Catalog(models) if models else catalog(), estimator)


def test_an_easy_prompt_goes_to_the_free_tier() -> None:
    decision = _router().route(ASK)
    assert decision.model.alias == "free"
    assert [m.alias for m in decision.fallbacks] == ["cheap", "full"]
    assert decision.estimated_cost == 0


def test_a_hard_prompt_goes_to_the_full_tier() -> None:
    decision = _router(estimator=HARD).route(ASK)
    assert decision.model.alias == "full"
    assert [m.alias for m in decision.fallbacks] == ["cheap", "free"]


def test_the_dial_moves_the_choice() -> None:
    estimator = FixedEstimator(0.7, 0.75, 0.9)
    chosen = [
        _router(estimator=estimator).route(replace(ASK, dial=dial)).model.tier for dial in range(11)
    ]
    assert chosen == sorted(chosen)
    assert chosen[0] is Tier.FREE
    assert chosen[-1] is Tier.FULL


def test_a_tier_that_was_asked_for_is_not_estimated() -> None:
    decision = _router(estimator=HARD).route(replace(ASK, tier=Tier.FREE))
    assert decision.model.alias == "free"
    assert decision.requirements.expected is None
    assert decision.reason == "you asked for the free tier"


def test_a_named_model_is_asked_and_only_its_own_tier_stands_in() -> None:
    router = _router(model("a", usd="1"), model("b", usd="2"), model("c", Tier.FULL))
    decision = router.route(replace(ASK, alias="b"))
    assert [m.alias for m in (decision.model, *decision.fallbacks)] == ["b", "a"]


def test_an_empty_tier_is_served_by_the_next_one_up_and_says_so() -> None:
    router = _router(model("a", Tier.FREE), model("c", Tier.FULL))
    decision = router.route(replace(ASK, tier=Tier.CHEAP))
    assert decision.model.alias == "c"
    assert decision.notes == ("No cheap model is switched on, so the full tier answers.",)


SEEING = frozenset({Capability.VISION})
ASLEEP = tuple(
    model(alias, Tier.FULL, api_key_env=key)
    for alias, key in (("opus", "A_KEY"), ("sonnet", "A_KEY"), ("gpt", "B_KEY"), ("pro", "C_KEY"))
)


@pytest.mark.parametrize(
    ("models", "request_", "says"),
    [
        (catalog(), replace(ASK, max_tier=Tier.CHEAP), "The full tier is not allowed here"),
        (catalog(), replace(ASK, models=frozenset({"free"})), "No full model is allowed here"),
        (
            Catalog((model("a"),), ASLEEP),
            ASK,
            "No full model is switched on (A_KEY, B_KEY or C_KEY switches one on)",
        ),
        (
            Catalog((model("a"),), ASLEEP),
            replace(ASK, models=frozenset({"a", "gpt"})),
            "No full model is switched on (B_KEY switches one on)",
        ),
        (
            Catalog((model("a"),), ASLEEP),
            replace(ASK, models=frozenset({"a"})),
            "No full model is allowed here",
        ),
        (
            Catalog((model("a", vision=True), model("b", Tier.FULL))),
            replace(ASK, needs=SEEING),
            "No full model here can read images",
        ),
        (
            Catalog((model("a"), model("b", Tier.FULL, context_tokens=500))),
            replace(ASK, input_tokens=900),
            "No full model here has room for a conversation this long",
        ),
    ],
)
def test_it_is_said_why_no_model_of_the_tier_answers(
    models: Catalog, request_: RouteRequest, says: str
) -> None:
    decision = Router(models, EASY).route(replace(request_, tier=Tier.FULL))
    tier = decision.model.tier.label
    assert decision.notes == (f"{says}, so the {tier} tier answers.",)


def test_an_empty_top_tier_is_served_by_the_next_one_down() -> None:
    decision = _router(model("a"), model("b", Tier.CHEAP)).route(replace(ASK, tier=Tier.FULL))
    assert decision.model.alias == "b"


def test_an_image_goes_to_a_model_with_vision() -> None:
    decision = _router().route(replace(ASK, needs=frozenset({Capability.VISION})))
    assert decision.model.alias == "full"


def test_no_model_with_vision_is_said_in_words() -> None:
    with pytest.raises(NoModelError, match="vision"):
        _router(model("a")).route(replace(ASK, needs=frozenset({Capability.VISION})))


def test_a_prompt_larger_than_a_window_goes_to_a_larger_one() -> None:
    router = _router(model("small", context_tokens=1_000), model("large", Tier.CHEAP))
    assert router.route(replace(ASK, input_tokens=2_000)).model.alias == "large"


def test_a_prompt_larger_than_every_window_is_refused() -> None:
    with pytest.raises(PromptTooLongError):
        _router().route(replace(ASK, input_tokens=10**6))


def test_nothing_switched_on_is_said_in_words() -> None:
    with pytest.raises(NoModelError):
        Router(Catalog(()), EASY).route(ASK)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (replace(ASK, alias="nope"), UnknownModelError),
        (replace(ASK, alias="full", max_tier=Tier.CHEAP), NotAllowedError),
        (replace(ASK, alias="full", models=frozenset({"free"})), NotAllowedError),
        (replace(ASK, alias="free", needs=frozenset({Capability.VISION})), NoModelError),
    ],
)
def test_a_named_model_that_may_not_answer_is_refused(
    request_: RouteRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        _router().route(request_)


def test_a_named_model_whose_window_is_too_small_is_refused() -> None:
    router = _router(model("small", context_tokens=500), model("large"))
    with pytest.raises(PromptTooLongError, match="small"):
        router.route(replace(ASK, alias="small", input_tokens=900))


def test_the_dearest_tier_allowed_is_a_ceiling() -> None:
    decision = _router(estimator=HARD).route(replace(ASK, max_tier=Tier.CHEAP))
    assert decision.model.alias == "cheap"
    assert all(m.tier <= Tier.CHEAP for m in decision.fallbacks)


def test_a_model_that_just_failed_comes_last_in_its_tier() -> None:
    router = _router(model("a", usd="1"), model("b", usd="2"))
    decision = router.route(replace(ASK, unhealthy=frozenset({"a"}), current_alias="a"))
    assert [m.alias for m in (decision.model, *decision.fallbacks)] == ["b", "a"]


def test_the_model_stays_while_its_tier_does() -> None:
    router = _router(model("a", usd="1"), model("b", usd="2"))
    assert router.route(replace(ASK, current_alias="b")).model.alias == "b"


def test_the_tier_may_come_down_again() -> None:
    assert _router().route(replace(ASK, current_alias="full")).model.alias == "free"


def test_a_low_budget_steps_down_a_tier_and_says_so() -> None:
    decision = _router(estimator=HARD).route(replace(ASK, is_budget_low=True, available=10**9))
    assert decision.model.alias == "cheap"
    assert decision.notes == ("The budget is low, so the cheap tier answers instead of full.",)
    assert decision.fallbacks[0].alias == "free"


def test_an_empty_budget_leaves_the_free_tier() -> None:
    decision = _router(estimator=HARD).route(replace(ASK, available=0, is_budget_low=True))
    assert decision.model.alias == "free"


def test_an_explicit_tier_is_kept_while_the_budget_has_room() -> None:
    decision = _router().route(replace(ASK, tier=Tier.FULL, is_budget_low=True, available=10**9))
    assert decision.model.alias == "full"


def test_an_explicit_tier_beyond_the_budget_steps_down() -> None:
    decision = _router().route(replace(ASK, tier=Tier.FULL, available=1_500_000))
    assert decision.model.alias == "cheap"


def test_of_models_that_cost_nothing_the_most_valuable_answers() -> None:
    router = _router(
        model("small", usd="0.1", is_free_quota=True), model("big", usd="2", is_free_quota=True)
    )
    assert router.route(ASK).model.alias == "big"


def test_an_unpriced_model_comes_after_the_priced_ones() -> None:
    decision = _router(model("a", usd=None), model("b", usd="9")).route(ASK)
    assert [m.alias for m in (decision.model, *decision.fallbacks)] == ["b", "a"]


UNPRICED = model("odd", Tier.CHEAP, usd=None)
FREE = model("free", Tier.FREE, usd="0.1", is_free_quota=True)
PAID = model("full", Tier.FULL, usd="5")


@pytest.mark.parametrize(
    ("models", "available"),
    [
        ((FREE, UNPRICED, PAID), 0),
        ((FREE, UNPRICED, PAID), 1_000),  # too little for any call with a price
        ((FREE, UNPRICED), 0),
    ],
)
def test_a_budget_that_is_used_up_leaves_only_what_is_known_to_cost_nothing(
    models: tuple[ModelSpec, ...], available: int
) -> None:
    request = replace(ASK, available=available, is_budget_low=True)
    decision = _router(*models, estimator=HARD).route(request)
    assert decision.model is FREE
    assert UNPRICED not in decision.fallbacks
    assert decision.is_budget_used_up


@pytest.mark.parametrize(
    ("models", "available"), [((FREE,), 0), ((FREE, UNPRICED), None), ((FREE, UNPRICED), 1)]
)
def test_no_budget_is_used_up_where_none_is_empty_or_nothing_may_cost(
    models: tuple[ModelSpec, ...], available: int | None
) -> None:
    decision = _router(*models).route(replace(ASK, available=available))
    assert not decision.is_budget_used_up
    assert (decision.model, *decision.fallbacks) == models


def test_an_unpriced_model_is_asked_while_the_budget_has_room() -> None:
    request = replace(ASK, tier=Tier.CHEAP, available=10**9)
    decision = _router(FREE, UNPRICED, PAID).route(request)
    assert decision.model is UNPRICED
    assert not decision.is_budget_used_up


_PRICES = st.lists(
    st.tuples(st.sampled_from(list(Tier)), st.integers(1, 50)), min_size=1, max_size=8
)


@given(_PRICES, st.randoms(use_true_random=False))
def test_the_order_of_the_catalogue_does_not_matter(
    prices: list[tuple[Tier, int]], random: object
) -> None:
    models = [model(f"m{n}", tier, usd=str(usd)) for n, (tier, usd) in enumerate(prices)]
    shuffled = list(models)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    assert _router(*models).route(ASK) == _router(*shuffled).route(ASK)


@given(_PRICES)
def test_the_choice_is_the_cheapest_of_its_tier(prices: list[tuple[Tier, int]]) -> None:
    models = [model(f"m{n}", tier, usd=str(usd)) for n, (tier, usd) in enumerate(prices)]
    chosen = _router(*models).route(ASK).model
    costs = [expected_cost(m, 100) or 0 for m in models if m.tier is chosen.tier]
    assert expected_cost(chosen, 100) == min(costs)


@given(st.integers(0, 9), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_dial_never_chooses_a_lower_tier(
    dial: int, free: float, cheap: float, full: float
) -> None:
    router = _router(estimator=FixedEstimator(*sorted((free, cheap, full))))
    lower = router.route(replace(ASK, dial=dial)).model.tier
    assert router.route(replace(ASK, dial=dial + 1)).model.tier >= lower
    assert to_lambda(dial + 1) > to_lambda(dial)


def test_the_conversation_counts_in_what_an_answer_costs() -> None:
    cheap = catalog().named("cheap")
    assert cheap is not None
    assert cheap.price is not None
    alone, long = ASK, replace(ASK, earlier_tokens=4_000)
    costs = [_router().route(request).alternatives[Tier.CHEAP][1] for request in (alone, long)]
    assert costs[0] is not None
    assert costs[1] == costs[0] + cheap.price.cost(input_tokens=4_000, output_tokens=0)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_no_more_of_a_conversation_counts_than_fits(fewer: int, more: int, is_cached: bool) -> None:
    spec = replace(model("a", usd="2"), cached_input_usd_per_mtok=Decimal("0.2"))
    fewer, more = sorted((fewer, more))
    costs = [
        expected_cost(spec, 100, earlier_tokens=tokens, is_cached=is_cached) or 0
        for tokens in (fewer, more, 10**9)
    ]
    assert costs == sorted(costs)
    whole = expected_cost(spec, spec.context_tokens)
    assert whole is not None
    assert costs[-1] <= whole


def test_a_long_conversation_stays_with_the_model_that_has_it_in_its_cache() -> None:
    full = model("full", Tier.FULL, usd="10", cached_input_usd_per_mtok=Decimal(1))
    router = _router(model("cheap", usd="1"), full, estimator=FixedEstimator(0.1, 0.6, 0.9))
    ask = replace(ASK, earlier_tokens=3_000, current_alias="full")
    assert router.route(replace(ask, goes_on=True)).model.alias == "full"
    assert router.route(ask).model.alias == "cheap"


def test_a_budget_has_to_pay_for_the_conversation_too() -> None:
    router = _router(estimator=HARD)
    full = router.route(replace(ASK, available=10**7)).model
    assert full.alias == "full"
    decision = router.route(replace(ASK, available=10**7, earlier_tokens=5_000, dial=10))
    assert decision.model.tier < Tier.FULL
    assert "budget is low" in " ".join(decision.notes)
