"""The ledger and its budgets. Every hold is one guarded update for each budget, in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, case, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

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
from storage.convert_money import (
    in_hold_order,
    to_alert,
    to_budget_id,
    to_budget_values,
    to_call_values,
    to_changing_values,
    to_entry,
    to_place,
)
from storage.database import Database
from storage.tables import BUDGET, LLM_CALL, TURN, Columns

_KEPT = (CallStatus.DONE.value, CallStatus.FAILED.value)
_OPEN = CallStatus.OPEN.value

_CALL = LLM_CALL.select().where(LLM_CALL.c.call_id == bindparam("id")).with_for_update()
_OF_TURN = (
    LLM_CALL.select()
    .where(LLM_CALL.c.turn_id == bindparam("turn_id"))
    .order_by(LLM_CALL.c.created_at, LLM_CALL.c.call_id)
)
_FIXED = frozenset(
    (
        *("call_id", "turn_id", "platform", "workspace_id", "channel_id", "user_id"),
        *("created_at", "held_in", "hold", "attempt", "lost_cost"),
    )
)
"""What an entry's end leaves as its beginning has made it."""
_CLOSE = (
    LLM_CALL.update()
    .where(
        LLM_CALL.c.call_id == bindparam("id"),
        LLM_CALL.c.status == _OPEN,
        LLM_CALL.c.attempt == bindparam("in_attempt"),
    )
    .values(
        {
            column.name: bindparam(f"new_{column.name}", type_=column.type)
            for column in LLM_CALL.c
            if column.name not in _FIXED
        }
    )
    .returning(LLM_CALL.c.hold, LLM_CALL.c.held_in)
)
_OPEN_CALLS = (
    select(LLM_CALL.c.call_id, LLM_CALL.c.hold, LLM_CALL.c.held_in)
    .where(
        LLM_CALL.c.turn_id.in_(bindparam("turn_ids", expanding=True)), LLM_CALL.c.status == _OPEN
    )
    .order_by(LLM_CALL.c.call_id)
    .with_for_update()
)
_LOSE = (
    LLM_CALL.update()
    .where(LLM_CALL.c.call_id == bindparam("id"))
    .values(
        status=CallStatus.CANCELLED.value,
        lost_cost=LLM_CALL.c.lost_cost + LLM_CALL.c.hold,
        cost=0,
        list_price=0,
    )
)
_BUDGETS = BUDGET.select().where(BUDGET.c.budget_id.in_(bindparam("ids", expanding=True)))
_BUDGET = BUDGET.update().where(BUDGET.c.budget_id == bindparam("id"))
_SETTLE = _BUDGET.values(
    held=BUDGET.c.held - bindparam("less_held"), spent=BUDGET.c.spent + bindparam("more_spent")
)
_TAKE = _BUDGET.values(
    held=BUDGET.c.held + bindparam("more_held") - bindparam("released"),
    spent=BUDGET.c.spent + bindparam("released"),
    cap=bindparam("new_cap"),
    alerted_percent=case((BUDGET.c.cap == bindparam("new_cap"), BUDGET.c.alerted_percent), else_=0),
)
_TAKE_IF_ROOM = _TAKE.where(
    BUDGET.c.spent + BUDGET.c.held + bindparam("more_held") <= bindparam("new_cap")
)
_ALERT = _BUDGET.where(
    or_(BUDGET.c.alerted_percent < bindparam("mark"), BUDGET.c.cap != bindparam("new_cap"))
).values(alerted_percent=bindparam("mark"), cap=bindparam("new_cap"))


class _NoRoomError(Exception):
    """A budget has no room; the transaction is rolled back."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What an earlier attempt that was cut off still holds, and in which budgets."""

    amount: int = 0
    budget_ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, row: Columns) -> _Held:
        if row.status != _OPEN or not row.hold:
            return cls()
        return cls(row.hold, frozenset(row.held_in))


