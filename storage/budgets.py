"""Budgets as rows: what is held and spent changes by guarded updates, always in one order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Label,
    Table,
    TextClause,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import BudgetState, Limit
from bot.turns import TurnStatus
from storage.convert_money import PAYERS, in_hold_order, to_budget_id, to_budget_values, to_place
from storage.database import Database
from storage.tables import BUDGET, LLM_CALL, RESERVATION, TURN, Columns

BUDGETS = BUDGET.select().where(BUDGET.c.budget_id.in_(bindparam("ids", expanding=True)))
ONE_BUDGET = BUDGET.update().where(BUDGET.c.budget_id == bindparam("id"))
_CHANGE = ONE_BUDGET.values(
    held=BUDGET.c.held + bindparam("more_held"), spent=BUDGET.c.spent + bindparam("more_spent")
)
_TAKE = ONE_BUDGET.values(
    held=BUDGET.c.held + bindparam("more_held"),
    spent=BUDGET.c.spent + bindparam("more_spent"),
    cap=bindparam("new_cap"),
    alerted_percent=case((BUDGET.c.cap == bindparam("new_cap"), BUDGET.c.alerted_percent), else_=0),
)
_TAKE_IF_ROOM = _TAKE.where(
    BUDGET.c.spent + BUDGET.c.held + bindparam("needed") <= bindparam("new_cap")
)
_BEGUN = select(func.aggregate_strings(BUDGET.c.budget_id, "\n")).where(
    or_(
        *(
            and_(BUDGET.c.scope_id == bindparam(name), BUDGET.c.scope == scope.value)
            for scope, name in PAYERS.items()
        )
    ),
    BUDGET.c.starts_at <= bindparam("pays_at"),
    BUDGET.c.ends_at > bindparam("pays_at"),
)
HAS_RESERVED: Label[bool] = literal_column(
    "EXISTS (SELECT 1 FROM reservation WHERE reservation.turn_id = llm_call.turn_id)", Boolean()
).label("has_reserved")
"""Also what makes a call that opens, closes or is lost wait at the gate: it looks there."""
_STATUS = select(TURN.c.status).where(TURN.c.turn_id == bindparam("turn_id"))
_GATE = text("LOCK TABLE reservation IN ACCESS EXCLUSIVE MODE")
_T = TypeVar("_T")


class NoRoomError(Exception):
    """A budget has no room; the transaction is rolled back."""


class NotBegunError(Exception):
    """A budget has no row as yet; the transaction is rolled back."""


class Changes:
    """What a transaction does to budgets in the end, added up: each is written once."""

    def __init__(self) -> None:
        self._by_id: dict[str, tuple[int, int]] = {}

    def add(self, budget_ids: Iterable[str], *, held: int = 0, spent: int = 0) -> None:
        """Change what is held and spent in these budgets, by so much."""
        for budget_id in budget_ids:
            held_before, spent_before = self._by_id.get(budget_id, (0, 0))
            self._by_id[budget_id] = held_before + held, spent_before + spent

    async def write(self, connection: AsyncConnection) -> None:
        """Write them, which nothing can refuse."""
        for budget_id in in_hold_order(self._by_id):
            held, spent = self._by_id[budget_id]
            if held or spent:
                values = {"id": budget_id, "more_held": held, "more_spent": spent}
                await connection.execute(_CHANGE, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What is taken from one budget."""

    hold: int
    lost: int = 0
    """What an attempt that a crash cut off had held, and what is now spent."""
    reserved: int = 0
    """What the turn had reserved there before, which is room for the hold."""
    drawn: int = 0
    """How much of the hold comes from that, and is held already."""


async def take(connection: AsyncConnection, limit: Limit, taking: Taking) -> None:
    """Hold an amount in one budget; what costs nothing always has room.

    Raises NoRoomError, or NotBegunError when it has no row.
    """
    budget_id = to_budget_id(limit)
    values = {
        "id": budget_id,
        "more_held": taking.hold - taking.drawn - taking.lost,
        "more_spent": taking.lost,
        "new_cap": limit.cap,
    }
    statement = _TAKE
    if taking.hold:
        statement, values["needed"] = _TAKE_IF_ROOM, taking.hold - taking.reserved
    if (await connection.execute(statement, values)).rowcount:
        return
    is_begun = (await connection.execute(BUDGETS, {"ids": [budget_id]})).first() is not None
    raise NoRoomError if is_begun else NotBegunError


async def take_or_count(
    connection: AsyncConnection, budget_id: str, limit: Limit | None, taking: Taking
) -> None:
    """As `take`; a budget without a limit counts what is held, and can refuse nothing."""
    if limit is not None:
        await take(connection, limit, taking)
        return
    changes = Changes()
    held = taking.hold - taking.drawn - taking.lost
    changes.add([budget_id], held=held, spent=taking.lost)
    await changes.write(connection)


async def insert_counted(
    database: Database,
    connection: AsyncConnection,
    table: Table,
    values: dict[str, Any],
    payers: Mapping[str, Any],
) -> set[str] | None:
    """Insert a call or a reservation, unless it is there: None.

    Returns the budgets that have begun for those who pay, also those whose cap was taken away: a
    budget counts all that is spent in its window, whatever was set meanwhile.
    """
    gate = (HAS_RESERVED,) if table is LLM_CALL else ()
    statement = database.insertion(table, _BEGUN.scalar_subquery(), *gate)
    row = (await connection.execute(statement, {**values, **payers})).first()
    return None if row is None else _to_ids(row[1])


