"""Words that are quoted stay somebody else's."""

import pytest

from bot.commands import parse_command
from bot.quotes import QUOTE_LIMIT, quoted, without_salutation


def test_a_quote_names_its_author_and_marks_each_line() -> None:
    assert quoted("Ada", "one\ntwo") == "Ada wrote:\n> one\n> two"
    assert quoted("Ada", "") == "Ada wrote:\n> "
    assert len(quoted("Ada", "x" * 9_000)) == len("Ada wrote:\n> ") + QUOTE_LIMIT


@pytest.mark.parametrize("text", ["/settings workspace dial 10", "forget all", "stop"])
def test_a_command_that_is_quoted_is_none(text: str) -> None:
    assert parse_command(quoted("Ada", text)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (", help", "help"),
        (":\nhelp", "help"),
        ("，你好", "你好"),
        (" ; so?", "so?"),
        (" what, then?", "what, then?"),
        (":smile: hi", ":smile: hi"),
        ("-5 + 3", "-5 + 3"),
        ("- milk\n- eggs", "- milk\n- eggs"),
        ("::before in CSS", "::before in CSS"),
        (":", ""),
        ("", ""),
    ],
)
def test_what_follows_a_name_that_was_taken_out_is_not_said(text: str, said: str) -> None:
    assert without_salutation(text) == said
