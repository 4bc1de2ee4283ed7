"""Refits each workspace's router on its own opinions: by command, and every night where it learns.

Whose refit it is, is settled by the version's number in the store: of several processes one keeps
its own, the others' are thrown away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from bot.difficulty import Estimator
from bot.difficulty.learned import to_bytes
from bot.difficulty.learning import MIN_MARKS, RefitReport, refit
from bot.lessons import (
    MOST_TURNS,
    AnsweredTurn,
    LearnedVersion,
    has_news,
    teaching,
    to_rated_turns,
    to_report,
)
from bot.ports import Clock, Store
from bot.settings import parse_setting, resolve

HOUR: Final = 3
"""When the night's refits are due, in the workspace's zone."""
_LEFT = "Too few opinions are left of those it was made from, so the shipped model is used again."
logger = logging.getLogger(__name__)


class LessonStore(Store, Protocol):
    """The store, as far as teaching needs it."""

    async def places_with(self, name: str) -> dict[str, str]:
        """Where a setting is made, and what it says there, by scope id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What came of a refit."""

    scope_id: str
    report: str
    version: LearnedVersion | None
    """None when there was too little to learn from."""


class Teacher:
    """Refits workspaces, one at a time, in a thread."""

    def __init__(
        self,
        store: LessonStore,
        estimator: Estimator,
        clock: Clock,
        aliases: Callable[[], Collection[str]],
    ) -> None:
        """`aliases` are those that may stand in a prompt as a tag."""
        self._store = store
        self._estimator = estimator
        self._clock = clock
        self._aliases = aliases
        self._looked: dict[str, date] = {}

    async def refit(self, scope_id: str) -> Lesson:
        """Refit a workspace on all that its places let teach, and keep what came of it."""
        return await self._refit(scope_id, await self._answered(scope_id, by_default=True))

    async def roll_back(self, scope_id: str) -> LearnedVersion | None:
        """Take the version in use back; returns it, None when the shipped model is in use."""
        version = await self._store.learned(scope_id)
        if version is not None:
            await self._store.withdraw_learned(scope_id, version.number)
        return version

    async def post_due(self) -> int:
        """Refit the workspaces whose night it is; returns how many were."""
        done = 0
        for scope_id in await self._learners():
            done += await self._nightly(scope_id)
        return done

    async def _learners(self) -> list[str]:
        """The workspaces that learn, somewhere at least."""
        places = await self._store.places_with("learn")
        on = [scope for scope, text in places.items() if parse_setting("learn", text)]
        return sorted({"/".join(scope.split("/")[:2]) for scope in on})

    async def _nightly(self, scope_id: str) -> bool:
        zone = resolve([await self._store.settings_of(scope_id)]).zone
        here = self._clock.now().astimezone(zone)
        if here.hour < HOUR or self._looked.get(scope_id) == here.date():
            return False
        self._looked[scope_id] = here.date()
        newest = next(iter(await self._store.learned_versions(scope_id)), None)
        if newest is not None and newest.created_at.astimezone(zone).date() == here.date():
            return False
        answered = await self._answered(scope_id, by_default=False)
        if not has_news(answered, newest, self._aliases()):
            return False
        lesson = await self._refit(scope_id, answered)
        logger.info(
            "the router was refitted",
            extra={"scope_id": scope_id, "version": lesson.version and lesson.version.version},
        )
        return True

    async def _answered(self, scope_id: str, *, by_default: bool) -> tuple[AnsweredTurn, ...]:
        answered = await self._store.answered(scope_id, MOST_TURNS)
        places = await self._store.places_with("learn")
        return teaching(answered, places, by_default=by_default)

    async def _refit(self, scope_id: str, answered: Sequence[AnsweredTurn]) -> Lesson:
        versions = await self._store.learned_versions(scope_id)
        number = versions[0].number + 1 if versions else 1
        data, report, name = await asyncio.to_thread(self._fit, answered, number)
        if report.marks < MIN_MARKS:
            return await self._too_little(scope_id, versions, report)
        version = LearnedVersion(
            scope_id=scope_id,
            number=number,
            version=name,
            data=data,
            marks=report.marks,
            report=to_report(report),
            created_at=self._clock.now(),
            is_accepted=report.is_accepted,
        )
        if not await self._store.keep_learned(version):
            return Lesson(
                scope_id=scope_id, report="Another process has just done this.", version=None
            )
        return Lesson(scope_id=scope_id, report=version.report, version=version)

    async def _too_little(
        self, scope_id: str, versions: Sequence[LearnedVersion], report: RefitReport
    ) -> Lesson:
        """What was learned from opinions that are forgotten by now is not used any longer."""
        stale = [v for v in versions if v.is_usable and v.marks > report.marks]
        for version in stale:
            await self._store.withdraw_learned(scope_id, version.number)
        said = f"{to_report(report)}\n{_LEFT}" if stale else to_report(report)
        return Lesson(scope_id=scope_id, report=said, version=None)

    def _fit(self, answered: Sequence[AnsweredTurn], number: int) -> tuple[bytes, RefitReport, str]:
        rated = to_rated_turns(answered, self._estimator, self._aliases())
        learned, report = refit(self._estimator, rated, number)
        return to_bytes(learned), report, learned.version