async def begun_budgets(connection: AsyncConnection, payers: Mapping[str, Any]) -> set[str]:
    """The budgets that have begun for those who pay."""
    return _to_ids((await connection.execute(_BEGUN, payers)).scalar_one())


def _to_ids(joined: str | None) -> set[str]:
    return set(joined.split("\n")) if joined else set()


async def with_budgets(
    database: Database,
    limits: Sequence[Limit],
    work: Callable[[], Awaitable[_T]],
    give_back: Callable[[], Awaitable[None]],
) -> _T:
    """Do what needs budgets; when one has not begun, begin it and do it once more.

    Between those commits the turn may have ended, if whoever asked was cancelled: `give_back`
    then releases what came after its end.
    """
    try:
        return await work()
    except NotBegunError:
        await begin_budgets(database, limits)
        done = await work()
        await give_back()
        return done


async def is_over(connection: AsyncConnection, turn_id: str) -> bool:
    """Whether a turn has ended."""
    status = await connection.scalar(_STATUS, {"turn_id": turn_id})
    return status is not None and TurnStatus(status).is_over


async def begin_budgets(database: Database, limits: Sequence[Limit]) -> None:
    """Begin those that have not, with what was spent and is held in their windows.

    From then on, what is open is settled in them too. Nobody opens, closes, reserves or releases
    meanwhile: on PostgreSQL the first thing each of these does stops at the gate. It is a lock on
    the smallest table, which hardly anything else has to wait for.
    """
    by_id = {to_budget_id(limit): limit for limit in limits}
    async with database.transaction() as connection:
        if not database.is_sqlite:
            await connection.execute(_GATE)
        known = {row.budget_id for row in await connection.execute(BUDGETS, {"ids": list(by_id)})}
        for budget_id in in_hold_order(by_id.keys() - known):
            limit = by_id[budget_id]
            spent, held = await _used_before(connection, limit)
            await _count_open(connection, limit)
            values = to_budget_values(limit, spent=spent, held=held)
            await database.insert_new(connection, BUDGET, values)


async def read_states(connection: AsyncConnection, limits: Sequence[Limit]) -> list[BudgetState]:
    """How much of each limit is spent and held."""
    ids = [to_budget_id(limit) for limit in limits]
    rows = {row.budget_id: row for row in await connection.execute(BUDGETS, {"ids": ids})}
    return [
        await _to_state(connection, limit, rows.get(budget_id))
        for limit, budget_id in zip(limits, ids, strict=True)
    ]


async def _to_state(connection: AsyncConnection, limit: Limit, row: Columns | None) -> BudgetState:
    if row is None:
        spent, held = await _used_before(connection, limit)
        return BudgetState(limit=limit, spent=spent, held=held)
    return BudgetState(limit=limit, spent=row.spent, held=row.held)


async def _used_before(connection: AsyncConnection, limit: Limit) -> tuple[int, int]:
    """What was spent and is held in a window before its cap was set: a new cap counts it too."""
    spent = func.sum(func.coalesce(LLM_CALL.c.cost, 0) + LLM_CALL.c.lost_cost)
    calls = select(func.coalesce(spent, 0)).where(*_calls_in(limit))
    holds = select(func.coalesce(func.sum(LLM_CALL.c.hold), 0)).where(*_open_in(limit))
    reserved = (
        select(func.coalesce(func.sum(RESERVATION.c.remaining), 0))
        .join_from(RESERVATION, TURN, TURN.c.turn_id == RESERVATION.c.turn_id)
        .where(*_in_place(TURN, limit))
    )
    sums = [(await connection.execute(each)).scalar_one() for each in (calls, holds, reserved)]
    return int(sums[0]), int(sums[1]) + int(sums[2])


async def _count_open(connection: AsyncConnection, limit: Limit) -> None:
    """Let a budget that begins be among those in which open calls and reservations are settled."""
    budget_id = to_budget_id(limit)
    calls = select(LLM_CALL.c.call_id, LLM_CALL.c.held_in).where(*_open_in(limit))
    for row in (await connection.execute(calls)).all():
        values = {"held_in": in_hold_order({*row.held_in, budget_id})}
        this_call = LLM_CALL.c.call_id == row.call_id
        await connection.execute(LLM_CALL.update().where(this_call).values(values))
    reservations = (
        select(RESERVATION.c.turn_id, RESERVATION.c.held_in)
        .join_from(RESERVATION, TURN, TURN.c.turn_id == RESERVATION.c.turn_id)
        .where(*_in_place(TURN, limit))
    )
    for row in (await connection.execute(reservations)).all():
        values = {"held_in": in_hold_order({*row.held_in, budget_id})}
        this_turn = RESERVATION.c.turn_id == row.turn_id
        await connection.execute(RESERVATION.update().where(this_turn).values(values))


def _in_place(table: Table, limit: Limit) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in to_place(limit).items()]


def _calls_in(limit: Limit) -> list[ColumnElement[bool]]:
    return [
        *_in_place(LLM_CALL, limit),
        LLM_CALL.c.created_at >= limit.window.starts_at,
        LLM_CALL.c.created_at < limit.window.ends_at,
    ]


def _open_in(limit: Limit) -> list[ColumnElement[bool] | TextClause]:
    # Literally, so that the small index serves.
    return [text("llm_call.status = 'open'"), *_calls_in(limit)]
