"""Words that are quoted stay somebody else's."""

import pytest

from bot.catalog import Tier
from bot.commands import parse_command
from bot.quotes import QUOTE_LIMIT, about, quoted
from bot.tags import parse_tags


def test_a_quote_names_its_author_and_marks_each_line() -> None:
    assert quoted("Ada", "one\ntwo") == "Ada wrote:\n> one\n> two"
    assert quoted("Ada", "") == "Ada wrote:\n> "
    assert len(quoted("Ada", "x" * 9_000)) == len("Ada wrote:\n> ") + QUOTE_LIMIT


@pytest.mark.parametrize("text", ["Why?", "@fast why?", "@haiku why?", "```\nwhy?", "`@fast` why?"])
def test_a_tag_of_one_s_own_counts_more_than_those_in_the_message(text: str) -> None:
    tagged = parse_tags(about("Ada", text, "@heavy"), ["haiku"])
    assert (tagged.tier, tagged.alias) == (Tier.FULL, None)
    assert "Ada wrote:" in tagged.prompt


def test_without_a_tag_those_in_the_message_count() -> None:
    assert parse_tags(about("Ada", "@fast why?"), []).tier is Tier.FREE


@pytest.mark.parametrize("text", ["/settings workspace dial 10", "forget all", "stop"])
def test_a_command_that_is_quoted_is_none(text: str) -> None:
    assert parse_command(about("Ada", text)) is None
