"""Markdown for Slack: nothing pings, nothing is lost, limits are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.formatting import (
    FALLBACK_CHARACTERS,
    buttons,
    fence_end,
    open_fence,
    plain,
    settled,
    small_print,
    without_pings,
)
from bot.replies import FINISHED_ACTIONS, Action

PINGISH = st.text(alphabet="<>!@#UC12chanelrvyog ^|`.", max_size=60)
JOINER = "\u2060"


@pytest.mark.parametrize(
    ("text", "pings"),
    [
        ("<!channel>", True),
        ("<!here|here>", True),
        ("<@U123>", True),
        ("<#C123|general>", True),
        ("<!subteam^S1>", True),
        ("ask @here now", True),
        ("(@everyone)", True),
        ("<!DOCTYPE html>", False),
        ("mail a@here.org", False),
        ("List<@NonNull String>", False),
        ("@hereafter", False),
    ],
)
def test_only_what_would_ping_is_made_inert(text: str, pings: bool) -> None:
    assert (JOINER in without_pings(text)) is pings


@given(PINGISH)
def test_making_pings_inert_loses_nothing(text: str) -> None:
    assert without_pings(text).replace(JOINER, "") == text


@given(PINGISH, st.integers(0, 60))
def test_what_is_shown_early_is_how_the_whole_begins(text: str, cut: int) -> None:
    early = settled(without_pings(text[:cut]))
    assert without_pings(text).startswith(early)


@given(st.text(alphabet="&<>a😀", max_size=5_000))
def test_fallback_text_keeps_to_the_limit_of_edits(text: str) -> None:
    assert len(plain(text)) <= FALLBACK_CHARACTERS + 1


@pytest.mark.parametrize(
    ("text", "opener"),
    [
        ("no code", ""),
        ("```python\nx = 1", "```python"),
        ("```\na\n```", ""),
        ("~~~~\n```\nstill", "~~~~"),
        ("```\n````\nx", ""),
        ("` ``` `", ""),
    ],
)
def test_knows_the_fence_that_is_open(text: str, opener: str) -> None:
    assert open_fence(text) == opener
    assert open_fence(text + fence_end(opener)) == ""


def test_small_print_is_one_block_of_what_there_is() -> None:
    assert small_print(["", ""]) == []
    (block,) = small_print(["a < b", "", "footer"])
    assert [element["text"] for element in block["elements"]] == ["a &lt; b", "footer"]


def test_thumbs_stand_in_a_row_of_their_own() -> None:
    rows = buttons("slack:C1:1.0", FINISHED_ACTIONS)
    assert [row["type"] for row in rows] == ["actions", "context_actions"]
    assert buttons("t", ()) == []
    assert [row["type"] for row in buttons("t", (Action.AGAIN,))] == ["actions"]
