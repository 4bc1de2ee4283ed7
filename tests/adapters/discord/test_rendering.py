"""Answers as Discord's messages: laws that hold for any text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.rendering import LIMIT, to_finished, to_preview, utf16_units
from adapters.replies import close_fence
from bot.catalog import Tier
from bot.replies import Footer, Reply
from bot.settings import FooterStyle

FOOTER = Footer(tier=Tier.CHEAP, model="haiku", tokens=812, cost=3_100_000, latency_s=2.4)
SMALL_PRINT = "-# cheap · haiku · 812 tok · $0.0031 · 2.4 s"
TEXTS = st.lists(
    st.sampled_from(["word ", "\n", "\n\n", "```py\n", "\n```\n", "😀" * 50, "x" * 700, "a. b. "]),
    max_size=40,
).map("".join)


def words(text: str) -> str:
    return re.sub(r"\s|^`{3}.*$", "", text, flags=re.MULTILINE)


@given(TEXTS, st.lists(st.sampled_from(["A note.", "n" * 300]), max_size=2))
def test_every_part_fits_is_closed_and_nothing_is_lost(text: str, notes: list[str]) -> None:
    reply = Reply(text=text, footer=FOOTER, notes=tuple(notes))
    rendered = to_finished(reply, FooterStyle.FULL, max_parts=100)
    body = "".join(words(part.split("\n-# ")[0]) for part in rendered.parts)
    assert all(0 < utf16_units(part) <= LIMIT for part in rendered.parts)
    assert all(close_fence(part) == part for part in rendered.parts)
    assert rendered.parts[-1].endswith(SMALL_PRINT)
    assert body.removeprefix("-#Anote.").endswith(words(text)[-5:]) or not words(text)
    assert rendered.file == ""


@given(TEXTS, st.integers(1, 4))
def test_past_the_most_parts_there_is_a_file(text: str, max_parts: int) -> None:
    reply = Reply(text=text, footer=FOOTER)
    rendered = to_finished(reply, FooterStyle.FULL, max_parts)
    assert len(rendered.parts) <= max_parts + 1
    assert rendered.file in ("", text)
    assert bool(rendered.file) == (len(to_preview(text, 1000)) > max_parts)


@given(TEXTS, st.integers(0, 4000))
def test_a_preview_is_the_beginning_of_what_follows(text: str, length: int) -> None:
    before, after = to_preview(text[:length], 100), to_preview(text, 100)
    assert "".join(map(words, after)).startswith("".join(map(words, before))[:-4])


def test_the_footer_can_be_off() -> None:
    assert to_finished(Reply(text="hi", footer=FOOTER), FooterStyle.OFF, 8).parts == ("hi",)


def test_an_answer_without_text_is_never_an_empty_message() -> None:
    assert to_finished(Reply(text=""), FooterStyle.OFF, 8).parts == ("-# (no answer)",)
