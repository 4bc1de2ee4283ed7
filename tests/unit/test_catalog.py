"""A catalogue is found by alias and by tier, and grows without losing what it has."""

from bot.catalog import Catalog, Tier
from tests.fakes import catalog, model


def test_a_model_is_found_by_its_alias_in_any_case() -> None:
    found = catalog().named("FULL")
    assert found is not None
    assert found.tier is Tier.FULL
    assert catalog().named("gone") is None


def test_tiers_are_ordered_by_how_hard_a_prompt_they_are_trusted_with() -> None:
    assert sorted(Tier, reverse=True) == [Tier.FULL, Tier.CHEAP, Tier.FREE]
    assert [tier.label for tier in Tier] == ["free", "cheap", "full"]


def test_a_tier_has_its_models_in_order() -> None:
    models = Catalog((model("b"), model("c", Tier.FULL), model("a")))
    assert [m.alias for m in models.of_tier(Tier.FREE)] == ["b", "a"]


def test_an_alias_already_listed_wins_over_one_found_later() -> None:
    catalog = Catalog((model("a", Tier.FULL),)).with_models((model("a"), model("b")))
    assert [(m.alias, m.tier) for m in catalog] == [("a", Tier.FULL), ("b", Tier.FREE)]


def test_a_model_found_later_is_inactive_no_more() -> None:
    listed = Catalog((model("a"),), inactive=(model("b"), model("c")))
    found = listed.only(lambda m: m.alias == "a").with_models((model("b"),))
    assert found.aliases() == ("a", "b")
    assert [m.alias for m in found.inactive] == ["c"]
