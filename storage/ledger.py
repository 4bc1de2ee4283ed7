"""The ledger and its budgets. Every hold is one guarded update for each budget, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, text
from sqlalchemy.orm import defer
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.budget import (
    BudgetAlert,
    BudgetState,
    Limit,
    Scope,
    tightest,
    to_alerts,
    to_exceeded_error,
)
from bot.ledger import CallStatus, LedgerEntry
from bot.turns import TurnStatus
from storage.convert import (
    in_hold_order,
    to_alert,
    to_budget_id,
    to_budget_row,
    to_call_row,
    to_call_values,
    to_entry,
    to_place,
)
from storage.database import Database
from storage.tables import BudgetRow, LlmCallRow, TurnRow

_KEPT = (CallStatus.DONE.value, CallStatus.FAILED.value)
_OPEN = CallStatus.OPEN.value


class _NoRoomError(Exception):
    """A budget has no room; the transaction is rolled back."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What an earlier attempt that was cut off still holds, and in which budgets."""

    amount: int = 0
    budget_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, row: LlmCallRow | None) -> _Held:
        if row is None or row.status != _OPEN or not row.hold:
            return cls()
        return cls(row.hold, frozenset(row.held_in))


class SqlLedger:
    """The ledger's part of the store."""

    _db: Database

    async def open(self, entry: LedgerEntry, limits: Sequence[Limit]) -> LedgerEntry:
        """Open an entry and hold its amount in every limit, in one commit."""
        try:
            async with self._db.write() as session:
                row = await session.get(LlmCallRow, entry.call_id, with_for_update=True)
                if row is not None and row.status in _KEPT:
                    return to_entry(row)
                earlier = _Held.of(row)
                held_in = in_hold_order(to_budget_id(limit) for limit in limits)
                if row is None:
                    session.add(to_call_row(entry, held_in))
                    opened = entry
                else:
                    opened = _reopen(row, entry, held_in)
                await session.flush()  # the budgets last: everybody waits for them
                await self._hold(session, earlier, entry.hold, limits)
                return opened
        except _NoRoomError as error:
            states = await self.states(limits)
            state = tightest(states)
            if state is None:
                raise
            raise to_exceeded_error(state) from error

    async def close(self, entry: LedgerEntry) -> bool:
        """Settle an open entry in the limits of its hold."""
        async with self._db.write() as session:
            row = await session.get(LlmCallRow, entry.call_id, with_for_update=True)
            if row is None or row.status != _OPEN or row.attempt != entry.attempt:
                return False
            settled = replace(entry, hold=row.hold, lost_cost=row.lost_cost)
            row.sqlmodel_update(to_call_values(settled))
            await session.flush()
            await _settle(session, row.held_in, hold=row.hold, spent=entry.cost or 0)
            return True

    async def states(self, limits: Sequence[Limit]) -> tuple[BudgetState, ...]:
        """How much of each limit is spent and held."""
        if not limits:
            return ()
        async with self._db.read() as session:
            rows = {row.budget_id: row for row in await _budgets(session, limits)}
            return tuple(
                [await _to_state(session, limit, rows.get(to_budget_id(limit))) for limit in limits]
            )

    async def claim_alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[BudgetAlert, ...]:
        """The marks that were come to and not said in their window; notes them as said."""
        reached = to_alerts(await self.states(limits), is_used_up=is_used_up)
        if not reached:
            return ()
        by_id = {to_budget_id(alert.state.limit): alert for alert in reached}
        async with self._db.write() as session:
            claimed = [
                by_id[budget_id]
                for budget_id in in_hold_order(by_id)
                if await self._claim_alert(session, by_id[budget_id])
            ]
        return tuple(claimed)

    async def _claim_alert(self, session: AsyncSession, alert: BudgetAlert) -> bool:
        limit = alert.state.limit
        if await session.get(BudgetRow, to_budget_id(limit)) is None:
            await self._insert_budget(session, limit)  # its first call was refused
        is_new = or_(col(BudgetRow.alerted_percent) < alert.mark, col(BudgetRow.cap) != limit.cap)
        statement = (
            update(BudgetRow)
            .where(col(BudgetRow.budget_id) == to_budget_id(limit), is_new)
            .values(alerted_percent=alert.mark, cap=limit.cap)
        )
        return bool((await session.exec(statement)).rowcount)

    async def alerts_said(self, now: datetime) -> tuple[BudgetAlert, ...]:
        """The last mark said of each limit that is no one person's, in the windows of now."""
        statement = select(BudgetRow).where(
            text("alerted_percent > 0"),  # literally, so that the small index serves
            col(BudgetRow.ends_at) > now,
            col(BudgetRow.starts_at) <= now,
            col(BudgetRow.scope) != Scope.USER.value,
        )
        async with self._db.read() as session:
            return tuple(to_alert(row) for row in await session.exec(statement))

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The entries of one turn, oldest first."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(LlmCallRow)
                .where(LlmCallRow.turn_id == turn_id)
                .order_by(col(LlmCallRow.created_at), col(LlmCallRow.call_id))
            )
            return tuple(to_entry(row) for row in rows)

    async def entries_between(
        self, platform: str, workspace_id: str, since: datetime, until: datetime
    ) -> tuple[LedgerEntry, ...]:
        """A workspace's entries from `since` up to `until`, oldest first, without their texts."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(LlmCallRow)
                .options(defer(LlmCallRow.text))  # type: ignore[arg-type]  # a column, to sqlmodel a str
                .where(LlmCallRow.platform == platform, LlmCallRow.workspace_id == workspace_id)
                .where(LlmCallRow.created_at >= since, LlmCallRow.created_at < until)
                .order_by(col(LlmCallRow.created_at))
            )
            return tuple(to_entry(_without_text(row)) for row in rows)

    async def _hold(
        self, session: AsyncSession, earlier: _Held, hold: int, limits: Sequence[Limit]
    ) -> None:
        """Take the new hold, turning an earlier open attempt's hold into what is spent."""
        new = {to_budget_id(limit): limit for limit in limits}
        for budget_id in in_hold_order(earlier.budget_ids | set(new)):
            limit = new.get(budget_id)
            released = earlier.amount if budget_id in earlier.budget_ids else 0
            if limit is None:
                await _settle(session, [budget_id], hold=released, spent=released)
            elif not await self._take(session, limit, hold=hold, released=released):
                raise _NoRoomError

    async def _take(self, session: AsyncSession, limit: Limit, *, hold: int, released: int) -> bool:
        """Hold in one budget if there is room; what costs nothing always has."""
        statement = (
            update(BudgetRow)
            .where(col(BudgetRow.budget_id) == to_budget_id(limit))
            .values(
                held=col(BudgetRow.held) + hold - released,
                spent=col(BudgetRow.spent) + released,
                cap=limit.cap,
                alerted_percent=case(
                    (col(BudgetRow.cap) == limit.cap, col(BudgetRow.alerted_percent)), else_=0
                ),
            )
        )
        if hold:
            used = col(BudgetRow.spent) + col(BudgetRow.held)
            statement = statement.where(used + hold <= limit.cap)
        if (await session.exec(statement)).rowcount:
            return True
        if await session.get(BudgetRow, to_budget_id(limit)) is not None:
            return False
        await self._insert_budget(session, limit)
        return bool((await session.exec(statement)).rowcount)

    async def _insert_budget(self, session: AsyncSession, limit: Limit) -> None:
        """Begin a budget, unless somebody else has."""
        values = to_budget_row(limit).model_dump() | {"spent": await _spent_before(session, limit)}
        await self._db.insert_new(session, BudgetRow, values)


