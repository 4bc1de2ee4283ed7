"""Pictures as values."""

from __future__ import annotations

from bot.pictures import Bar


def test_a_bar_is_as_high_as_its_amounts() -> None:
    assert Bar(label="Mon", amounts=(1, 2, 3)).total == 6
