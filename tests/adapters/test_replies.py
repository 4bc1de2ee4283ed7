"""Cutting long answers: laws that hold for any text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.replies import close_fence, split

LINES = st.lists(
    st.one_of(
        st.text("abc .é漢😀", max_size=30),
        st.sampled_from(["```", "```python", "~~~", "", "1. one", "print(1)", "x" * 40]),
    ),
    max_size=60,
)
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def words(text: str) -> str:
    """What a reader reads: no fence lines, no white space."""
    return re.sub(r"\s", "", re.sub(r"^ {0,3}(`{3,}|~{3,}).*$", "", text, flags=re.MULTILINE))


@given(lines=LINES, limit=st.integers(30, 200))
def test_every_part_fits_and_nothing_is_lost(lines: list[str], limit: int) -> None:
    text = close_fence("\n".join(lines))
    parts = split(text, limit)
    assert all(len(part) <= limit for part in parts)
    assert "".join(words(part) for part in parts) == words(text)


@pytest.mark.parametrize("character", ["👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "❤️"])
@pytest.mark.parametrize("before", range(12))
def test_what_a_reader_takes_for_one_character_is_not_cut(character: str, before: int) -> None:
    parts = split("x" * before + character * 40, 50)
    assert all(len(part.lstrip("x")) % len(character) == 0 for part in parts)
    assert "".join(parts) == "x" * before + character * 40


def test_a_row_of_joined_characters_without_end_is_cut_somewhere() -> None:
    assert [len(part) for part in split("\u200d" * 200, 100)] == [100, 100]


def test_a_sentence_of_a_script_without_spaces_is_not_cut() -> None:
    text = "这是一个测试。「你好。」他说。" * 20
    assert all(part[-1] in "。」" for part in split(text, 40))
    assert "".join(split(text, 40)) == text


@given(lines=LINES, limit=st.integers(30, 200))
def test_every_part_of_a_closed_text_is_closed(lines: list[str], limit: int) -> None:
    parts = split(close_fence("\n".join(lines)), limit)
    assert [part for part in parts if close_fence(part) != part] == []


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("plain", "plain"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```py\nx = 1\n", "```py\nx = 1\n```"),
        ("```py\nx\n```", "```py\nx\n```"),
        ("~~~\n```", "~~~\n```\n~~~"),
    ],
)
def test_an_open_fence_is_closed(text: str, closed: str) -> None:
    assert close_fence(text) == closed
