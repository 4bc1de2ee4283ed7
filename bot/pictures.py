"""A picture as plain values: bars, legend, headline. What draws it is an adapter's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One colour of the bars: what it stands for."""

    label: str
    tone: str
    """`free`, `cheap`, `full` for tiers; `1` to `6` for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One stacked bar; amounts in nano-dollars, one for each series."""

    label: str
    amounts: tuple[int, ...]
    note: str = ""

    @property
    def total(self) -> int:
        """The height of the bar."""
        return sum(self.amounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card with stacked bars: how much, of what, and what was saved."""

    title: str
    headline: str
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    alt: str
    """What the picture says, for who cannot see it."""
    aside_title: str = ""
    aside: str = ""
    """Good news at the right; empty for none."""
    footnote: str = ""