class SqlLedger:
    """The ledger's part of the store."""

    _db: Database

    async def open(self, entry: LedgerEntry, limits: Sequence[Limit]) -> LedgerEntry:
        """Open an entry and hold its amount in every limit, in one commit."""
        held_in = in_hold_order(to_budget_id(limit) for limit in limits)
        try:
            async with self._db.transaction() as connection:
                values = to_call_values(entry, held_in)
                opened, earlier = entry, _Held()
                if await self._db.insert_new(connection, LLM_CALL, values) is None:
                    row = (await connection.execute(_CALL, {"id": entry.call_id})).one()
                    if row.status in _KEPT:
                        return to_entry(row)
                    opened, earlier = await _reopen(connection, row, entry, held_in), _Held.of(row)
                # The budgets last: everybody waits for them.
                await self._hold(connection, earlier, entry.hold, limits)
                return opened
        except _NoRoomError as error:
            states = await self.states(limits)
            state = tightest(states)
            if state is None:
                raise
            raise to_exceeded_error(state) from error

    async def close(self, entry: LedgerEntry) -> bool:
        """Settle an open entry in the limits of its hold."""
        values = {
            f"new_{name}": value
            for name, value in to_changing_values(entry).items()
            if name not in _FIXED
        }
        key = {"id": entry.call_id, "in_attempt": entry.attempt}
        async with self._db.transaction() as connection:
            row = (await connection.execute(_CLOSE, values | key)).first()
            if row is None:
                return False
            await _settle(connection, row.held_in, hold=row.hold, spent=entry.cost or 0)
            return True

    async def states(self, limits: Sequence[Limit]) -> tuple[BudgetState, ...]:
        """How much of each limit is spent and held."""
        if not limits:
            return ()
        ids = [to_budget_id(limit) for limit in limits]
        async with self._db.query() as connection:
            found = await connection.execute(_BUDGETS, {"ids": ids})
            rows = {row.budget_id: row for row in found}
            return tuple(
                [
                    await _to_state(connection, limit, rows.get(budget_id))
                    for limit, budget_id in zip(limits, ids, strict=True)
                ]
            )

    async def claim_alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[BudgetAlert, ...]:
        """The marks that were come to and not said in their window; notes them as said."""
        reached = to_alerts(await self.states(limits), is_used_up=is_used_up)
        if not reached:
            return ()
        by_id = {to_budget_id(alert.state.limit): alert for alert in reached}
        async with self._db.transaction() as connection:
            claimed = [
                by_id[budget_id]
                for budget_id in in_hold_order(by_id)
                if await self._claim_alert(connection, by_id[budget_id])
            ]
        return tuple(claimed)

    async def _claim_alert(self, connection: AsyncConnection, alert: BudgetAlert) -> bool:
        limit, budget_id = alert.state.limit, to_budget_id(alert.state.limit)
        if (await connection.execute(_BUDGETS, {"ids": [budget_id]})).first() is None:
            await self._insert_budget(connection, limit)  # its first call was refused
        values = {"id": budget_id, "mark": alert.mark, "new_cap": limit.cap}
        return bool((await connection.execute(_ALERT, values)).rowcount)

    async def alerts_said(self, now: datetime) -> tuple[BudgetAlert, ...]:
        """The last mark said of each limit that is no one person's, in the windows of now."""
        statement = BUDGET.select().where(
            text("alerted_percent > 0"),  # literally, so that the small index serves
            BUDGET.c.ends_at > now,
            BUDGET.c.starts_at <= now,
            BUDGET.c.scope != Scope.USER.value,
        )
        async with self._db.query() as connection:
            return tuple(to_alert(row) for row in await connection.execute(statement))

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The entries of one turn, oldest first."""
        async with self._db.query() as connection:
            rows = await connection.execute(_OF_TURN, {"turn_id": turn_id})
            return tuple(to_entry(row) for row in rows)

    async def entries_between(
        self, platform: str, workspace_id: str, since: datetime, until: datetime
    ) -> tuple[LedgerEntry, ...]:
        """A workspace's entries from `since` up to `until`, oldest first, without their texts."""
        columns = [column for column in LLM_CALL.c if column.name != "text"]
        statement = (
            select(*columns, literal("").label("text"))
            .where(LLM_CALL.c.platform == platform, LLM_CALL.c.workspace_id == workspace_id)
            .where(LLM_CALL.c.created_at >= since, LLM_CALL.c.created_at < until)
            .order_by(LLM_CALL.c.created_at)
        )
        async with self._db.query() as connection:
            return tuple(to_entry(row) for row in await connection.execute(statement))

    async def _hold(
        self, connection: AsyncConnection, earlier: _Held, hold: int, limits: Sequence[Limit]
    ) -> None:
        """Take the new hold, turning an earlier open attempt's hold into what is spent."""
        new = {to_budget_id(limit): limit for limit in limits}
        for budget_id in in_hold_order(earlier.budget_ids | set(new)):
            limit = new.get(budget_id)
            released = earlier.amount if budget_id in earlier.budget_ids else 0
            if limit is None:
                await _settle(connection, [budget_id], hold=released, spent=released)
            elif not await self._take(connection, limit, hold=hold, released=released):
                raise _NoRoomError

    async def _take(
        self, connection: AsyncConnection, limit: Limit, *, hold: int, released: int
    ) -> bool:
        """Hold in one budget if there is room; what costs nothing always has."""
        budget_id = to_budget_id(limit)
        statement = _TAKE_IF_ROOM if hold else _TAKE
        values = {"id": budget_id, "more_held": hold, "released": released, "new_cap": limit.cap}
        if (await connection.execute(statement, values)).rowcount:
            return True
        if (await connection.execute(_BUDGETS, {"ids": [budget_id]})).first() is not None:
            return False
        await self._insert_budget(connection, limit)
        return bool((await connection.execute(statement, values)).rowcount)

    async def _insert_budget(self, connection: AsyncConnection, limit: Limit) -> None:
        """Begin a budget, unless somebody else has."""
        values = to_budget_values(limit, spent=await _spent_before(connection, limit))
        await self._db.insert_new(connection, BUDGET, values)


