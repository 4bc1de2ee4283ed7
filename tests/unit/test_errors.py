"""Every error has a sentence for a person, and stands in the tree that the module draws."""

import inspect

import pytest

from bot import errors

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.BotError)
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_is_drawn_and_speaks(kind: type[errors.BotError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    if kind is not errors.CatalogError:
        assert str(kind()).endswith(".")


def test_a_message_of_its_own_replaces_the_sentence() -> None:
    assert str(errors.NoModelError("Nothing here.")) == "Nothing here."
