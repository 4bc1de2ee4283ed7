"""What a turn of several calls holds for all of them: taken once, drawn on, given back at its end.

A budget's `held` is the holds of its open calls, and what is left of the reservations in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import Limit, to_exceeded_error
from bot.turns import Turn, TurnStatus
from storage.budgets import (
    Changes,
    NoRoomError,
    Taking,
    insert_counted,
    is_over,
    read_states,
    take_or_count,
    with_budgets,
)
from storage.convert_money import in_hold_order, to_budget_id, to_payers
from storage.database import Database
from storage.tables import RESERVATION, TURN, Columns

_RESERVATION = RESERVATION.select().where(RESERVATION.c.turn_id == bindparam("id"))
_CHANGE = (
    RESERVATION.update()
    .where(RESERVATION.c.turn_id == bindparam("id"))
    .values(remaining=RESERVATION.c.remaining + bindparam("more"))
)
_HOLD_IN = (
    RESERVATION.update()
    .where(RESERVATION.c.turn_id == bindparam("id"))
    .values(held_in=bindparam("new_held_in", type_=RESERVATION.c.held_in.type))
)
_RELEASE = (
    RESERVATION.delete()
    .where(RESERVATION.c.turn_id.in_(bindparam("turn_ids", expanding=True)))
    .returning(RESERVATION.c.remaining, RESERVATION.c.held_in)
)
_KEEP_DECISION = (
    TURN.update()
    .where(TURN.c.turn_id == bindparam("id"))
    .values(decision=bindparam("new_decision", type_=TURN.c.decision.type))
)


class SqlReservations:
    """The discussions' part of the store."""

    _db: Database

    async def reserve(self, turn: Turn, amount: int, limits: Sequence[Limit]) -> None:
        """Keep a turn's decision, and hold its estimate in every limit, in one commit."""
        try:
            await with_budgets(
                self._db,
                limits,
                lambda: self._reserve(turn, amount, limits),
                lambda: self._give_back_if_over(turn.turn_id),
            )
        except NoRoomError as error:
            async with self._db.query() as connection:
                states = await read_states(connection, limits)
            raise to_exceeded_error(states, amount) from error

    async def _give_back_if_over(self, turn_id: str) -> None:
        async with self._db.transaction() as connection:
            if await is_over(connection, turn_id):
                changes = Changes()
                await release_reservations(connection, (turn_id,), changes)
                await changes.write(connection)

    async def _reserve(self, turn: Turn, amount: int, limits: Sequence[Limit]) -> None:
        by_id = {to_budget_id(limit): limit for limit in limits}
        row = {"turn_id": turn.turn_id, "remaining": amount, "held_in": in_hold_order(by_id)}
        async with self._db.transaction() as connection:
            decision = {"id": turn.turn_id, "new_decision": dict(turn.decision)}
            await connection.execute(_KEEP_DECISION, decision)
            if not amount:
                return
            payers = to_payers(turn.key, turn.user_id, turn.started_at or turn.created_at)
            begun = await insert_counted(self._db, connection, RESERVATION, row, payers)
            if begun is None:
                return
            held_in = in_hold_order(begun | by_id.keys())
            if begun - by_id.keys():
                values = {"id": turn.turn_id, "new_held_in": held_in}
                await connection.execute(_HOLD_IN, values)
            for budget_id in held_in:
                await take_or_count(
                    connection, budget_id, by_id.get(budget_id), Taking(hold=amount)
                )


async def read_reservation(
    connection: AsyncConnection, turn_id: str, *, is_to_change: bool = False
) -> Columns | None:
    """What a turn has reserved; to be changed, it is this transaction's alone."""
    statement = _RESERVATION.with_for_update() if is_to_change else _RESERVATION
    return (await connection.execute(statement, {"id": turn_id})).first()


async def change_reservation(connection: AsyncConnection, turn_id: str, more: int) -> None:
    """Give something back to what a turn has reserved, or draw on it."""
    if more:
        await connection.execute(_CHANGE, {"id": turn_id, "more": more})


async def release_reservations(
    connection: AsyncConnection, turn_ids: Sequence[str], changes: Changes
) -> int:
    """Give back what these turns did not use; returns how many had reserved anything."""
    rows = (await connection.execute(_RELEASE, {"turn_ids": list(turn_ids)})).all()
    for row in rows:
        changes.add(row.held_in, held=-row.remaining)
    return len(rows)


async def ended_turns_with_reservations(connection: AsyncConnection) -> list[str]:
    """Turns that are over, or gone, and still hold a sum."""
    over = [status.value for status in TurnStatus if status.is_over]
    statement = (
        select(RESERVATION.c.turn_id)
        .join(TURN, TURN.c.turn_id == RESERVATION.c.turn_id, isouter=True)
        .where(or_(TURN.c.turn_id.is_(None), TURN.c.status.in_(over)))
    )
    return list(await connection.scalars(statement))
