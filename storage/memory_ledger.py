"""The ledger of the store in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.budget import BudgetAlert, BudgetState, Limit, to_alerts, to_exceeded_error
from bot.caps import Scope
from bot.ledger import CallStatus, LedgerEntry
from bot.messages import ConversationKey
from bot.turns import Turn
from storage.convert_money import in_hold_order, to_budget_id, to_place, to_scope_ids
from storage.memory_kept import Budget, Held, Kept, Reservation


def _is_in(place: Mapping[str, str], where: LedgerEntry | ConversationKey, user_id: str) -> bool:
    own = {
        "platform": where.platform,
        "workspace_id": where.workspace_id,
        "channel_id": where.channel_id,
        "user_id": user_id,
    }
    return place.items() <= own.items()


class MemoryLedger:
    """Calls, budgets and reservations."""

    _kept: Kept

    async def reserve(self, turn: Turn, amount: int, limits: Sequence[Limit]) -> None:
        """Keep a turn's decision, and hold its estimate in every limit."""
        known = amount == 0 or turn.turn_id in self._kept.reservations
        if not known:
            await self._refuse_beyond(amount, limits, "")
            at = turn.started_at or turn.created_at
            held_in = self._budget_ids(limits, to_scope_ids(turn.key, turn.user_id), at)
            for budget_id in held_in:
                self._budget(budget_id).held += amount
            self._kept.reservations[turn.turn_id] = Reservation(amount, held_in)
        kept = self._kept.turns.get(turn.turn_id)
        if kept is not None:
            self._kept.turns[turn.turn_id] = replace(kept, decision=turn.decision)

    async def open(
        self, entry: LedgerEntry, limits: Sequence[Limit], *, draws: bool = False
    ) -> LedgerEntry:
        """Open an entry and hold its amount in every limit."""
        known = self._kept.entries.get(entry.call_id)
        if known is not None and known.status in (CallStatus.DONE, CallStatus.FAILED):
            return known
        await self._refuse_beyond(entry.hold, limits, entry.turn_id if draws else "")
        scope_ids = to_scope_ids(entry, entry.user_id)
        held_in = self._budget_ids(limits, scope_ids, entry.created_at)
        if known is not None:
            is_open = known.status is CallStatus.OPEN
            if is_open:
                self._settle(known, spent=known.hold)
            earlier = known.hold if is_open else known.cost or 0
            entry = replace(
                entry,
                created_at=known.created_at,
                attempt=known.attempt + 1,
                lost_cost=known.lost_cost + earlier,
            )
        self._hold(entry, held_in, draws=draws)
        self._kept.entries[entry.call_id] = entry
        return entry

    async def _refuse_beyond(self, hold: int, limits: Sequence[Limit], turn_id: str) -> None:
        states = await self.states(limits, turn_id=turn_id)
        if hold and any(state.available < hold for state in states):
            raise to_exceeded_error(states, hold)

    def _hold(self, entry: LedgerEntry, held_in: Sequence[str], *, draws: bool) -> None:
        """Draw a hold from the turn's reservation, and hold what goes beyond it."""
        reserved = self._kept.reservations.get(entry.turn_id) if draws else None
        reserved = reserved or Reservation(0, ())
        drawn = min(reserved.remaining, entry.hold)
        reserved.remaining -= drawn
        all_held_in = tuple(in_hold_order({*held_in, *reserved.held_in}))
        for budget_id in all_held_in:
            is_drawn = budget_id in reserved.held_in
            self._budget(budget_id).held += entry.hold - (drawn if is_drawn else 0)
        self._kept.held[entry.call_id] = Held(all_held_in, drawn)

    def _budget_ids(
        self, limits: Sequence[Limit], scope_ids: Mapping[Scope, str], at: datetime
    ) -> tuple[str, ...]:
        """Where a sum is held: in these limits, and in every other budget that has begun there."""
        for limit in limits:
            self._seeded(limit)
        begun = [
            budget_id
            for budget_id, budget in self._kept.budgets.items()
            if scope_ids[budget.limit.scope] == budget.limit.scope_id
            and budget.limit.window.starts_at <= at < budget.limit.window.ends_at
        ]
        return tuple(in_hold_order([*begun, *(to_budget_id(limit) for limit in limits)]))

    def _budget(self, budget_id: str) -> Budget:
        return self._kept.budgets[budget_id]

    def _settle(self, entry: LedgerEntry, *, spent: int) -> None:
        """Turn an entry's hold into what is spent; what was reserved and not used goes back."""
        held = self._kept.held[entry.call_id]
        for budget_id in held.held_in:
            budget = self._budget(budget_id)
            budget.held -= entry.hold
            budget.spent += spent
        reserved = self._kept.reservations.get(entry.turn_id)
        if reserved is not None:
            unused = held.drawn - min(spent, held.drawn)
            reserved.remaining += unused
            for budget_id in reserved.held_in:
                self._budget(budget_id).held += unused

    async def close(self, entry: LedgerEntry) -> bool:
        """Settle an open entry in the limits of its hold."""
        known = self._kept.entries.get(entry.call_id)
        if known is None or known.status is not CallStatus.OPEN or known.attempt != entry.attempt:
            return False
        self._settle(known, spent=entry.cost or 0)
        self._kept.entries[entry.call_id] = replace(
            entry, hold=known.hold, lost_cost=known.lost_cost
        )
        return True

    async def states(
        self, limits: Sequence[Limit], *, turn_id: str = ""
    ) -> tuple[BudgetState, ...]:
        """How much of each limit is spent and held, beside what that turn has reserved."""
        reserved = self._kept.reservations.get(turn_id) or Reservation(0, ())
        return tuple(
            BudgetState(
                limit=limit,
                spent=budget.spent,
                held=budget.held
                - (reserved.remaining if to_budget_id(limit) in reserved.held_in else 0),
            )
            for limit, budget in [(limit, self._seeded(limit)) for limit in limits]
        )

    def _seeded(self, limit: Limit) -> Budget:
        """A limit's budget; a new one begins with what was spent and is held in its window."""
        budget_id = to_budget_id(limit)
        if budget_id not in self._kept.budgets:
            self._kept.budgets[budget_id] = self._begun(limit, budget_id)
        return self._kept.budgets[budget_id]

    def _begun(self, limit: Limit, budget_id: str) -> Budget:
        """A new budget; what is open is settled in it, too."""
        budget, place = Budget(limit), to_place(limit)
        window = limit.window
        for entry in self._kept.entries.values():
            if (
                _is_in(place, entry, entry.user_id)
                and window.starts_at <= entry.created_at < window.ends_at
            ):
                budget.spent += entry.spent
                if entry.status is CallStatus.OPEN:
                    budget.held += entry.hold
                    held = self._kept.held[entry.call_id]
                    self._kept.held[entry.call_id] = replace(
                        held, held_in=(*held.held_in, budget_id)
                    )
        for turn_id, reserved in self._kept.reservations.items():
            turn = self._kept.turns.get(turn_id)
            if turn is not None and _is_in(place, turn.key, turn.user_id):
                budget.held += reserved.remaining
                reserved.held_in = (*reserved.held_in, budget_id)
        return budget

    async def claim_alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[BudgetAlert, ...]:
        """The marks that were come to and not said in their window; notes them as said."""
        claimed = []
        for alert in to_alerts(await self.states(limits), is_used_up=is_used_up):
            limit = alert.state.limit
            said = self._kept.alerted.get(to_budget_id(limit), (limit.cap, 0))
            if said[0] != limit.cap or said[1] < alert.mark:
                self._kept.alerted[to_budget_id(limit)] = (limit.cap, alert.mark)
                claimed.append(alert)
        return tuple(claimed)

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The entries of one turn, oldest first."""
        return tuple(e for e in self._kept.entries.values() if e.turn_id == turn_id)

    def release_open_calls(self, turn_id: str) -> int:
        """Book the open calls of a turn that is over as lost; give back what it had reserved."""
        calls = [e for e in self._kept.entries.values() if e.turn_id == turn_id]
        lost = [e for e in calls if e.status is CallStatus.OPEN]
        for entry in lost:
            self._settle(entry, spent=entry.hold)
            self._kept.entries[entry.call_id] = replace(
                entry,
                status=CallStatus.CANCELLED,
                cost=0,
                list_price=0,
                lost_cost=entry.lost_cost + entry.hold,
            )
        reserved = self._kept.reservations.pop(turn_id, None)
        if reserved is None:
            return len(lost)
        for budget_id in reserved.held_in:
            self._budget(budget_id).held -= reserved.remaining
        return len(lost) + 1
