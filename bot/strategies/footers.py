"""The small print of an answer, from the ledger's entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.calls import Purpose
from bot.ledger import LedgerEntry
from bot.metering import total_cost
from bot.replies import Footer

_SMALL_WORK = (Purpose.CLASSIFY, Purpose.CHECK, Purpose.SUMMARISE)


def to_footer(entry: LedgerEntry, entries: Sequence[LedgerEntry]) -> Footer:
    """The facts of the call that answered, with the cost and the time of all of these calls."""
    usages = [e.usage for e in entries if e.usage is not None]
    return Footer(
        tier=entry.tier,
        model=served_name(entry),
        tokens=sum(u.input_tokens + u.output_tokens for u in usages),
        cost=total_cost(entries),
        latency_s=_took_s(entries),
        is_estimated=any(u.is_estimated and u.input_tokens for u in usages),
    )


def _took_s(entries: Sequence[LedgerEntry]) -> float:
    """From the beginning of the first call to the end of the last."""
    ends = [e.created_at + timedelta(seconds=e.latency_s or 0.0) for e in entries]
    return (max(ends) - min(e.created_at for e in entries)).total_seconds()


def said_last(entries: Sequence[LedgerEntry]) -> LedgerEntry:
    """The latest call whose text is meant for people; any, when there is none such."""
    return next((e for e in reversed(entries) if e.purpose not in _SMALL_WORK), entries[-1])


def served_name(entry: LedgerEntry) -> str:
    """The alias, unless the provider says that another model has served it."""
    asked = entry.model_id.split("/", 1)[-1]
    served = entry.served_model_id.rsplit("/", 1)[-1]
    is_same = not served or served.startswith(asked.rsplit("/", 1)[-1]) or asked.endswith("latest")
    return entry.alias if is_same else served
