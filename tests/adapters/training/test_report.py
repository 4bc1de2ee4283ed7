"""Evaluation, dial and training report end to end on tiny tables."""

from pathlib import Path

import pytest

from adapters.training.dial import choose, to_dial
from adapters.training.evaluation import evaluate
from adapters.training.report import to_dial_table, to_plot, to_tables
from adapters.training.shipped import load_shipped_estimator, read_shipped_model
from bot.catalog import Tier
from bot.difficulty import Estimate
from tests.adapters.training.tables import make_data

ESTIMATE = Estimate(p_free=0.6, p_cheap=0.7, p_full=0.9, reasons=(), version="x")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


def test_the_table_names_every_router(data: Path) -> None:
    tables = to_tables(evaluate(data, read_shipped_model(), {"vowels": _count_vowels}))
    for name in ("local-", "rules-1", "length", "keywords", "RouteLLM", "vowels"):
        assert name in tables
    assert "CPU of a decision" in tables


def _count_vowels(prompt: str) -> float:
    return sum(prompt.count(letter) for letter in "aeiou")


def test_a_higher_dial_costs_more_and_answers_better(data: Path) -> None:
    steps = to_dial(data, load_shipped_estimator())
    assert [step.dial for step in steps] == list(range(11))
    costs = [step.usd_per_1000 for step in steps]
    assert costs == sorted(costs)
    assert steps[-1].quality >= steps[0].quality
    assert all(sum(step.shares) == pytest.approx(1) for step in steps)


def test_shows_the_dial_as_table_and_plot(data: Path) -> None:
    steps = to_dial(data, load_shipped_estimator())
    assert to_dial_table(steps).count("\n") == 13
    plot = to_plot(steps)
    assert plot.startswith("<svg")
    assert plot.count("<circle") == 11


def test_thrift_takes_the_free_tier_and_caution_the_full_one() -> None:
    assert choose(ESTIMATE, 0) is Tier.FREE
    assert choose(ESTIMATE, 10) is Tier.FULL
