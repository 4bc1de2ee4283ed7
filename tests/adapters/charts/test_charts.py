"""The pictures: their text, their pixels, and what they say to who cannot see them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from adapters.charts import to_png, to_svg
from adapters.charts.card import BOTTOM, RIGHT, TOP
from adapters.charts.png import FONTS
from adapters.charts.scale import to_scale
from bot.pictures import Bar, Card, Series
from tests.adapters.charts.pixels import pixels_of
from tests.unit.spending import usd

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
CARD = Card(
    title="LLM spend, 9–15 November",
    headline="$19.41",
    aside_title="instead of about $71.10 with only opus",
    aside="saved $51.69 (73%)",
    series=(
        Series(label="free $2.00", tone="free"),
        Series(label="cheap $7.00", tone="cheap"),
        Series(label="full $10.41", tone="full"),
    ),
    bars=tuple(
        Bar(label=label, amounts=tuple(map(usd, amounts)), note="saved $7.87" if note else "")
        for label, amounts, note in (
            ("Mon 9", ("0.31", "1.12", "1.90"), True),
            ("Tue 10", ("0.42", "1.49", "2.44"), True),
            ("Wed 11", ("0.38", "0.97", "0.80"), True),
            ("Thu 12", ("0.52", "1.83", "3.09"), True),
            ("Fri 13", ("0.37", "1.30", "1.61"), True),
            ("Sat 14", ("0", "0.30", "0"), False),
            ("Sun 15", ("0", "0", "0"), False),
        )
    ),
    alt='Bar chart: $19.41 & more, "all" of it.',
    footnote="Savings are an estimate, with the same tokens.",
)


def texts_of(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Tiles of 10 × 9 pixels, averaged: what remains when the edges of letters differ a little."""
    height, width, _ = pixels.shape
    tiles: NDArray[np.float64] = pixels.reshape(height // 9, 9, width // 10, 10, 3).mean(
        axis=(1, 3)
    )
    return tiles


def test_the_picture_says_all_that_the_card_says() -> None:
    texts = texts_of(to_svg(CARD))

    assert texts[:7] == [
        "LLM spend, 9–15 November",
        "$19.41",
        "instead of about $71.10 with only opus",
        "saved $51.69 (73%)",
        "free $2.00",
        "cheap $7.00",
        "full $10.41",
    ]
    assert [text for text in texts if text.startswith(("Mon", "Sat", "Sun"))] == [
        "Mon 9",
        "Sat 14",
        "Sun 15",
    ]
    assert texts.count("saved $7.87") == 5
    assert {"$0", "$2", "$4", "$6", "$5.44", "$0.30"} <= set(texts)


@pytest.mark.parametrize("tier", ["free", "cheap", "full"])
def test_a_tier_has_the_colour_that_it_has_on_the_page(tier: str) -> None:
    styles = (ROOT / "adapters/web/static/base.css").read_text(encoding="utf-8")
    [colour] = re.findall(rf"--{tier}: light-dark\((#\w+),", styles)
    assert f'class="card-tone-{tier}" fill="{colour}"' in to_svg(CARD)


def test_the_svg_is_the_golden_one() -> None:
    assert to_svg(CARD) == (GOLDEN / "week.svg").read_text(encoding="utf-8").rstrip("\n")


def test_the_pixels_are_the_golden_ones_within_a_little() -> None:
    drawn = pixels_of(to_png(to_svg(CARD), zoom=1.0))
    golden = pixels_of((GOLDEN / "week.png").read_bytes())

    assert drawn.shape == golden.shape == (675, 1200, 3)
    assert np.abs(shrunk(drawn) - shrunk(golden)).max() < 12


def test_the_pixels_tell_another_picture_from_the_golden_one() -> None:
    other = to_svg(CARD).replace("$19.41", "$19.11")
    golden = pixels_of((GOLDEN / "week.png").read_bytes())

    assert np.abs(shrunk(pixels_of(to_png(other, zoom=1.0))) - shrunk(golden)).max() > 12


