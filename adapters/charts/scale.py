"""A scale of dollars with round steps. Pure, in whole nano-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bot.money import NANOUSD

_MOST_STEPS = 5
_LEAST = NANOUSD // 10_000
"""Finer steps than a hundredth of a cent tell nobody anything."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The lines that a picture shows, from 0 up to `top`."""

    step: int
    count: int

    @property
    def top(self) -> int:
        """The highest amount that is shown."""
        return self.step * self.count

    @property
    def steps(self) -> tuple[int, ...]:
        """Where the lines are."""
        return tuple(self.step * index for index in range(self.count + 1))

    def label(self, amount: int) -> str:
        """An amount as it stands beside its line: `$0`, `$0.05`, `$1.50`, `$20`."""
        dollars = (Decimal(amount) / NANOUSD).normalize()
        places = max(0, -int(Decimal(self.step).scaleb(-9).normalize().as_tuple().exponent))
        if not amount:
            return "$0"
        return f"${dollars:,.{2 if places == 1 else places}f}"


def to_scale(highest: int) -> Scale:
    """The coarsest round scale that holds `highest` in at most five steps."""
    step = _LEAST
    for factor in _rounds():
        step = _LEAST * factor
        if step * _MOST_STEPS >= highest:
            break
    return Scale(step, max(1, -(-highest // step)))


def _rounds() -> tuple[int, ...]:
    return tuple(digit * 10**power for power in range(14) for digit in (1, 2, 5))
