"""Reads what was spent and makes the report of it: for a person, a workspace, a week's digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from bot.budget import limits_for
from bot.caps import InstanceCaps, Scope
from bot.catalog import Catalog
from bot.command_grammar import Command
from bot.digest import Grouping, Report, to_baseline, to_projection, to_report
from bot.ledger import LedgerEntry
from bot.messages import ConversationKey
from bot.periods import DigestWeek, Span, month_left, same_before, stretch_at
from bot.ports import Clock, Store
from bot.replies import Reply
from bot.settings import Settings
from bot.spend import Where, together
from bot.spend_text import MOST_LISTED, to_card, to_text, told_apart
from bot.turns import Turn

_SPANS: Mapping[str, Span] = {"day": Span.TODAY, **{span.value: span for span in Span}}
MOST_NAMED = 50
_LATELY_AT_MOST = timedelta(days=7)
_LATELY_AT_LEAST = timedelta(days=1)


class Reporter:
    """Answers what was spent. No model has a part in it."""

    def __init__(
        self,
        store: Store,
        catalog: Callable[[], Catalog],
        clock: Clock,
        *,
        instance_caps: InstanceCaps,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._instance_caps = instance_caps

    async def spend(self, command: Command, turn: Turn) -> Reply:
        """The `spend` command: an admin sees the workspace, anybody else what is their own."""
        key = turn.key
        everybody = Where(platform=key.platform, workspace_id=key.workspace_id)
        where = everybody if turn.is_admin else replace(everybody, user_id=turn.user_id)
        settings = await self._store.settings(key)
        report = await self.report((where,), self._span(command), settings.zone)
        report = await self._with_budgets(report, key, turn.user_id, settings)
        by = Grouping(command.options["by"]) if "by" in command.options else None
        text = to_text(report, await self.names(where, report), by=by, with_users=turn.is_admin)
        whose = "" if turn.is_admin else "\n\nThis is what you spent here; admins see all of it."
        stacked = Grouping.MODEL if by is Grouping.MODEL else Grouping.TIER
        card = None if report.is_empty else to_card(report, stacked)
        return Reply(text=text + whose, card=card, actions=())

    async def report(self, places: Sequence[Where], span: Span, zone: tzinfo) -> Report:
        """What was spent in a stretch up to now, in all of these places together."""
        now = self._clock.now()
        first = await self._first(places) if span is Span.ALL else None
        stretch = stretch_at(span, now, zone, first)
        before = same_before(stretch, now, zone)
        return to_report(
            together([await self._store.spending(where, stretch.bounds) for where in places]),
            stretch,
            baseline=to_baseline(self._catalog()),
            previous=None if before is None else await self._total(places, *before),
            projection=await self._projection(places, now, zone),
        )

    async def digest(self, where: Where, week: DigestWeek, settings: Settings) -> Report:
        """A whole week of a workspace, compared with the one before, with its budgets."""
        report = to_report(
            await self._store.spending(where, week.stretch.bounds),
            week.stretch,
            baseline=to_baseline(self._catalog()),
            previous=await self._total((where,), *week.before),
            projection=await self._projection((where,), self._clock.now(), settings.zone),
        )
        key = ConversationKey(
            platform=where.platform, workspace_id=where.workspace_id, channel_id="", thread_id=""
        )
        return await self._with_budgets(report, key, None, settings)

    async def names(self, where: Where, report: Report) -> dict[str, str]:
        """What the people and channels that a report lists are called in their own place."""
        users = [share.key for share in report.shares[Grouping.USER][:MOST_LISTED]]
        channels = [share.key for share in report.shares[Grouping.CHANNEL][:MOST_LISTED]]
        names = await self._store.channel_names(where, channels)
        names |= {each: shown for each in channels if (shown := _mention(where.platform, each))}
        return told_apart(names) | told_apart(await self._store.user_names(where, users))

    async def names_elsewhere(
        self, places: Iterable[Where], report: Report, calls: Iterable[LedgerEntry] = ()
    ) -> dict[str, str]:
        """What people and channels are called, the dearest of a report and those of these calls.

        For those who look from outside of the platform.
        """
        users = [share.key for share in report.shares[Grouping.USER][:MOST_NAMED]]
        channels = [share.key for share in report.shares[Grouping.CHANNEL][:MOST_NAMED]]
        for call in calls:
            users.append(call.user_id)
            channels.append(call.channel_id)
        people: dict[str, str] = {}
        rooms: dict[str, str] = {}
        for where in places:
            people |= await self._store.user_names(where, users)
            rooms |= await self._store.channel_names(where, channels)
        return told_apart(rooms) | told_apart(people)

    async def _with_budgets(
        self, report: Report, key: ConversationKey, user_id: str | None, settings: Settings
    ) -> Report:
        limits = limits_for(key, user_id or "", settings, self._instance_caps, self._clock.now())
        shared = (Scope.WORKSPACE, Scope.INSTANCE)
        kept = [limit for limit in limits if user_id is not None or limit.scope in shared]
        return report.with_budgets(await self._store.states(kept))

    async def _total(self, places: Sequence[Where], since: datetime, until: datetime) -> int:
        totals = [await self._store.spent_between(where, since, until) for where in places]
        return sum(totals)

    async def _first(self, places: Sequence[Where]) -> datetime | None:
        found = [await self._store.first_call_at(where) for where in places]
        return min((at for at in found if at is not None), default=None)

    async def _projection(self, places: Sequence[Where], now: datetime, zone: tzinfo) -> int | None:
        """The month's end at the pace of the last days; None before anything was spent."""
        first = await self._first(places)
        if first is None:
            return None
        began, left = month_left(now, zone)
        lately = min(_LATELY_AT_MOST, max(_LATELY_AT_LEAST, now - first))
        so_far = await self._total(places, began, now)
        return to_projection(so_far, await self._total(places, now - lately, now), lately, left)

    def _span(self, command: Command) -> Span:
        return _SPANS[command.options.get("period", Span.WEEK.value)]


def _mention(platform: str, channel_id: str) -> str:
    """A channel as its platform shows it: by its name, whatever that becomes; else nothing."""
    if platform == "slack" and channel_id.startswith("D"):
        return "direct messages"
    return f"<#{channel_id}>" if platform in ("discord", "slack") else ""
