"""A stretch of spend as a report: totals, parts, savings, what is worth knowing. Pure.

Every way of cutting the total into parts adds up to it exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from bot.budget import WARN_AT_PERCENT, BudgetState
from bot.calls import Purpose
from bot.catalog import Catalog, Tier
from bot.features import feature_of, purposes_of, step_of
from bot.ledger import CallStatus
from bot.money import Price
from bot.periods import Stretch
from bot.spend import Portion, Spending, SpendLine, Sums

DEMO_ALIAS = "demo"
MOST_MODELS = 6
OTHERS = "others"
_Some = TypeVar("_Some", bound=Sums)


class Grouping(StrEnum):
    """How a total is cut into parts."""

    TIER = "tier"
    MODEL = "model"
    FEATURE = "feature"
    CHANNEL = "channel"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One part of a total."""

    key: str
    spent: int
    calls: int
    tokens: int
    unpriced: int = 0
    steps: tuple[Share, ...] = ()
    """What a feature of several steps is made of; together they are the share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the savings are measured against: always asking one full-tier model."""

    alias: str
    price: Price
    left_out: frozenset[str] = frozenset({DEMO_ALIAS})
    """Models whose answers nobody would have paid a full-tier model for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """An estimate: the same tokens, all asked of the full tier."""

    alias: str
    full_cost: int
    """What the same tokens would have cost there; what is not compared counts as it was."""
    saved: int
    by_part: tuple[int, ...]

    @property
    def percent(self) -> int:
        """What was saved, of what it would have cost."""
        return 0 if self.full_cost <= 0 else self.saved * 100 // self.full_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was spent in a stretch, and what of it; amounts in nano-dollars."""

    stretch: Stretch
    spent: int
    calls: int
    tokens: int
    unpriced: int
    failed: int
    lost: int
    """Paid without an answer: attempts that a crash cut off, and calls that failed."""
    shares: Mapping[Grouping, tuple[Share, ...]]
    """The parts of the total, the dearest first."""
    parts: tuple[tuple[int, ...], ...]
    """For each part of the stretch: what each tier cost, from free to full."""
    models: tuple[tuple[str, tuple[int, ...]], ...]
    """The same by model: the dearest ones, and the others together."""
    savings: Savings | None = None
    previous: int | None = None
    """What the stretch before it cost, as far as this one has come."""
    projection: int | None = None
    """What the month will cost at this pace."""
    budgets: tuple[BudgetState, ...] = ()
    """The caps that are nearly or fully used."""

    @property
    def is_empty(self) -> bool:
        """Whether no model was called."""
        return self.calls == 0

    def with_budgets(self, states: Iterable[BudgetState]) -> Report:
        """The report with those of the caps that are nearly or fully used."""
        return replace(self, budgets=tuple(s for s in states if s.used_percent >= WARN_AT_PERCENT))

    @property
    def change_percent(self) -> int | None:
        """The change on the stretch before it; None when that cost nothing."""
        if not self.previous:
            return None
        return round((self.spent - self.previous) * 100 / self.previous)


def to_report(
    spending: Spending,
    stretch: Stretch,
    *,
    baseline: Baseline | None = None,
    previous: int | None = None,
    projection: int | None = None,
) -> Report:
    """Build a report of what was spent in one stretch."""
    lines, count = spending.lines, len(stretch.labels)
    return Report(
        stretch=stretch,
        spent=sum(line.spent for line in lines),
        calls=sum(line.calls for line in lines),
        tokens=sum(line.tokens for line in lines),
        unpriced=sum(line.unpriced for line in lines),
        failed=sum(line.calls for line in lines if line.status is CallStatus.FAILED),
        lost=sum(_lost(line) for line in lines),
        shares=MappingProxyType({by: to_shares(spending, by) for by in Grouping}),
        parts=to_parts(lines, count),
        models=to_model_parts(lines, count),
        savings=None if baseline is None else to_savings(lines, baseline, count),
        previous=previous,
        projection=projection,
    )


def to_shares(spending: Spending, by: Grouping) -> tuple[Share, ...]:
    """The parts of a total, the dearest first; together they are the total."""
    if by is Grouping.CHANNEL:
        return _shares(spending.channels, _portion_key)
    if by is Grouping.USER:
        return _shares(spending.people, _portion_key)
    if by is Grouping.FEATURE:
        return _shares(spending.lines, _feature_key, _feature_steps)
    return _shares(spending.lines, _tier_key if by is Grouping.TIER else _model_key)


