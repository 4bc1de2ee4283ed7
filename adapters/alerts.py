"""Tells those who pay that a budget is low or used up: in the digest's channel, else directly.

The answer in which a mark was reached says so where it was asked, and the store notes it. Who
looks first of all processes brings it to the admins. One person's own budget is theirs alone.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from adapters.announcing import Admins, Announcement, Announcers
from bot.budget import USED_UP_PERCENT, BudgetAlert, Limit, alert_message
from bot.caps import CapSpec, Scope
from bot.errors import BotError, DeliveryError
from bot.ports import Clock, Preferences
from bot.settings import resolve
from storage.digests import DigestClaim

logger = logging.getLogger(__name__)


class AlertStore(Preferences, Protocol):
    """The store, as far as alerts need it."""

    async def alerts_said(self, now: datetime) -> tuple[BudgetAlert, ...]:
        """The last mark said of each limit that is no one person's, in the windows of now."""

    async def claim_digest(self, scope_id: str, week: str, at: datetime) -> DigestClaim | None:
        """Claim what is posted once for a place; None when somebody has it, or had."""

    async def end_digest(self, claim: DigestClaim, at: datetime) -> None:
        """Keep that it was posted."""

    async def workspaces(self) -> tuple[tuple[str, str], ...]:
        """Every (platform, workspace id) that has called a model."""


class BudgetAlerts:
    """Looks for marks that were said in an answer, and brings each to the admins once."""

    def __init__(
        self, store: AlertStore, announcers: Announcers, admins: Admins, clock: Clock
    ) -> None:
        self._store = store
        self._announcers = announcers
        self._admins = admins
        self._clock = clock
        self._settled: set[str] = set()
        """What was brought from here: not asked for again."""

    async def post_due(self) -> int:
        """Bring what is due; returns how many alerts there were."""
        brought = 0
        for alert in await self._store.alerts_said(self._clock.now()):
            if to_key(alert) not in self._settled and self._is_ours(alert.state.limit):
                try:
                    brought += await self._try(alert)
                except BotError:  # its claim lapses, and then it is tried again
                    logger.exception("an alert failed", extra={"alert": to_key(alert)})
        return brought

    def _is_ours(self, limit: Limit) -> bool:
        """Whether a platform on which somebody can be told is connected here."""
        platform = limit.scope_id.partition("/")[0]
        return platform in self._announcers() if platform else bool(self._announcers())

    async def _try(self, alert: BudgetAlert) -> bool:
        key = to_key(alert)
        limit = alert.state.limit
        claim = await self._store.claim_digest(f"alert:{limit.scope_id}", key, self._clock.now())
        if claim is None:
            return False
        if limit.scope is Scope.INSTANCE:
            reached = await self._tell_everywhere(alert)
        else:
            reached = await self._tell_place(alert)
        await self._store.end_digest(claim, self._clock.now())
        self._settled.add(key)
        logger.warning(
            "a budget is used up" if alert.mark == USED_UP_PERCENT else "a budget is low",
            extra={"scope": limit.scope.value, "scope_id": limit.scope_id, "told": reached},
        )
        return True

    async def _tell_everywhere(self, alert: BudgetAlert) -> int:
        """The whole instance's budget is for the admins of the configuration."""
        text = alert_message(alert, "The whole bot's")
        known = dict(await self._store.workspaces())
        told = [
            await self._admins.tell(platform, known.get(platform, ""), text, setters={})
            for platform in self._announcers()
        ]
        return sum(told)

    async def _tell_place(self, alert: BudgetAlert) -> int:
        limit = alert.state.limit
        platform, workspace_id, *channel = limit.scope_id.split("/", 2)
        scopes = list(dict.fromkeys([f"{platform}/{workspace_id}", limit.scope_id]))
        settings = resolve([await self._store.settings_of(scope) for scope in scopes])
        whose = f"<#{channel[0]}>'s" if channel else "This workspace's"
        text = alert_message(alert, whose)
        if settings.digest_channel:
            announcement = Announcement(
                post_id=f"alert:{to_key(alert)}:p1",
                workspace_id=workspace_id,
                channel_id=settings.digest_channel,
                text=text,
            )
            try:
                await self._announcers()[platform].announce(announcement)
            except DeliveryError as error:
                logger.warning("an alert could not be posted", extra={"error": str(error)})
            else:
                return 1
        cap = CapSpec(scope=limit.scope, period=limit.window.period)
        setters = {limit.scope_id: cap.name}
        return await self._admins.tell(platform, workspace_id, text, setters=setters)


def to_key(alert: BudgetAlert) -> str:
    """One mark of one cap in one window."""
    limit = alert.state.limit
    window = limit.window
    place = f"{limit.scope}:{limit.scope_id}:{window.period}:{window.starts_at:%Y-%m-%d}"
    return f"{place}:{limit.cap}:{alert.mark}"
