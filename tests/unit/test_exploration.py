"""A cheaper tier is tried seldom, where it is a toss-up, and where the place lets it be."""

from dataclasses import replace

import pytest

from bot.catalog import Tier
from bot.explanation import explain, to_record
from bot.exploration import REASON, to_lot, to_trial
from bot.router import Router
from bot.routes import RouteDecision, RouteRequest
from bot.settings import Exploration, Settings
from tests.fakes import FixedEstimator, catalog

TOSS_UP = FixedEstimator(0.5, 0.5, 0.95)
LEARNS = Settings(learn=True, explore=Exploration.ALL)
ASK = RouteRequest(prompt="Compare two databases", input_tokens=100)
TURNS = [f"test:m{number}" for number in range(2_000)]
LUCKY = next(turn for turn in TURNS if to_lot(turn) < 0.03)


def _route(estimator: FixedEstimator = TOSS_UP) -> tuple[Router, RouteDecision]:
    router = Router(catalog(), estimator)
    return router, router.route(ASK)


def test_at_most_three_prompts_in_a_hundred_are_tried() -> None:
    _, decision = _route()
    tried = sum(to_trial(decision, ASK, LEARNS, turn) is not None for turn in TURNS)
    assert 30 <= tried <= 80


def test_the_same_turn_draws_the_same_lot_when_it_is_run_again() -> None:
    assert to_lot("test:m1") == to_lot("test:m1")
    assert to_lot("test:m1") != to_lot("test:m2")


def test_a_trial_goes_to_the_tier_below_and_says_why() -> None:
    router, decision = _route()
    trial = to_trial(decision, ASK, LEARNS, LUCKY)
    assert trial is not None
    tried = router.route(trial)
    assert (decision.model.tier, tried.model.tier) == (Tier.FULL, Tier.CHEAP)
    why = explain(to_record(tried))
    assert REASON in why
    assert "50%" in why


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        replace(LEARNS, learn=False),
        replace(LEARNS, explore=Exploration.OFF),
        replace(LEARNS, explore=Exploration.FREE),  # the tier below is a paid one
    ],
)
def test_nothing_is_tried_where_the_place_does_not_want_it(settings: Settings) -> None:
    _, decision = _route()
    assert to_trial(decision, ASK, settings, LUCKY) is None


def test_by_default_only_what_costs_nothing_is_tried() -> None:
    _, decision = _route(FixedEstimator(0.5, 0.85, 0.86))
    assert decision.model.tier is Tier.CHEAP
    trial = to_trial(decision, ASK, Settings(learn=True), LUCKY)
    assert trial is not None
    assert trial.tier is Tier.FREE


@pytest.mark.parametrize("estimator", [FixedEstimator(0.1, 0.2, 0.95), FixedEstimator()])
def test_nothing_is_tried_where_the_model_is_sure(estimator: FixedEstimator) -> None:
    _, decision = _route(estimator)
    assert to_trial(decision, ASK, LEARNS, LUCKY) is None


def test_what_was_asked_for_is_never_replaced_by_a_trial() -> None:
    router, _ = _route()
    asked = replace(ASK, tier=Tier.FULL)
    assert to_trial(router.route(asked), asked, LEARNS, LUCKY) is None
