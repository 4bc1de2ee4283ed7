"""The marks of budgets: which were come to, and which of them were said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import BudgetAlert, Limit, to_alerts
from bot.caps import Scope
from storage.budgets import BUDGETS, ONE_BUDGET, begin_budgets, read_states
from storage.convert_money import in_hold_order, to_alert, to_budget_id
from storage.database import Database
from storage.tables import BUDGET

_ALERT = ONE_BUDGET.where(
    or_(BUDGET.c.alerted_percent < bindparam("mark"), BUDGET.c.cap != bindparam("new_cap"))
).values(alerted_percent=bindparam("mark"), cap=bindparam("new_cap"))


class SqlAlerts:
    """The part of the store that says each mark once."""

    _db: Database

    async def claim_alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[BudgetAlert, ...]:
        """The marks that were come to and not said in their window; notes them as said."""
        if not limits:
            return ()
        async with self._db.query() as connection:
            states = await read_states(connection, limits)
        reached = to_alerts(states, is_used_up=is_used_up)
        if not reached:
            return ()
        by_id = {to_budget_id(alert.state.limit): alert for alert in reached}
        await self._begin([alert.state.limit for alert in reached])
        async with self._db.transaction() as connection:
            claimed = [
                by_id[budget_id]
                for budget_id in in_hold_order(by_id)
                if await self._claim_alert(connection, by_id[budget_id])
            ]
        return tuple(claimed)

    async def _begin(self, limits: Sequence[Limit]) -> None:
        """Begin the budgets in which nobody has held anything as yet."""
        ids = [to_budget_id(limit) for limit in limits]
        async with self._db.query() as connection:
            begun = (await connection.execute(BUDGETS, {"ids": ids})).all()
        if len(begun) < len(ids):
            await begin_budgets(self._db, limits)

    async def _claim_alert(self, connection: AsyncConnection, alert: BudgetAlert) -> bool:
        limit, budget_id = alert.state.limit, to_budget_id(alert.state.limit)
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
