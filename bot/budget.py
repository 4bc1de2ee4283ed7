"""Budgets: caps for a user, a channel, a workspace or the instance, by day, week or month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

WARN_AT_PERCENT = 80
LOW_AT_PERCENT = 90


class Scope(StrEnum):
    """Whose money a cap limits, in the order in which holds are taken: the busiest last."""

    USER = "user"
    CHANNEL = "channel"
    WORKSPACE = "workspace"
    INSTANCE = "instance"


class Period(StrEnum):
    """How long a cap lasts before it starts anew."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One period of one calendar: from `starts_at` up to `ends_at`."""

    period: Period
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A cap in force for a call: who, when, how much (nano-dollars)."""

    scope: Scope
    scope_id: str
    """Unique within its scope: `platform/workspace`, `platform/workspace/user`; `` for all."""
    window: Window
    cap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A limit and what of it is used, in nano-dollars."""

    limit: Limit
    spent: int
    held: int

    @property
    def available(self) -> int:
        """What may still be held."""
        return max(0, self.limit.cap - self.spent - self.held)

    @property
    def used_percent(self) -> int:
        """What is spent, of the cap; a cap of nothing is used up."""
        return 100 if self.limit.cap <= 0 else self.spent * 100 // self.limit.cap

    @property
    def is_low(self) -> bool:
        """Whether the router should step down a tier."""
        return (
            self.limit.cap > 0 and (self.spent + self.held) * 100 >= self.limit.cap * LOW_AT_PERCENT
        )


def tightest(states: Sequence[BudgetState]) -> BudgetState | None:
    """The state with the least left, or None without any cap."""
    return min(states, key=lambda state: state.available, default=None)


def window_at(now: datetime, period: Period, zone: tzinfo) -> Window:
    """The window that holds `now`: local midnight, Monday or the first, in `zone`; given in UTC."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period is Period.DAY:
        start, end = midnight, midnight + timedelta(days=1)
    elif period is Period.WEEK:
        start = midnight - timedelta(days=midnight.weekday())
        end = start + timedelta(days=7)
    else:
        start = midnight.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    return Window(period=period, starts_at=_utc(start), ends_at=_utc(end))


def _utc(local: datetime) -> datetime:
    return local.astimezone(UTC)
