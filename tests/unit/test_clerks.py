"""Small work goes to the cheapest model that is allowed and well."""

from bot.catalog import Catalog, Tier
from bot.clerks import clerks, judges
from bot.settings import Settings
from tests.fakes import catalog, model


def _names(models: object) -> list[str]:
    return [each.alias for each in models]  # type: ignore[attr-defined]  # a tuple of models


def test_the_cheapest_tier_comes_first_then_the_cheapest_model() -> None:
    models = Catalog((model("b", usd="2"), model("a", usd="1"), model("c", Tier.CHEAP, usd="0.1")))
    assert _names(clerks(models, Settings(), frozenset())) == ["a", "b", "c"]


def test_one_that_failed_a_moment_ago_comes_last() -> None:
    assert _names(clerks(catalog(), Settings(), frozenset({"free"}))) == ["cheap", "full", "free"]


def test_only_allowed_models_are_asked() -> None:
    assert _names(clerks(catalog(), Settings(max_tier=Tier.CHEAP), frozenset())) == [
        "free",
        "cheap",
    ]
    only_full = Settings(models=frozenset({"full"}))
    assert _names(clerks(catalog(), only_full, frozenset())) == ["full"]


def test_no_verdict_is_asked_of_a_full_or_an_ailing_model() -> None:
    assert _names(judges(catalog(), Settings(), frozenset({"free"}))) == ["cheap"]
