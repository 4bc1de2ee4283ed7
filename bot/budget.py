"""Budgets: caps for a user, a channel, a workspace or the instance, by day, week or month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from bot.caps import CAPS, InstanceCaps, Period, Scope, env_name
from bot.errors import BudgetExceededError
from bot.messages import ConversationKey
from bot.money import format_usd
from bot.settings import Settings

WARN_AT_PERCENT = 80
USED_UP_PERCENT = 100
LOW_AT_PERCENT = 90


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
    zone: tzinfo = field(default=UTC, compare=False)
    """Whose calendar it goes by."""

    def at(self, now: datetime) -> Limit:
        """The same cap in the window that has begun since, if one has."""
        if now < self.window.ends_at:
            return self
        return replace(self, window=window_at(now, self.window.period, self.zone))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetAlert:
    """A limit that has come to one of its marks; said once in its window."""

    state: BudgetState
    mark: int
    """WARN_AT_PERCENT or USED_UP_PERCENT."""


def to_alerts(states: Sequence[BudgetState], *, is_used_up: bool) -> tuple[BudgetAlert, ...]:
    """The marks that these limits have come to, whether or not they were said.

    `is_used_up`: the tightest had no room for a call. When it is low as well, it is used up; with
    much left it was the call that was too dear.
    """
    empty = tightest(states) if is_used_up else None
    found = [(state, _mark(state, had_no_room=state is empty)) for state in states]
    return tuple(BudgetAlert(state=state, mark=mark) for state, mark in found if mark)


def _mark(state: BudgetState, *, had_no_room: bool) -> int:
    if state.limit.cap <= 0:
        return 0  # whoever sets such a cap needs no alert
    if state.used_percent >= USED_UP_PERCENT or (had_no_room and state.is_low):
        return USED_UP_PERCENT
    return WARN_AT_PERCENT if state.used_percent >= WARN_AT_PERCENT else 0


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


def scope_ids_of(
    platform: str, workspace_id: str, channel_id: str, user_id: str
) -> Mapping[Scope, str]:
    """Whose money is spent there, in the order of holds."""
    place = f"{platform}/{workspace_id}"
    return {
        Scope.USER: f"{place}/{user_id}",
        Scope.CHANNEL: f"{place}/{channel_id}",
        Scope.WORKSPACE: place,
        Scope.INSTANCE: "",
    }


def limits_for(
    key: ConversationKey,
    user_id: str,
    settings: Settings,
    instance_caps: InstanceCaps,
    now: datetime,
) -> tuple[Limit, ...]:
    """The caps that a call in this place counts for, by scope in the order of holds."""
    scope_ids = scope_ids_of(key.platform, key.workspace_id, key.channel_id, user_id)
    caps = (
        *((spec.scope, spec.period, spec.of(settings)) for spec in CAPS.values()),
        *((Scope.INSTANCE, period, instance_caps.get(period)) for period in Period),
    )
    zones = {Scope.INSTANCE: UTC}
    return tuple(
        Limit(
            scope=scope,
            scope_id=scope_ids[scope],
            window=window_at(now, period, zones.get(scope, settings.zone)),
            cap=cap,
            zone=zones.get(scope, settings.zone),
        )
        for scope, period, cap in caps
        if cap is not None
    )


def to_exceeded_error(states: Sequence[BudgetState], hold: int) -> BudgetExceededError:
    """The error for caps that leave no room for a hold, with what a person is told.

    It names the one of them that starts anew last: not before then is there room.
    """
    available = min(state.available for state in states)
    refusing = [state for state in states if state.available < max(hold, available + 1)]
    limit = max(refusing, key=lambda s: (s.limit.window.ends_at, -s.available)).limit
    whose = _WHOSE[limit.scope]
    return BudgetExceededError(
        f"{whose} budget of {format_usd(limit.cap)} a {limit.window.period} has no room for this. "
        f"It starts anew on {_until(limit)}. {_raised_by(limit)}",
        available=available,
        resets_at=limit.window.ends_at,
    )


def alert_message(alert: BudgetAlert, whose: str = "") -> str:
    """What is said at a mark; `whose` stands for the limit where its place is elsewhere."""
    state, limit = alert.state, alert.state.limit
    used = f"{format_usd(state.spent)} of {format_usd(limit.cap)} a {limit.window.period}"
    name = whose or _WHOSE[limit.scope]
    if alert.mark < USED_UP_PERCENT:
        return f"{name} budget is {state.used_percent} % used: {used}."
    return (
        f"{name} budget is used up: {used}. "
        f"Only what costs nothing answers until {_until(limit)}. {_raised_by(limit)}"
    )


def _until(limit: Limit) -> str:
    return limit.window.ends_at.strftime("%-d %B, %H:%M UTC")


def _raised_by(limit: Limit) -> str:
    if limit.scope is Scope.INSTANCE:
        return f"Whoever runs Parley can raise it: {env_name(limit.window.period)}."
    return "An admin can raise it."


_WHOSE = {
    Scope.USER: "Your",
    Scope.CHANNEL: "This channel's",
    Scope.WORKSPACE: "This workspace's",
    Scope.INSTANCE: "The",
}
