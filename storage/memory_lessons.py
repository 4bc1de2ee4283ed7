"""What opinions have taught, kept in memory."""

from __future__ import annotations

from dataclasses import replace

from bot.lessons import AnsweredTurn, LearnedVersion
from bot.turns import Turn, TurnStatus
from storage.lessons import served_tier
from storage.memory_kept import Kept, place_of


class MemoryLessons:
    """The part of the store in memory from which the router learns."""

    _kept: Kept

    async def answered(self, scope_id: str, limit: int) -> tuple[AnsweredTurn, ...]:
        """The workspace's newest turns that one model answered, oldest first; none forgotten."""
        turns = [
            turn
            for turn in self._kept.turns.values()
            if f"{turn.key.platform}/{turn.key.workspace_id}" == scope_id
            and turn.status is TurnStatus.DONE
            and place_of(turn) not in self._kept.withdrawn
        ]
        newest = sorted(turns, key=lambda turn: turn.created_at)[-limit:]
        return tuple(found for turn in newest if (found := self._to_answered(turn)) is not None)

    def _to_answered(self, turn: Turn) -> AnsweredTurn | None:
        tier = served_tier(turn.decision)
        if tier is None:
            return None
        return AnsweredTurn(
            turn_id=turn.turn_id,
            key=turn.key,
            prompt=turn.prompt,
            tier=tier,
            created_at=turn.created_at,
            marks=sum(v for (id_, _), v in self._kept.feedback.items() if id_ == turn.turn_id),
            retry_of=turn.retry_of,
        )

    async def rated_workspaces(self) -> tuple[str, ...]:
        """The scope ids of all workspaces in which somebody gave an opinion."""
        rated = {turn_id for turn_id, _ in self._kept.feedback}
        keys = [turn.key for turn in self._kept.turns.values() if turn.turn_id in rated]
        return tuple(sorted({f"{key.platform}/{key.workspace_id}" for key in keys}))

    async def learned(self, scope_id: str) -> LearnedVersion | None:
        """The version in use: the newest that was accepted and not withdrawn."""
        versions = await self.learned_versions(scope_id)
        return next((version for version in versions if version.is_usable), None)

    async def learned_versions(self, scope_id: str) -> tuple[LearnedVersion, ...]:
        """All versions, the newest first."""
        own = [v for (scope, _), v in self._kept.learned.items() if scope == scope_id]
        return tuple(sorted(own, key=lambda version: -version.number))

    async def keep_learned(self, version: LearnedVersion) -> bool:
        """Keep a version; False when another process has kept one of that number."""
        place = (version.scope_id, version.number)
        return self._kept.learned.setdefault(place, version) is version

    async def withdraw_learned(self, scope_id: str, number: int) -> None:
        """Roll a version back: the one before it is in use again."""
        known = self._kept.learned.get((scope_id, number))
        if known is not None:
            self._kept.learned[scope_id, number] = replace(known, is_withdrawn=True)
