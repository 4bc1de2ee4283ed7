"""The ledger and its budgets. Every hold is one guarded update for each budget, in one order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import BudgetState, Limit, to_exceeded_error
from bot.ledger import CallStatus, LedgerEntry
from bot.turns import TurnStatus
from storage.budgets import (
    HAS_RESERVED,
    Changes,
    NoRoomError,
    Taking,
    begun_budgets,
    insert_counted,
    is_over,
    read_states,
    take_or_count,
    with_budgets,
)
from storage.convert_money import (
    in_hold_order,
    to_budget_id,
    to_call_values,
    to_changing_values,
    to_entry,
    to_payers,
)
from storage.database import Database
from storage.patience import until_kept
from storage.reservations import change_reservation, read_reservation, release_reservations
from storage.tables import LLM_CALL, TURN, Columns

_KEPT = (CallStatus.DONE.value, CallStatus.FAILED.value)
_OPEN = CallStatus.OPEN.value

_CALL = LLM_CALL.select().where(LLM_CALL.c.call_id == bindparam("id")).with_for_update()
_END = select(LLM_CALL.c.attempt, LLM_CALL.c.status).where(LLM_CALL.c.call_id == bindparam("id"))
_OF_TURN = (
    LLM_CALL.select()
    .where(LLM_CALL.c.turn_id == bindparam("turn_id"))
    .order_by(LLM_CALL.c.created_at, LLM_CALL.c.call_id)
)
_FIXED = frozenset(
    (
        *("call_id", "turn_id", "platform", "workspace_id", "channel_id", "user_id"),
        *("created_at", "held_in", "hold", "drawn", "attempt", "lost_cost"),
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
    .returning(
        LLM_CALL.c.turn_id,
        LLM_CALL.c.hold,
        LLM_CALL.c.drawn,
        LLM_CALL.c.held_in,
        HAS_RESERVED,
    )
)
_HOLD_IN = LLM_CALL.update().where(LLM_CALL.c.call_id == bindparam("id"))
_OPEN_CALLS = (
    select(LLM_CALL.c.call_id, LLM_CALL.c.hold, LLM_CALL.c.held_in, HAS_RESERVED)
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


@dataclass(frozen=True, slots=True)
class _Hold:
    """What a call holds: in every limit, less what its turn has reserved there already."""

    amount: int
    limits: Mapping[str, Limit]
    others: frozenset[str] = frozenset()
    """Budgets that have begun, and are no limit of this call."""
    reserved: int = 0
    drawn: int = 0
    reserved_in: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entry: LedgerEntry, limits: Sequence[Limit]) -> _Hold:
        return cls(entry.hold, {to_budget_id(limit): limit for limit in limits})

    @property
    def budget_ids(self) -> list[str]:
        return in_hold_order({*self.limits, *self.others, *self.reserved_in})

    def in_budget(self, budget_id: str, lost: int) -> Taking:
        """What is taken from one budget for it."""
        if budget_id in self.reserved_in:
            return Taking(hold=self.amount, lost=lost, reserved=self.reserved, drawn=self.drawn)
        is_held = budget_id in self.limits or budget_id in self.others
        return Taking(hold=self.amount if is_held else 0, lost=lost)


class SqlLedger:
    """The ledger's part of the store."""

    _db: Database

    async def open(
        self, entry: LedgerEntry, limits: Sequence[Limit], *, draws: bool = False
    ) -> LedgerEntry:
        """Open an entry and hold its amount in every limit, in one commit."""
        try:
            return await with_budgets(
                self._db,
                limits,
                lambda: self._open(entry, limits, draws=draws),
                lambda: self._release_if_over(entry.turn_id),
            )
        except NoRoomError as error:
            states = await self.states(limits, turn_id=entry.turn_id if draws else "")
            raise to_exceeded_error(states, entry.hold) from error

    async def _release_if_over(self, turn_id: str) -> None:
        async with self._db.transaction() as connection:
            if await is_over(connection, turn_id):
                await release_open_calls(connection, (turn_id,))

    async def _open(
        self, entry: LedgerEntry, limits: Sequence[Limit], *, draws: bool
    ) -> LedgerEntry:
        payers = to_payers(entry, entry.user_id, entry.created_at)
        hold = _Hold.of(entry, limits)
        async with self._db.transaction() as connection:
            values = to_call_values(entry, hold.budget_ids)
            begun = await insert_counted(self._db, connection, LLM_CALL, values, payers)
            opened, earlier = entry, _Held()
            if begun is None:
                row = (await connection.execute(_CALL, {"id": entry.call_id})).one()
                if row.status in _KEPT:
                    return to_entry(row)
                begun = await begun_budgets(connection, payers)
                opened = await _reopen(connection, row, entry, hold.budget_ids)
                earlier = _Held.of(row)
            hold = replace(hold, others=frozenset(begun - hold.limits.keys()))
            if draws:
                hold = await _drawn(connection, hold, entry)
            if hold.others or hold.reserved_in:
                changed = {"drawn": hold.drawn, "held_in": hold.budget_ids}
                await connection.execute(_HOLD_IN.values(changed), {"id": entry.call_id})
            # The budgets last: everybody waits for them.
            for budget_id in in_hold_order({*earlier.budget_ids, *hold.budget_ids}):
                lost = earlier.amount if budget_id in earlier.budget_ids else 0
                taking = hold.in_budget(budget_id, lost)
                await take_or_count(connection, budget_id, hold.limits.get(budget_id), taking)
            return opened

    async def close(self, entry: LedgerEntry) -> bool:
        """Settle an open entry in the limits of its hold; waits for a store that is gone."""
        return await until_kept(lambda: self._close(entry), lambda: self._is_closed(entry))

    async def _is_closed(self, entry: LedgerEntry) -> bool:
        """Whether this attempt's own end is what is kept."""
        own = (entry.attempt, entry.status.value)
        async with self._db.query() as connection:
            row = (await connection.execute(_END, {"id": entry.call_id})).first()
        return row is not None and (row.attempt, row.status) == own

    async def _close(self, entry: LedgerEntry) -> bool:
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
            changes, cost = Changes(), entry.cost or 0
            changes.add(row.held_in, held=-row.hold, spent=cost)
            if row.has_reserved and row.drawn > cost:
                await _give_back(connection, row.turn_id, row.drawn - cost, changes)
            await changes.write(connection)
            return True

    async def states(
        self, limits: Sequence[Limit], *, turn_id: str = ""
    ) -> tuple[BudgetState, ...]:
        """How much of each limit is spent and held, beside what that turn has reserved."""
        if not limits:
            return ()
        async with self._db.query() as connection:
            states = await read_states(connection, limits)
            reserved = await read_reservation(connection, turn_id) if turn_id else None
        if reserved is None:
            return tuple(states)
        return tuple(
            replace(state, held=state.held - reserved.remaining)
            if to_budget_id(state.limit) in reserved.held_in
            else state
            for state in states
        )

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The entries of one turn, oldest first."""
        async with self._db.query() as connection:
            rows = await connection.execute(_OF_TURN, {"turn_id": turn_id})
            return tuple(to_entry(row) for row in rows)


async def release_open_calls(connection: AsyncConnection, turn_ids: Sequence[str]) -> int:
    """Close the open calls of turns that are over; what they held is booked as lost.

    What the turns had reserved and not used is given back.
    """
    changes = Changes()
    calls = (await connection.execute(_OPEN_CALLS, {"turn_ids": list(turn_ids)})).all()
    for call in calls:
        changes.add(call.held_in, held=-call.hold, spent=call.hold)
        await connection.execute(_LOSE, {"id": call.call_id})
    released = await release_reservations(connection, turn_ids, changes)
    await changes.write(connection)
    return len(calls) + released


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


async def _drawn(connection: AsyncConnection, hold: _Hold, entry: LedgerEntry) -> _Hold:
    """Draw a hold from what its turn has reserved, as far as that goes."""
    reserved = await read_reservation(connection, entry.turn_id, is_to_change=True)
    if reserved is None:
        return hold
    drawn = min(reserved.remaining, hold.amount)
    hold = replace(
        hold, reserved=reserved.remaining, drawn=drawn, reserved_in=frozenset(reserved.held_in)
    )
    await change_reservation(connection, entry.turn_id, -drawn)
    return hold


async def _give_back(
    connection: AsyncConnection, turn_id: str, unused: int, changes: Changes
) -> None:
    """Give what a call did not use back to what its turn has reserved, unless that is over."""
    reserved = await read_reservation(connection, turn_id, is_to_change=True)
    if reserved is not None:
        await change_reservation(connection, turn_id, unused)
        changes.add(reserved.held_in, held=unused)


async def _reopen(
    connection: AsyncConnection, row: Columns, entry: LedgerEntry, held_in: list[str]
) -> LedgerEntry:
    """The next attempt; what the earlier one can have cost is lost."""
    earlier = row.hold if row.status == _OPEN else (row.cost or 0)
    reopened = replace(entry, attempt=row.attempt + 1, lost_cost=row.lost_cost + earlier)
    statement = (
        LLM_CALL.update()
        .where(LLM_CALL.c.call_id == entry.call_id)
        .values(held_in=held_in, drawn=0, **to_changing_values(reopened))
        .returning(LLM_CALL)
    )
    return to_entry((await connection.execute(statement)).one())