def test_text_is_drawn_with_the_fonts_that_are_shipped() -> None:
    with_text = pixels_of(to_png(to_svg(CARD), zoom=1.0))

    assert with_text[30:130, 40:400].min() < 60  # the title is ink on white
    assert (FONTS / "OFL.txt").read_text(encoding="utf-8").startswith("Copyright")


def test_it_is_described_for_who_cannot_see_it() -> None:
    root = ElementTree.fromstring(to_svg(CARD))

    assert root.get("aria-label") == CARD.alt
    assert root.get("role") == "img"


def test_each_piece_says_what_it_is() -> None:
    titles = [t.text for t in ElementTree.fromstring(to_svg(CARD)).iter(f"{SVG}title")]

    assert titles[:3] == ["Mon 9: free $0.31", "Mon 9: cheap $1.12", "Mon 9: full $1.90"]


def test_names_cannot_break_out_of_the_picture() -> None:
    evil = Card(
        title="<script>x</script>", headline='"&', series=(), bars=(), alt='"><script>'
    )  # fmt: skip
    svg = to_svg(evil)

    assert "<script" not in svg
    assert texts_of(svg)[:2] == ["<script>x</script>", '"&']


def test_six_long_names_have_room_in_the_legend() -> None:
    names = [f"openrouter-llama-{n}-maverick-instruct $1,234,567.89" for n in range(6)]
    card = replace(CARD, series=tuple(Series(label=each, tone="1") for each in names), bars=())

    shown = ElementTree.fromstring(to_svg(card)).iter(f"{SVG}text")

    places = [each for each in shown if "openrouter-llama-" in (each.text or "")]
    assert [(each.text or "").split(" ")[1] for each in places] == ["$1,234,567.89"] * 6
    assert len({each.get("y") for each in places}) == 2
    assert max(float(each.get("x", "")) for each in places) < RIGHT - 250
    assert max(float(each.get("y", "")) for each in places) < TOP - 20


def test_a_stretch_without_a_bill_is_drawn_as_such() -> None:
    empty = Card(
        title="t", headline="$0", series=(), bars=(Bar(label="Mon", amounts=()),), alt="Nothing."
    )

    assert "Nothing was billed." in texts_of(to_svg(empty))
    assert to_png(to_svg(empty), zoom=0.5).startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 7, 14, 24, 31])
def test_labels_are_thinned_out_before_they_collide(count: int) -> None:
    bars = tuple(Bar(label=f"day{n}", amounts=(usd("1"),)) for n in range(count))
    card = Card(
        title="t", headline="h", series=(Series(label="full", tone="full"),), bars=bars, alt="a"
    )

    shown = [text for text in texts_of(to_svg(card)) if text.startswith("day")]

    assert 1 <= len(shown) <= 14
    assert shown[0] == "day0"


@given(highest=st.integers(0, 10**16))
def test_a_scale_holds_the_highest_in_at_most_five_round_steps(highest: int) -> None:
    scale = to_scale(highest)

    assert scale.top >= highest
    assert 1 <= scale.count <= 5
    assert str(scale.step).rstrip("0") in {"1", "2", "5"}
    assert TOP < BOTTOM


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        ("0.0004", ["$0", "$0.0001", "$0.0002", "$0.0003", "$0.0004"]),
        ("1.80", ["$0", "$0.50", "$1.00", "$1.50", "$2.00"]),
        ("5.44", ["$0", "$2", "$4", "$6"]),
        ("9000", ["$0", "$2,000", "$4,000", "$6,000", "$8,000", "$10,000"]),
    ],
)
def test_labels_a_scale_as_people_write_amounts(highest: str, labels: list[str]) -> None:
    scale = to_scale(usd(highest))

    assert [scale.label(step) for step in scale.steps] == labels
