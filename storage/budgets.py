"""Budgets as rows: what is held and spent changes by guarded updates, always in one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import BudgetState, Limit
from bot.ledger import CallStatus
from storage.convert_money import in_hold_order, to_budget_id, to_budget_values, to_place
from storage.database import Database
from storage.tables import BUDGET, LLM_CALL, Columns

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


class NoRoomError(Exception):
    """A budget has no room; the transaction is rolled back."""


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


async def take(
    database: Database, connection: AsyncConnection, limit: Limit, taking: Taking
) -> None:
    """Hold an amount in one budget; raises NoRoomError. What costs nothing always has room."""
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
    if (await connection.execute(BUDGETS, {"ids": [budget_id]})).first() is not None:
        raise NoRoomError
    await insert_budget(database, connection, limit)
    if not (await connection.execute(statement, values)).rowcount:
        raise NoRoomError


async def insert_budget(database: Database, connection: AsyncConnection, limit: Limit) -> None:
    """Begin a budget, unless somebody else has."""
    values = to_budget_values(limit, spent=await _spent_before(connection, limit))
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
        return BudgetState(limit=limit, spent=await _spent_before(connection, limit), held=0)
    return BudgetState(limit=limit, spent=row.spent, held=row.held)


async def _spent_before(connection: AsyncConnection, limit: Limit) -> int:
    """What was spent in a window before its cap was set: a new cap counts it too."""
    amount = func.coalesce(func.sum(func.coalesce(LLM_CALL.c.cost, 0) + LLM_CALL.c.lost_cost), 0)
    statement = select(amount).where(
        *(LLM_CALL.c[name] == value for name, value in to_place(limit).items()),
        LLM_CALL.c.created_at >= limit.window.starts_at,
        LLM_CALL.c.created_at < limit.window.ends_at,
        LLM_CALL.c.status != CallStatus.OPEN.value,
    )
    return int((await connection.execute(statement)).scalar_one())