def _shares(
    sums: Iterable[_Some],
    key_of: Callable[[_Some], str],
    steps_of: Callable[[Sequence[_Some]], tuple[Share, ...]] = lambda _: (),
) -> tuple[Share, ...]:
    found: dict[str, list[_Some]] = {}
    for each in sums:
        found.setdefault(key_of(each), []).append(each)
    shares = [
        Share(
            key=key,
            spent=sum(each.spent for each in own),
            calls=sum(each.calls for each in own),
            tokens=sum(each.tokens for each in own),
            unpriced=sum(each.unpriced for each in own),
            steps=steps_of(own),
        )
        for key, own in found.items()
    ]
    return tuple(sorted(shares, key=lambda s: (-s.spent, -s.calls, s.key)))


def _portion_key(portion: Portion) -> str:
    return portion.key


def _tier_key(line: SpendLine) -> str:
    return line.tier.label


def _model_key(line: SpendLine) -> str:
    return line.alias


def _feature_key(line: SpendLine) -> str:
    return feature_of(line.purpose).value


def _feature_steps(lines: Sequence[SpendLine]) -> tuple[Share, ...]:
    """A feature's steps, where it has more than one."""
    if len(purposes_of(feature_of(lines[0].purpose))) == 1:
        return ()
    return _shares(lines, lambda line: step_of(line.purpose))


def to_parts(lines: Iterable[SpendLine], count: int) -> tuple[tuple[int, ...], ...]:
    """What each tier cost in each part of the stretch."""
    parts = [[0] * len(Tier) for _ in range(count)]
    for line in lines:
        parts[line.part][list(Tier).index(line.tier)] += line.spent
    return tuple(tuple(part) for part in parts)


def to_model_parts(
    lines: Sequence[SpendLine], count: int
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What the dearest models cost in each part of the stretch, and what the others did."""
    dearest = [share.key for share in _shares(lines, _model_key)]
    shown = dearest if len(dearest) <= MOST_MODELS else dearest[: MOST_MODELS - 1]
    names = [*shown, *([OTHERS] if len(shown) < len(dearest) else [])]
    parts = {name: [0] * count for name in names}
    for line in lines:
        parts[line.alias if line.alias in shown else OTHERS][line.part] += line.spent
    return tuple((name, tuple(amounts)) for name, amounts in parts.items())


def to_savings(lines: Iterable[SpendLine], baseline: Baseline, count: int) -> Savings | None:
    """What asking the full tier always would have cost; None when nothing can be compared.

    Compared are finished answers of the lower tiers, but for those of a demo model.
    """
    full, saved, compared = 0, [0] * count, 0
    for line in lines:
        full += line.spent
        if not _is_compared(line, baseline):
            continue
        compared += line.calls
        there = baseline.price.cost(
            input_tokens=line.input_tokens,
            output_tokens=line.output_tokens,
            cached_input_tokens=line.cached_input_tokens,
        )
        full += there - line.cost
        saved[line.part] += there - line.cost
    if not compared:
        return None
    return Savings(alias=baseline.alias, full_cost=full, saved=sum(saved), by_part=tuple(saved))


def to_baseline(catalog: Catalog) -> Baseline | None:
    """The cheapest full-tier model with a price, so that savings are never overstated."""
    priced = [(m.list_price, m.alias) for m in catalog.of_tier(Tier.FULL) if m.list_price]
    paid = [(price, alias) for price, alias in priced if _sample(price) > 0]
    if not paid:
        return None
    price, alias = min(paid, key=lambda pair: (_sample(pair[0]), pair[1]))
    makeshift = {model.alias for model in catalog if model.note}
    return Baseline(alias=alias, price=price, left_out=frozenset({DEMO_ALIAS, *makeshift}))


def to_projection(spent_so_far: int, spent_lately: int, lately: timedelta, left: timedelta) -> int:
    """The month's end: what is spent, and the rest of it at the pace of late."""
    second = timedelta(seconds=1)
    return spent_so_far + spent_lately * (left // second) // (lately // second)


def _sample(price: Price) -> int:
    """What an ordinary answer costs: one token out for three in."""
    return price.cost(input_tokens=3_000_000, output_tokens=1_000_000)


def _is_compared(line: SpendLine, baseline: Baseline) -> bool:
    return (
        line.purpose is Purpose.ANSWER
        and line.status is CallStatus.DONE
        and line.tier is not Tier.FULL
        and not line.is_unpriced
        and line.alias not in baseline.left_out
    )


def _lost(line: SpendLine) -> int:
    return line.lost_cost + (line.cost if line.status is CallStatus.FAILED else 0)
