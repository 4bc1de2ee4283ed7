"""Posts each workspace's weekly digest, once, whoever else tries to.

APScheduler is only the clock that says when to look: what is due is worked out from the settings,
and whose turn it is from a claim in the store. So it does not matter how many processes look, how
long none did, or what the clocks were changed to.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # it has no types
    AsyncIOScheduler,
)
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]  # as above

from adapters.announcing import Admins, Announcement, Announcers
from bot.digest import Report
from bot.errors import BotError, DeliveryError
from bot.periods import DigestWeek, digest_week
from bot.ports import Clock, Store
from bot.reporting import Reporter
from bot.setting_values import WEEKDAYS
from bot.settings import Settings, resolve
from bot.spend import Where
from bot.spend_text import to_card, to_text
from storage.digests import DigestClaim

SOON, LATER = timedelta(minutes=5), timedelta(hours=1)
"""When a digest that could not be posted is tried again: once soon, then until the next is due."""
TELL_AT_ATTEMPT = 2
"""A fault that has passed by then is nobody's worry."""
_SETTING = "digest_channel"
logger = logging.getLogger(__name__)


class DigestStore(Store, Protocol):
    """The store, as far as digests need it."""

    async def places_with(self, name: str) -> dict[str, str]:
        """Where a setting is made, and what it says there, by scope id."""

    async def claim_digest(self, scope_id: str, week: str, at: datetime) -> DigestClaim | None:
        """Claim a workspace's digest of a local week; None when somebody has it, or had."""

    async def end_digest(self, claim: DigestClaim, at: datetime) -> None:
        """Keep that a digest was posted, or that there was nothing to post."""

    async def postpone_digest(self, claim: DigestClaim, until: datetime, error: str) -> None:
        """Keep that a digest could not be posted, and when it may be tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """One workspace's digest that should be out."""

    where: Where
    scope_id: str
    """Where its channel was set, and by whom."""
    settings: Settings
    week: DigestWeek

    @property
    def workspace(self) -> str:
        return f"{self.where.platform}/{self.where.workspace_id}"


class Digests:
    """Looks for digests that are due, and posts those that nobody has posted."""

    def __init__(
        self,
        *,
        store: DigestStore,
        reporter: Reporter,
        announcers: Announcers,
        clock: Clock,
        admins: Admins,
    ) -> None:
        self._store = store
        self._reporter = reporter
        self._announcers = announcers
        self._clock = clock
        self._admins = admins
        self._settled: dict[str, str] = {}
        """The latest week of each workspace that is known to be out: not asked for again."""

    async def post_due(self) -> int:
        """Post what is due now; returns how many digests were posted."""
        posted = 0
        for scope_id in await self._places():
            try:
                due = await self._due_at(scope_id)
                if self._settled.get(due.workspace) != due.week.key:
                    posted += await self._try(due)
            except BotError:  # one workspace's trouble is not the others'
                logger.exception("a digest failed", extra={"scope_id": scope_id})
        return posted

    async def _places(self) -> list[str]:
        """Where digests are set up, one place for each workspace that can be posted to."""
        places: dict[str, str] = {}
        for scope_id, channel in sorted((await self._store.places_with(_SETTING)).items()):
            workspace = "/".join(scope_id.split("/")[:2])
            if scope_id.split("/")[0] in self._announcers() and channel:
                places.setdefault(workspace, scope_id)  # the workspace's own comes first
        return list(places.values())

    async def _due_at(self, scope_id: str) -> _Due:
        platform, workspace_id = scope_id.split("/")[:2]
        layers = [f"{platform}/{workspace_id}", scope_id]
        settings = resolve([await self._store.settings_of(layer) for layer in layers])
        weekday = WEEKDAYS.index(settings.digest_weekday)
        now = self._clock.now()
        return _Due(
            where=Where(platform=platform, workspace_id=workspace_id),
            scope_id=scope_id,
            settings=settings,
            week=digest_week(now, weekday, settings.digest_time, settings.zone),
        )

    async def _try(self, due: _Due) -> bool:
        """Claim a digest and post it; a failure is kept, told to the admins, and tried again."""
        if not due.settings.digest_channel:
            return False
        claim = await self._store.claim_digest(due.workspace, due.week.key, self._clock.now())
        if claim is None:
            return False
        try:
            report = await self._reporter.digest(due.where, due.week, due.settings)
            if not report.is_empty:
                await self._announce(due, report)
        except DeliveryError as error:
            await self._postpone(due, claim, error)
            return False
        await self._store.end_digest(claim, self._clock.now())
        self._settled[due.workspace] = due.week.key
        logger.info(
            "digest over",
            extra={"workspace": due.workspace, "week": due.week.key, "cost": report.spent},
        )
        return not report.is_empty

    async def _announce(self, due: _Due, report: Report) -> None:
        names = await self._reporter.names(due.where, report)
        text = to_text(
            report, names, before="the week before", with_users=due.settings.digest_users
        )
        await self._announcers()[due.where.platform].announce(
            Announcement(
                post_id=f"digest:{due.workspace}:{due.week.key}:p1",
                workspace_id=due.where.workspace_id,
                channel_id=due.settings.digest_channel,
                text=text,
                card=to_card(report),
            )
        )

    async def _postpone(self, due: _Due, claim: DigestClaim, error: DeliveryError) -> None:
        logger.warning(
            "a digest could not be posted",
            extra={"workspace": due.workspace, "week": due.week.key, "error": str(error)},
        )
        wait = SOON if claim.attempt == 1 else LATER
        await self._store.postpone_digest(claim, self._clock.now() + wait, str(error))
        if claim.attempt == TELL_AT_ATTEMPT:
            await self._tell_admins(due, error)

    async def _tell_admins(self, due: _Due, error: DeliveryError) -> None:
        text = (
            f"I could not post the spend of {due.week.stretch.title} in "
            f"<#{due.settings.digest_channel}>: {error} I try again every hour. "
            "`settings workspace digest_channel` sets another channel, or none."
        )
        await self._admins.tell(
            due.where.platform, due.where.workspace_id, text, setters={due.scope_id: _SETTING}
        )


class Lookout(Protocol):
    """Looks for what is due now and then."""

    async def post_due(self) -> int:
        """Do what is due; returns how much it was."""


@asynccontextmanager
async def run_lookouts(*lookouts: Lookout) -> AsyncIterator[None]:
    """Look at once and then every minute, for as long as the context lasts."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_job(
        _look,
        CronTrigger(second=0, timezone="UTC"),
        args=(lookouts,),
        coalesce=True,
        misfire_grace_time=None,
        max_instances=1,
        next_run_time=datetime.now(scheduler.timezone),
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


async def _look(lookouts: Iterable[Lookout]) -> None:
    """The edge of a tick: whatever goes wrong is noted, and the next tick looks again."""
    for lookout in lookouts:
        try:
            await lookout.post_due()
        except Exception:
            logger.exception("what is due could not be done")
