"""Why a model was chosen, in words that a person reads at once."""

from dataclasses import replace

import pytest

from bot.catalog import Tier
from bot.explanation import explain, to_record
from bot.router import Router
from bot.routes import RouteRequest
from tests.fakes import FixedEstimator, catalog

ASK = RouteRequest(prompt="hi", input_tokens=100)
HARD = FixedEstimator(0.1, 0.4, 0.95)


def _router(estimator: FixedEstimator = HARD) -> Router:
    return Router(catalog(), estimator)


def test_why_is_told_in_words() -> None:
    words = explain(to_record(_router().route(ASK)))
    assert "**full** of the full tier. What weighed most: fixed." in words
    assert "by fixed: free 10%, cheap 40%, full 95%" in words
    assert "The full tier was chosen: it costs least once the risk" in words
    assert "cheap (cheap) $0.0021" in words


def test_why_of_an_asked_for_tier_has_no_probabilities() -> None:
    words = explain(to_record(_router().route(replace(ASK, tier=Tier.FULL))))
    assert "you asked for the full tier" in words
    assert "likely" not in words


@pytest.mark.parametrize("record", [{}, {"command": "spend"}])
def test_why_of_no_decision_says_so(record: dict[str, object]) -> None:
    assert explain(record) == "Nothing was decided: no model was asked."
