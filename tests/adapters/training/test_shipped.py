"""The file that ships: small, and described by its card."""

from importlib import resources

from adapters.training.recipe import VERSION
from adapters.training.shipped import load_shipped_estimator, read_shipped_model


def test_the_model_is_at_most_two_megabytes() -> None:
    assert len(read_shipped_model()) <= 2_000_000


def test_the_model_is_of_the_recipes_version() -> None:
    assert load_shipped_estimator().version == VERSION


def test_a_card_ships_beside_it() -> None:
    card = resources.files("adapters.training").joinpath("model", "card.md").read_text("utf-8")
    assert VERSION in card
    for word in ("MIT", "Apache-2.0", "CC-BY-3.0", "synthetic"):
        assert word in card
