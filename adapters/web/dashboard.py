"""The page of spend: what was spent, by whom and on what, for whoever runs this Parley.

It needs no script: filters are a form, pictures are inline, each with its table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.ledger_csv import to_csv
from adapters.web.dashboard_views import Chosen, Found, to_page, to_workspace_labels
from adapters.web.pages import Pages
from bot.budget import BudgetState, limits_for
from bot.caps import InstanceCaps
from bot.digest import Grouping
from bot.features import Feature, purposes_of
from bot.ledger import LedgerEntry
from bot.messages import ConversationKey
from bot.periods import Span, stretch_at
from bot.ports import Clock, Store
from bot.reporting import Reporter
from bot.settings import Settings
from bot.spend import Where

LATEST = 25
DASHBOARD_PATH, CSV_PATH = "/spend", "/spend.csv"


class DashboardStore(Store, Protocol):
    """The store, as far as the page needs it."""

    async def workspaces(self) -> tuple[tuple[str, str], ...]:
        """Every (platform, workspace id) that has called a model."""

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        """What workspaces were last called, by platform and id."""

    async def latest_calls(
        self, where: Where, *, before: datetime, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The newest entries before then, newest first."""

    async def calls_after(
        self, where: Where, since: datetime, until: datetime, after: LedgerEntry | None, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a stretch that follow one of them, oldest first."""

    async def turn_decisions(self, turn_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Why each of these turns got its model, in plain values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Answers for the page and the CSV."""

    store: DashboardStore
    reporter: Reporter
    clock: Clock
    instance_caps: InstanceCaps
    pages: Pages = field(default_factory=Pages)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route(DASHBOARD_PATH, self.show), Route(CSV_PATH, self.download)]

    async def show(self, request: Request) -> Response:
        """The page."""
        chosen, places = await self._chosen(request.query_params)
        settings = await self._settings(chosen)
        report = await self.reporter.report(places, chosen.span, settings.zone)
        calls = await self._latest(places)
        found = Found(
            report=report,
            workspaces=to_workspace_labels(
                await self.store.workspaces(), await self.store.workspace_names()
            ),
            budgets=await self._budgets(chosen, settings),
            calls=calls,
            decisions=await self.store.turn_decisions([call.turn_id for call in calls]),
            names=await self.reporter.names_elsewhere(places, report, calls),
            zone=settings.zone,
        )
        page = self.pages.page("spend.html", **to_page(chosen, found))
        return HTMLResponse(page)

    async def download(self, request: Request) -> Response:
        """The calls of what is chosen, as CSV."""
        chosen, places = await self._chosen(request.query_params)
        settings = await self._settings(chosen)
        first = [await self.store.first_call_at(where) for where in places]
        known = [at for at in first if at is not None]
        stretch = stretch_at(chosen.span, self.clock.now(), settings.zone, min(known, default=None))
        name = f"parley-{chosen.span.value}-{stretch.since:%Y-%m-%d}.csv"
        return StreamingResponse(
            to_csv(self.store, places, stretch.since, stretch.until),
            status_code=HTTPStatus.OK,
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    async def _chosen(self, query: QueryParams) -> tuple[Chosen, list[Where]]:
        """What the address asks for; what it names that is not there is left out."""
        known = await self.store.workspaces()
        place = query.get("workspace", "")
        span = query.get("period", "")
        feature = query.get("feature", "")
        chosen = Chosen(
            span=Span(span) if span in list(Span) else Span.WEEK,
            workspace=place if tuple(place.split("/", 1)) in known else "",
            user=query.get("user", ""),
            channel=query.get("channel", ""),
            feature=feature if feature in list(Feature) else "",
            by=Grouping.MODEL if query.get("by") == Grouping.MODEL else Grouping.TIER,
        )
        places = [
            _narrowed(Where(platform=platform, workspace_id=workspace_id), chosen)
            for platform, workspace_id in known
            if chosen.workspace in ("", f"{platform}/{workspace_id}")
        ]
        return chosen, places

    async def _settings(self, chosen: Chosen) -> Settings:
        """A workspace's own; for all of them, what holds without any."""
        key = _key(chosen)
        return await self.store.settings(key) if chosen.workspace else Settings()

    async def _budgets(self, chosen: Chosen, settings: Settings) -> tuple[BudgetState, ...]:
        now = self.clock.now()
        limits = limits_for(_key(chosen), chosen.user, settings, self.instance_caps, now)
        shown = {"user": bool(chosen.user), "channel": bool(chosen.channel)}
        kept = [limit for limit in limits if shown.get(limit.scope.value, True)]
        return await self.store.states(kept)

    async def _latest(self, places: Sequence[Where]) -> list[LedgerEntry]:
        now = self.clock.now()
        calls = [
            call
            for where in places
            for call in await self.store.latest_calls(where, before=now, limit=LATEST)
        ]
        return sorted(calls, key=lambda call: call.created_at, reverse=True)[:LATEST]


def _narrowed(where: Where, chosen: Chosen) -> Where:
    return replace(
        where,
        user_id=chosen.user or None,
        channel_id=chosen.channel or None,
        purposes=purposes_of(Feature(chosen.feature)) if chosen.feature else None,
    )


def _key(chosen: Chosen) -> ConversationKey:
    platform, _, workspace_id = chosen.workspace.partition("/")
    return ConversationKey(
        platform=platform, workspace_id=workspace_id, channel_id=chosen.channel, thread_id=""
    )
