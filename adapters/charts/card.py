"""A card with stacked bars, as SVG. Pure; colours stand in attributes, so that a page's own style
sheet may change them in the dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from xml.sax.saxutils import escape, quoteattr

from adapters.charts.scale import Scale, to_scale
from bot.money import format_usd
from bot.pictures import Bar, Card

WIDTH, HEIGHT = 1200, 675
LEFT, RIGHT = 92, 1152
TOP, BOTTOM = 218, 558
MOST_TITLED_BARS = 14
MOST_OF_NAME = 20
"""Six names of so many letters, with their amounts, fit into the legend's two rows."""
_INK, _DIM, _LINE, _GOOD = "#0f172a", "#51617a", "#e2e8f0", "#15803d"
_TONES = {
    "free": "#3f7d4e",  # the tiers' colours are those of the web page, in base.css
    "cheap": "#2f6db3",
    "full": "#f59e0b",
    "1": "#2563eb",
    "2": "#f59e0b",
    "3": "#38bdf8",
    "4": "#15803d",
    "5": "#a855f7",
    "6": "#94a3b8",
}
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[] ·"), frozenset("mwMWQO@%")


def to_svg(card: Card) -> str:
    """The card as one SVG document, with its description for who cannot see it."""
    highest = max((bar.total for bar in card.bars), default=0)
    scale = to_scale(highest)
    inside = "".join(
        [
            *_head(card),
            *_legend(card),
            *_grid(scale, is_billed=highest > 0),
            *_bars(card, scale),
            *_foot(card),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="Inter, system-ui, sans-serif" role="img" aria-label={quoteattr(card.alt)}>'
        f'<rect class="card-paper" width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        f"{inside}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """How a text stands."""

    size: int
    tone: str = "ink"
    anchor: str = "start"
    weight: int = 400


_TITLE, _TOTAL = _Look(22, "dim"), _Look(48, weight=700)
_ASIDE_TITLE, _ASIDE = _Look(20, "dim", "end"), _Look(38, "good", "end", 700)
_LEGEND, _AXIS, _BAR = _Look(19), _Look(17, "dim", "end"), _Look(18, anchor="middle")
_SMALL_LEGEND = _Look(16)
_AMOUNT, _NOTE = _Look(18, anchor="middle", weight=700), _Look(16, "good", "middle")
_SMALL_NOTE, _FOOT, _EMPTY = (
    _Look(11, "good", "middle"),
    _Look(15, "dim"),
    _Look(24, "dim", "middle"),
)


def _head(card: Card) -> Iterator[str]:
    yield _text(48, 66, card.title, _TITLE)
    yield _text(48, 122, card.headline, _TOTAL)
    if card.aside:
        yield _text(RIGHT, 66, card.aside_title, _ASIDE_TITLE)
        yield _text(RIGHT, 120, card.aside, _ASIDE)


def _legend(card: Card) -> Iterator[str]:
    """One row; two of smaller letters and shorter names where one has no room for all."""
    labels = [series.label for series in card.series]
    look, top, rows = _LEGEND, 154, _rows(labels, _LEGEND)
    if len(rows) > 1:
        labels = [_shortened(label) for label in labels]
        look, top, rows = _SMALL_LEGEND, 144, _rows(labels, _SMALL_LEGEND)
    series = iter(card.series)
    for y, row in zip(count(top, 28), rows, strict=False):
        for x, label in row:
            paint = _paint(next(series).tone)
            yield f'<rect x="{x:g}" y="{y}" width="18" height="18" rx="3" {paint}/>'
            yield _text(x + 26, y + 16, label, look)


def _rows(labels: Sequence[str], look: _Look) -> list[list[tuple[float, str]]]:
    """The labels from left to right, a new row where one would go over the edge."""
    rows: list[list[tuple[float, str]]] = [[]]
    x = 48.0
    for label in labels:
        width = 26 + _width(label, look.size)
        if rows[-1] and x + width > RIGHT:
            rows.append([])
            x = 48.0
        rows[-1].append((x, label))
        x += width + 32
    return rows


def _shortened(label: str) -> str:
    """A long name cut, the amount behind it kept."""
    name, gap, amount = label.partition(" ")
    return f"{name[: MOST_OF_NAME - 1]}…{gap}{amount}" if len(name) > MOST_OF_NAME else label


def _grid(scale: Scale, *, is_billed: bool) -> Iterator[str]:
    for step in scale.steps if is_billed else scale.steps[:1]:
        y = _y(step, scale)
        yield (
            f'<line class="card-line" x1="{LEFT}" x2="{RIGHT}" y1="{y:g}" y2="{y:g}" '
            f'stroke="{_LINE}" stroke-width="{1 if step else 2}"/>'
        )
        yield _text(LEFT - 14, y + 6, scale.label(step), _AXIS)


def _bars(card: Card, scale: Scale) -> Iterator[str]:
    slot = (RIGHT - LEFT) / max(1, len(card.bars))
    width = min(96.0, slot * 0.62)
    every = -(-len(card.bars) // MOST_TITLED_BARS)
    for index, bar in enumerate(card.bars):
        middle = LEFT + slot * (index + 0.5)
        yield from _stack(card, bar, middle - width / 2, width, scale)
        if every == 1 and bar.total:
            yield _text(middle, _y(bar.total, scale) - 12, format_usd(bar.total), _AMOUNT)
        if index % every == 0:
            yield _text(middle, BOTTOM + 31, bar.label, _BAR)
        if bar.note:
            yield _text(middle, BOTTOM + 60, bar.note, _NOTE if slot >= 130 else _SMALL_NOTE)


def _stack(card: Card, bar: Bar, x: float, width: float, scale: Scale) -> Iterator[str]:
    """The segments from below; only the top of the whole bar is rounded."""
    last = max((index for index, amount in enumerate(bar.amounts) if amount), default=-1)
    pieces = zip(card.series, bar.amounts, accumulate(bar.amounts), strict=True)
    for index, (series, amount, top) in enumerate(pieces):
        if not amount:
            continue
        y, low = _y(top, scale), _y(top - amount, scale)
        gap = 2 if low < BOTTOM and low - y > 4 else 0
        height = max(1.0, low - y - gap)
        shape = _column(x, y, width, height, min(7.0, height) if index == last else 0)
        title = escape(f"{bar.label}: {series.label.split(' ')[0]} {format_usd(amount)}")
        yield f'<path d="{shape}" {_paint(series.tone)}><title>{title}</title></path>'


def _column(x: float, y: float, width: float, height: float, radius: float) -> str:
    return (
        f"M{x:.1f} {y + height:.1f}V{y + radius:.1f}q0 {-radius:.1f} {radius:.1f} {-radius:.1f}"
        f"h{width - 2 * radius:.1f}q{radius:.1f} 0 {radius:.1f} {radius:.1f}V{y + height:.1f}z"
    )


def _foot(card: Card) -> Iterator[str]:
    if card.footnote:
        yield _text(48, HEIGHT - 22, card.footnote, _FOOT)
    if not any(bar.total for bar in card.bars):
        yield _text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, "Nothing was billed.", _EMPTY)


def _y(amount: int, scale: Scale) -> float:
    return BOTTOM - (BOTTOM - TOP) * amount / scale.top


def _text(x: float, y: float, text: str, look: _Look) -> str:
    colour = {"ink": _INK, "dim": _DIM, "good": _GOOD}[look.tone]
    return (
        f'<text class="card-{look.tone}" x="{x:g}" y="{y:g}" font-size="{look.size}" '
        f'font-weight="{look.weight}" text-anchor="{look.anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _paint(tone: str) -> str:
    return f'class="card-tone-{tone}" fill="{_TONES[tone]}"'


def _width(text: str, size: int) -> float:
    """About how wide a text is: enough to put the next one beside it."""
    return size * sum(0.32 if c in _NARROW else 0.88 if c in _WIDE else 0.6 for c in text)
