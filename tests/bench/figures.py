"""How a bench tells its figures: a line for people, and a record for `./parley bench`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RECORD = "BENCH_FIGURES"
"""The environment's name for the file that figures are added to, one JSON object a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. Less is better, unless it says otherwise."""

    name: str
    value: float
    unit: str
    target: float | None = None
    is_more_better: bool = False
    noise: float = 0.3
    """By which share it differs from run to run without a cause."""

    @property
    def is_met(self) -> bool:
        """Whether it keeps its target; without one it does."""
        if self.target is None:
            return True
        return self.value >= self.target if self.is_more_better else self.value <= self.target


def tell(
    name: str,
    value: float,
    unit: str,
    *,
    target: float | None = None,
    is_more_better: bool = False,
    noise: float = 0.3,
) -> None:
    """Print one figure, and add it to the record if there is one."""
    figure = Figure(
        name=name,
        value=value,
        unit=unit,
        target=target,
        is_more_better=is_more_better,
        noise=noise,
    )
    print(f"{name:<52}{shown(value):>10} {unit:<6}{_against(figure)}", flush=True)
    record(figure)


def record(figure: Figure) -> None:
    """Add a figure to the record if there is one: for those that are printed in another way."""
    if path := os.environ.get(RECORD):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def tell_spread(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    p50: float | None = None,
    p99: float | None = None,
) -> None:
    """Print the middle and the tail of many values; `p50` and `p99` are their targets."""
    ordered = sorted(values)
    for share, target, noise in ((0.5, p50, 0.3), (0.99, p99, 0.6)):
        value = ordered[min(len(ordered) - 1, int(len(ordered) * share))]
        tell(f"{name}, p{share * 100:.0f}", value, unit, target=target, noise=noise)


def shown(value: float) -> str:
    """A value with three digits that say something."""
    if value == int(value):
        return f"{value:,.0f}"
    digits = next((n for n, least in ((0, 100), (1, 10), (2, 1)) if abs(value) >= least), 3)
    return f"{value:,.{digits}f}"


def _against(figure: Figure) -> str:
    if figure.target is None:
        return ""
    sign = "≥" if figure.is_more_better else "≤"
    return f"target {sign} {shown(figure.target)}{'' if figure.is_met else '  MISSED'}"
