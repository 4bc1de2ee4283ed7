"""Between ledger entries and limits, and their rows: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.budget import BudgetAlert, BudgetState, Limit, Window, scope_ids_of
from bot.calls import Purpose, Usage
from bot.caps import Period, Scope
from bot.catalog import Tier
from bot.ledger import CallStatus, LedgerEntry
from bot.messages import ConversationKey
from storage.tables import Columns

_SCOPES = list(Scope)


def to_call_values(entry: LedgerEntry, held_in: Iterable[str]) -> dict[str, Any]:
    """An entry's columns."""
    return {
        "call_id": entry.call_id,
        "turn_id": entry.turn_id,
        "platform": entry.platform,
        "workspace_id": entry.workspace_id,
        "channel_id": entry.channel_id,
        "user_id": entry.user_id,
        "created_at": entry.created_at,
        "held_in": list(held_in),
        "drawn": 0,
        **to_changing_values(entry),
    }


def to_changing_values(entry: LedgerEntry) -> dict[str, Any]:
    """The columns of an entry that may change: by another attempt, and when it is closed."""
    usage = entry.usage
    return {
        "purpose": entry.purpose.value,
        "tier": int(entry.tier),
        "alias": entry.alias,
        "model_id": entry.model_id,
        "status": entry.status.value,
        "attempt": entry.attempt,
        "hold": entry.hold,
        "served_model_id": entry.served_model_id,
        "cost": entry.cost,
        "list_price": entry.list_price,
        "reported_cost": entry.reported_cost,
        "lost_cost": entry.lost_cost,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cached_input_tokens": usage.cached_input_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "is_estimated": usage.is_estimated if usage else False,
        "latency_s": entry.latency_s,
        "first_token_s": entry.first_token_s,
        "finish_reason": entry.finish_reason,
        "text": entry.text,
        "error": entry.error,
        "error_message": entry.error_message,
    }


def to_entry(row: Columns) -> LedgerEntry:
    """A kept entry."""
    return LedgerEntry(
        call_id=row.call_id,
        turn_id=row.turn_id,
        platform=row.platform,
        workspace_id=row.workspace_id,
        channel_id=row.channel_id,
        user_id=row.user_id,
        purpose=Purpose(row.purpose),
        tier=Tier(row.tier),
        alias=row.alias,
        model_id=row.model_id,
        hold=row.hold,
        created_at=row.created_at,
        status=CallStatus(row.status),
        attempt=row.attempt,
        served_model_id=row.served_model_id,
        usage=_to_usage(row),
        cost=row.cost,
        list_price=row.list_price,
        reported_cost=row.reported_cost,
        lost_cost=row.lost_cost,
        latency_s=row.latency_s,
        first_token_s=row.first_token_s,
        finish_reason=row.finish_reason,
        text=row.text,
        error=row.error,
        error_message=row.error_message,
    )


def _to_usage(row: Columns) -> Usage | None:
    if row.input_tokens is None:
        return None
    return Usage(
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens or 0,
        cached_input_tokens=row.cached_input_tokens or 0,
        cache_write_tokens=row.cache_write_tokens or 0,
        reasoning_tokens=row.reasoning_tokens or 0,
        is_estimated=row.is_estimated,
    )


def to_budget_id(limit: Limit) -> str:
    """One budget: its scope first, so that ids can be put in the order of holds."""
    start = limit.window.starts_at.isoformat()
    return f"{limit.scope}|{limit.scope_id}|{limit.window.period}|{start}"


def to_place(limit: Limit) -> dict[str, str]:
    """Whose calls count for a limit, by the names of a ledger entry's fields."""
    own = {Scope.USER: "user_id", Scope.CHANNEL: "channel_id"}.get(limit.scope)
    names = ["platform", "workspace_id", *([own] if own else [])]
    if limit.scope is Scope.INSTANCE:
        return {}
    return dict(zip(names, limit.scope_id.split("/", len(names) - 1), strict=True))


PAYERS = MappingProxyType({scope: f"pays_{scope}" for scope in Scope})


def to_scope_ids(place: LedgerEntry | ConversationKey, user_id: str) -> Mapping[Scope, str]:
    """Whose budgets count what is spent there."""
    return scope_ids_of(place.platform, place.workspace_id, place.channel_id, user_id)


def to_payers(place: LedgerEntry | ConversationKey, user_id: str, at: datetime) -> dict[str, Any]:
    """Whose budgets count what is spent there and then, as a statement's parameters."""
    ids = to_scope_ids(place, user_id)
    return {
        **{name: ids[scope] for scope, name in PAYERS.items()},
        "pays_at": at,
    }


def in_hold_order(budget_ids: Iterable[str]) -> list[str]:
    """The one order in which budgets are written, so that no two calls wait for each other."""
    return sorted(set(budget_ids), key=lambda b: (_SCOPES.index(Scope(b.split("|", 1)[0])), b))


def to_budget_values(limit: Limit, *, spent: int, held: int = 0) -> dict[str, Any]:
    """A budget's columns as it begins."""
    return {
        "budget_id": to_budget_id(limit),
        "scope": limit.scope.value,
        "scope_id": limit.scope_id,
        "period": limit.window.period.value,
        "starts_at": limit.window.starts_at,
        "ends_at": limit.window.ends_at,
        "cap": limit.cap,
        "spent": spent,
        "held": held,
        "alerted_percent": 0,
    }


def to_alert(row: Columns) -> BudgetAlert:
    """The last mark that was said of a kept budget."""
    window = Window(period=Period(row.period), starts_at=row.starts_at, ends_at=row.ends_at)
    limit = Limit(scope=Scope(row.scope), scope_id=row.scope_id, window=window, cap=row.cap)
    state = BudgetState(limit=limit, spent=row.spent, held=row.held)
    return BudgetAlert(state=state, mark=row.alerted_percent)
