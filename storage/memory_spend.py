"""What was spent, added up from the store in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.ledger import LedgerEntry
from bot.spend import Spending, Where, to_spending
from storage.memory_kept import Kept


class MemorySpend:
    """The reports' part of the store in memory."""

    _kept: Kept

    async def spending(self, where: Where, bounds: Sequence[datetime]) -> Spending:
        """What was spent between the bounds, added up."""
        return to_spending(self._calls(where), bounds)

    async def spent_between(self, where: Where, since: datetime, until: datetime) -> int:
        """The total of a stretch, in nano-dollars."""
        return sum(e.spent for e in self._calls(where) if since <= e.created_at < until)

    async def first_call_at(self, where: Where) -> datetime | None:
        """When the first call there was made."""
        everywhere = Where(platform=where.platform, workspace_id=where.workspace_id)
        return min((entry.created_at for entry in self._calls(everywhere)), default=None)

    async def latest_calls(
        self, where: Where, *, before: datetime, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The newest entries before then, newest first, without their texts."""
        found = [entry for entry in self._calls(where) if entry.created_at < before]
        found.sort(key=lambda entry: (entry.created_at, entry.call_id), reverse=True)
        return tuple(replace(entry, text="") for entry in found[:limit])

    async def calls_after(
        self, where: Where, since: datetime, until: datetime, after: LedgerEntry | None, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a stretch that follow one of them, oldest first, without their texts."""
        found = [entry for entry in self._calls(where) if since <= entry.created_at < until]
        if after is not None:
            found = [e for e in found if _position(e) > _position(after)]
        return tuple(replace(e, text="") for e in sorted(found, key=_position)[:limit])

    async def workspaces(self) -> tuple[tuple[str, str], ...]:
        """Every (platform, workspace id) that has called a model."""
        return tuple(sorted({(e.platform, e.workspace_id) for e in self._kept.entries.values()}))

    async def user_names(self, where: Where, user_ids: Iterable[str]) -> dict[str, str]:
        """What people of a workspace were last called, by their ids."""
        wanted = set(user_ids)
        return {
            turn.user_id: turn.user_name
            for turn in sorted(self._kept.turns.values(), key=lambda turn: turn.created_at)
            if (turn.key.platform, turn.key.workspace_id) == (where.platform, where.workspace_id)
            and turn.user_id in wanted
            and turn.user_name
        }

    async def channel_names(self, where: Where, channel_ids: Iterable[str]) -> dict[str, str]:
        """What channels of a workspace were last called, by their ids."""
        keys = {each: (where.platform, where.workspace_id, each) for each in channel_ids if each}
        return {i: self._kept.places[key] for i, key in keys.items() if key in self._kept.places}

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        """What workspaces were last called, by platform and id."""
        places = self._kept.places.items()
        return {(one, other): name for (one, other, channel), name in places if not channel}

    async def turn_decisions(self, turn_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Why each of these turns got its model, in plain values."""
        turns = self._kept.turns
        return {turn_id: dict(turns[turn_id].decision) for turn_id in turn_ids if turn_id in turns}

    def _calls(self, where: Where) -> list[LedgerEntry]:
        return [entry for entry in self._kept.entries.values() if where.holds(entry)]


def _position(entry: LedgerEntry) -> tuple[datetime, str]:
    return entry.created_at, entry.call_id
