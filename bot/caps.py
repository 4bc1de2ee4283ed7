"""Which caps there are: whose money, for how long, and the setting that holds each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


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

    @property
    def adverb(self) -> str:
        """How often that is."""
        return {"day": "daily", "week": "weekly", "month": "monthly"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The caps in force for one conversation, in nano-dollars; None for no cap."""

    user_daily_cap: int | None = None
    user_weekly_cap: int | None = None
    user_monthly_cap: int | None = None
    channel_daily_cap: int | None = None
    channel_weekly_cap: int | None = None
    channel_monthly_cap: int | None = None
    workspace_daily_cap: int | None = None
    workspace_weekly_cap: int | None = None
    workspace_monthly_cap: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapSpec:
    """One cap that people can set."""

    scope: Scope
    period: Period

    @property
    def name(self) -> str:
        """Its setting, a field of Caps."""
        return f"{self.scope}_{self.period.adverb}_cap"

    @property
    def place(self) -> str:
        """Where it is set when nobody says where: each person's for the whole workspace."""
        return "channel" if self.scope is Scope.CHANNEL else "workspace"

    @property
    def about(self) -> str:
        """What it limits, in words."""
        return f"{_WHOSE[self.scope]}, each {self.period}"

    def of(self, caps: Caps) -> int | None:
        """How much it allows there."""
        cap: int | None = getattr(caps, self.name)
        return cap


InstanceCaps = Mapping[Period, int]
"""What the whole instance may spend in each period, in nano-dollars."""
NO_CAPS: InstanceCaps = MappingProxyType({})
_WHOSE: Mapping[Scope, str] = MappingProxyType(
    {Scope.USER: "each person", Scope.CHANNEL: "a channel", Scope.WORKSPACE: "all of it"}
)
CAPS: Mapping[str, CapSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (CapSpec(scope=scope, period=period) for scope in _WHOSE for period in Period)
    }
)
"""By the names of their settings, in the order of holds."""
USUAL_PERIODS: Mapping[Scope, Period] = MappingProxyType(
    {Scope.USER: Period.DAY, Scope.CHANNEL: Period.MONTH, Scope.WORKSPACE: Period.MONTH}
)
"""For how long a cap holds when nobody says so."""


def env_name(period: Period) -> str:
    """What sets the whole instance's cap."""
    return f"PARLEY_{period.adverb.upper()}_CAP_USD"
