"""What was spent, added up: one line for the calls that agree in all that a report groups by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.calls import Purpose
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry


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
class SpendLine:
    """Calls that agree in part, tier, model, purpose, place, person and outcome; nano-dollars."""

    part: int
    """Which part of the stretch they were made in, from 0."""
    tier: Tier
    alias: str
    purpose: Purpose
    channel_id: str
    user_id: str
    status: CallStatus
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


def to_lines(entries: Iterable[LedgerEntry], bounds: Sequence[datetime]) -> tuple[SpendLine, ...]:
    """Add up entries; those outside the bounds are left out."""
    lines: dict[SpendLine, SpendLine] = {}
    for entry in entries:
        if bounds[0] <= entry.created_at < bounds[-1]:
            key = _key(entry, bisect_right(bounds, entry.created_at) - 1)
            lines[key] = _with(lines.get(key, key), entry)
    return tuple(lines.values())


def _key(entry: LedgerEntry, part: int) -> SpendLine:
    return SpendLine(
        part=part,
        tier=entry.tier,
        alias=entry.alias,
        purpose=entry.purpose,
        channel_id=entry.channel_id,
        user_id=entry.user_id,
        status=entry.status,
    )


def _with(line: SpendLine, entry: LedgerEntry) -> SpendLine:
    usage = entry.usage
    is_unpriced = entry.cost is None and usage is not None
    return replace(
        line,
        calls=line.calls + 1,
        unpriced=line.unpriced + is_unpriced,
        cost=line.cost + (entry.cost or 0),
        lost_cost=line.lost_cost + entry.lost_cost,
        input_tokens=line.input_tokens + (usage.input_tokens if usage else 0),
        cached_input_tokens=line.cached_input_tokens + (usage.cached_input_tokens if usage else 0),
        output_tokens=line.output_tokens + (usage.output_tokens if usage else 0),
    )