async def release_open_calls(session: AsyncSession, turn_ids: Sequence[str]) -> int:
    """Close the open calls of turns that are over; what they held is booked as lost."""
    rows = await session.exec(
        select(LlmCallRow)
        .where(col(LlmCallRow.turn_id).in_(turn_ids), col(LlmCallRow.status) == _OPEN)
        .order_by(col(LlmCallRow.call_id))
        .with_for_update()
    )
    count = 0
    for row in rows:
        await _settle(session, row.held_in, hold=row.hold, spent=row.hold)
        row.status = CallStatus.CANCELLED.value
        row.lost_cost += row.hold
        row.cost = 0
        row.list_price = 0
        count += 1
    return count


async def ended_turns_with_open_calls(session: AsyncSession) -> list[str]:
    """Turns that are over, or gone, while a call of theirs is still open."""
    over = [status.value for status in TurnStatus if status.is_over]
    statement = (
        select(LlmCallRow.turn_id)
        .join(TurnRow, col(TurnRow.turn_id) == col(LlmCallRow.turn_id), isouter=True)
        .where(text("llm_call.status = 'open'"))  # literally, so that the small index serves
        .where(or_(col(TurnRow.turn_id).is_(None), col(TurnRow.status).in_(over)))
        .distinct()
    )
    return list(await session.exec(statement))


async def _settle(
    session: AsyncSession, budget_ids: Sequence[str], *, hold: int, spent: int
) -> None:
    if not hold and not spent:
        return
    for budget_id in in_hold_order(budget_ids):
        await session.exec(
            update(BudgetRow)
            .where(col(BudgetRow.budget_id) == budget_id)
            .values(held=col(BudgetRow.held) - hold, spent=col(BudgetRow.spent) + spent)
        )


def _reopen(row: LlmCallRow, entry: LedgerEntry, held_in: list[str]) -> LedgerEntry:
    """The next attempt; what the earlier one can have cost is lost."""
    earlier = row.hold if row.status == _OPEN else (row.cost or 0)
    reopened = replace(entry, attempt=row.attempt + 1, lost_cost=row.lost_cost + earlier)
    row.sqlmodel_update({"held_in": held_in, **to_call_values(reopened)})
    return to_entry(row)


async def _budgets(session: AsyncSession, limits: Sequence[Limit]) -> Sequence[BudgetRow]:
    ids = [to_budget_id(limit) for limit in limits]
    return (await session.exec(select(BudgetRow).where(col(BudgetRow.budget_id).in_(ids)))).all()


async def _to_state(session: AsyncSession, limit: Limit, row: BudgetRow | None) -> BudgetState:
    if row is None:
        return BudgetState(limit=limit, spent=await _spent_before(session, limit), held=0)
    return BudgetState(limit=limit, spent=row.spent, held=row.held)


async def _spent_before(session: AsyncSession, limit: Limit) -> int:
    """What was spent in a window before its cap was set: a new cap counts it too."""
    amount = func.coalesce(func.sum(func.coalesce(LlmCallRow.cost, 0) + LlmCallRow.lost_cost), 0)
    place = to_place(limit)
    statement = select(amount).where(
        *(col(getattr(LlmCallRow, name)) == value for name, value in place.items()),
        col(LlmCallRow.created_at) >= limit.window.starts_at,
        col(LlmCallRow.created_at) < limit.window.ends_at,
        col(LlmCallRow.status) != _OPEN,
    )
    return int((await session.exec(statement)).one())


def _without_text(row: LlmCallRow) -> Any:
    row.text = ""
    return row
