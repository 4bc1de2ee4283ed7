"""What follows a command's word is read, refused in words, or left to be a sentence."""

import pytest

from bot import command_grammar as grammar
from bot.command_grammar import Command, Line


def _c(name: str, *words: str, text: str = "", **options: str) -> Command:
    return Command(name=name, words=words, options=options, text=text)


@pytest.mark.parametrize(
    ("rest", "command"),
    [
        ("", _c("spend")),
        ("week by model", _c("spend", period="week", by="model")),
        ("by user", _c("spend", by="user")),
        ("my time better", None),
        ("by the hour", None),
    ],
)
def test_spend_takes_a_period_and_a_grouping(rest: str, command: Command | None) -> None:
    assert grammar.spend(Line(rest, is_explicit=False)) == command
