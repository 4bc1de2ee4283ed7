"""The ledger as CSV, page by page: a ledger of any size takes no more memory than one page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bot.features import feature_of, step_of
from bot.ledger import LedgerEntry
from bot.money import NANOUSD
from bot.spend import Where

PAGE = 1_000
COLUMNS = (
    "created_at",
    "platform",
    "workspace_id",
    "workspace",
    "channel_id",
    "channel",
    "user_id",
    "user",
    "turn_id",
    "call_id",
    "feature",
    "step",
    "tier",
    "alias",
    "model_id",
    "served_model_id",
    "status",
    "attempt",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "is_estimated",
    "cost_usd",
    "list_price_usd",
    "reported_cost_usd",
    "lost_cost_usd",
    "latency_s",
    "first_token_s",
    "error",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceNames:
    """What is called how in one workspace, as far as it is known."""

    workspace: str = ""
    channels: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)


class Calls(Protocol):
    """What is asked of the store."""

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        """What workspaces were last called, by platform and id."""

    async def channel_names(self, where: Where, channel_ids: Iterable[str]) -> dict[str, str]:
        """What channels of a workspace were last called."""

    async def user_names(self, where: Where, user_ids: Iterable[str]) -> dict[str, str]:
        """What people of a workspace were last called."""

    async def calls_after(
        self, where: Where, since: datetime, until: datetime, after: LedgerEntry | None, limit: int
    ) -> tuple[LedgerEntry, ...]:
        """The entries of a stretch that follow one of them, oldest first."""


async def to_csv(
    store: Calls, places: Sequence[Where], since: datetime, until: datetime
) -> AsyncIterator[str]:
    """The header, then one line for each call, oldest first in each place."""
    yield _lines([COLUMNS])
    workspaces = await store.workspace_names()
    for where in places:
        names = PlaceNames(workspace=workspaces.get((where.platform, where.workspace_id), ""))
        last: LedgerEntry | None = None
        while page := await store.calls_after(where, since, until, last, PAGE):
            await _learn(names, store, where, page)
            yield _lines([to_row(entry, names) for entry in page])
            last = page[-1]


async def _learn(
    names: PlaceNames, store: Calls, where: Where, page: Sequence[LedgerEntry]
) -> None:
    """Ask for the names that are not known yet."""
    users = {entry.user_id for entry in page} - set(names.users)
    channels = {entry.channel_id for entry in page} - set(names.channels)
    names.users.update(dict.fromkeys(users, "") | await store.user_names(where, users))
    names.channels.update(dict.fromkeys(channels, "") | await store.channel_names(where, channels))


def to_row(entry: LedgerEntry, names: PlaceNames) -> tuple[str, ...]:
    """One call; dollars exactly, and nothing where the price is not known."""
    usage = entry.usage
    values = (
        entry.created_at.isoformat(),
        entry.platform,
        entry.workspace_id,
        names.workspace,
        entry.channel_id,
        names.channels.get(entry.channel_id),
        entry.user_id,
        names.users.get(entry.user_id),
        entry.turn_id,
        entry.call_id,
        feature_of(entry.purpose).value,
        step_of(entry.purpose),
        entry.tier.label,
        entry.alias,
        entry.model_id,
        entry.served_model_id,
        entry.status.value,
        entry.attempt,
        usage.input_tokens if usage else None,
        usage.cached_input_tokens if usage else None,
        usage.cache_write_tokens if usage else None,
        usage.output_tokens if usage else None,
        usage.reasoning_tokens if usage else None,
        usage.is_estimated if usage else None,
        to_usd(entry.cost),
        to_usd(entry.list_price),
        to_usd(entry.reported_cost),
        to_usd(entry.lost_cost),
        entry.latency_s,
        entry.first_token_s,
        entry.error,
    )
    return tuple("" if value is None else _inert(str(value)) for value in values)


def to_usd(nanousd: int | None) -> str | None:
    """Dollars with all their digits; None when the price is not known."""
    return None if nanousd is None else f"{Decimal(nanousd) / NANOUSD:f}"


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    is_formula = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if is_formula else text


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