async def release_open_calls(connection: AsyncConnection, turn_ids: Sequence[str]) -> int:
    """Close the open calls of turns that are over; what they held is booked as lost."""
    calls = (await connection.execute(_OPEN_CALLS, {"turn_ids": list(turn_ids)})).all()
    for call in calls:
        await _settle(connection, call.held_in, hold=call.hold, spent=call.hold)
        await connection.execute(_LOSE, {"id": call.call_id})
    return len(calls)


async def ended_turns_with_open_calls(connection: AsyncConnection) -> list[str]:
    """Turns that are over, or gone, while a call of theirs is still open."""
    over = [status.value for status in TurnStatus if status.is_over]
    statement = (
        select(LLM_CALL.c.turn_id)
        .join(TURN, TURN.c.turn_id == LLM_CALL.c.turn_id, isouter=True)
        .where(text("llm_call.status = 'open'"))  # literally, so that the small index serves
        .where(or_(TURN.c.turn_id.is_(None), TURN.c.status.in_(over)))
        .distinct()
    )
    return list(await connection.scalars(statement))


async def _settle(
    connection: AsyncConnection, budget_ids: Sequence[str], *, hold: int, spent: int
) -> None:
    if not hold and not spent:
        return
    for budget_id in in_hold_order(budget_ids):
        values = {"id": budget_id, "less_held": hold, "more_spent": spent}
        await connection.execute(_SETTLE, values)


async def _reopen(
    connection: AsyncConnection, row: Columns, entry: LedgerEntry, held_in: list[str]
) -> LedgerEntry:
    """The next attempt; what the earlier one can have cost is lost."""
    earlier = row.hold if row.status == _OPEN else (row.cost or 0)
    reopened = replace(entry, attempt=row.attempt + 1, lost_cost=row.lost_cost + earlier)
    statement = (
        LLM_CALL.update()
        .where(LLM_CALL.c.call_id == entry.call_id)
        .values(held_in=held_in, **to_changing_values(reopened))
        .returning(LLM_CALL)
    )
    return to_entry((await connection.execute(statement)).one())


async def _to_state(connection: AsyncConnection, limit: Limit, row: Columns | None) -> BudgetState:
    if row is None:
        return BudgetState(limit=limit, spent=await _spent_before(connection, limit), held=0)
    return BudgetState(limit=limit, spent=row.spent, held=row.held)


async def _spent_before(connection: AsyncConnection, limit: Limit) -> int:
    """What was spent in a window before its cap was set: a new cap counts it too."""
    amount = func.coalesce(func.sum(func.coalesce(LLM_CALL.c.cost, 0) + LLM_CALL.c.lost_cost), 0)
    statement = select(amount).where(
        *(LLM_CALL.c[name] == value for name, value in to_place(limit).items()),
        LLM_CALL.c.created_at >= limit.window.starts_at,
        LLM_CALL.c.created_at < limit.window.ends_at,
        LLM_CALL.c.status != _OPEN,
    )
    return int((await connection.execute(statement)).scalar_one())
