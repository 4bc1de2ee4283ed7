"""What was spent, added up three times: by kind of call, by channel, by person."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from bot.calls import Purpose
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry

_Some = TypeVar("_Some", bound="Sums")


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Whose calls: a workspace's, or only some of them."""

    platform: str
    workspace_id: str
    user_id: str | None = None
    channel_id: str | None = None
    purposes: frozenset[Purpose] | None = None

    def holds(self, entry: LedgerEntry) -> bool:
        """Whether an entry belongs here."""
        return (
            (entry.platform, entry.workspace_id) == (self.platform, self.workspace_id)
            and self.user_id in (None, entry.user_id)
            and self.channel_id in (None, entry.channel_id)
            and (self.purposes is None or entry.purpose in self.purposes)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The figures of some calls, added up; amounts in nano-dollars."""

    calls: int = 0
    unpriced: int = 0
    """Calls whose price is not known; they are in no sum."""
    cost: int = 0
    lost_cost: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0

    @property
    def spent(self) -> int:
        """What these calls took from the budgets."""
        return self.cost + self.lost_cost

    @property
    def tokens(self) -> int:
        """All tokens, in and out."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLine(Sums):
    """Calls of one kind: they agree in all that a figure of the report depends on."""

    part: int
    """Which part of the stretch they were made in, from 0."""
    tier: Tier
    alias: str
    purpose: Purpose
    status: CallStatus
    is_unpriced: bool
    """Whether the price of these calls is not known; savings leave them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion(Sums):
    """The calls of one channel, or of one person."""

    key: str
    """Whose they are: a channel's or a person's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The same calls added up three times, each time all of them.

    Kinds, channels and people are not crossed: nearly every call would be a line of its own.
    """

    lines: tuple[SpendLine, ...] = ()
    channels: tuple[Portion, ...] = ()
    people: tuple[Portion, ...] = ()


def to_spending(entries: Iterable[LedgerEntry], bounds: Sequence[datetime]) -> Spending:
    """Add up entries; those outside the bounds are left out."""
    lines: dict[SpendLine, SpendLine] = {}
    channels: dict[Portion, Portion] = {}
    people: dict[Portion, Portion] = {}
    for entry in entries:
        if bounds[0] <= entry.created_at < bounds[-1]:
            _add(lines, _to_kind(entry, bisect_right(bounds, entry.created_at) - 1), entry)
            _add(channels, Portion(key=entry.channel_id), entry)
            _add(people, Portion(key=entry.user_id), entry)
    return Spending(
        lines=tuple(lines.values()),
        channels=tuple(channels.values()),
        people=tuple(people.values()),
    )


def together(spendings: Iterable[Spending]) -> Spending:
    """What was spent in several places."""
    every = tuple(spendings)
    return Spending(
        lines=tuple(line for each in every for line in each.lines),
        channels=tuple(portion for each in every for portion in each.channels),
        people=tuple(portion for each in every for portion in each.people),
    )


def _to_kind(entry: LedgerEntry, part: int) -> SpendLine:
    return SpendLine(
        part=part,
        tier=entry.tier,
        alias=entry.alias,
        purpose=entry.purpose,
        status=entry.status,
        is_unpriced=_is_unpriced(entry),
    )


def _is_unpriced(entry: LedgerEntry) -> bool:
    return entry.cost is None and entry.usage is not None


def _add(found: dict[_Some, _Some], empty: _Some, entry: LedgerEntry) -> None:
    """Add an entry to the sums that are empty as these in the beginning."""
    sums, usage = found.get(empty, empty), entry.usage
    found[empty] = replace(
        sums,
        calls=sums.calls + 1,
        unpriced=sums.unpriced + _is_unpriced(entry),
        cost=sums.cost + (entry.cost or 0),
        lost_cost=sums.lost_cost + entry.lost_cost,
        input_tokens=sums.input_tokens + (usage.input_tokens if usage else 0),
        cached_input_tokens=sums.cached_input_tokens + (usage.cached_input_tokens if usage else 0),
        output_tokens=sums.output_tokens + (usage.output_tokens if usage else 0),
    )
