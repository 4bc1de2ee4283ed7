"""What every store promises about sums held for a whole turn: taken once, drawn on, given back."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget import Limit
from bot.caps import Period, Scope
from bot.errors import BudgetExceededError
from bot.ledger import CallStatus, LedgerEntry
from bot.ports import Store
from bot.turns import Turn, TurnStatus
from storage import MemoryStore
from tests.contract.conftest import AnyStore
from tests.contract.examples import NOON, accepted, begun, done, entry, limit

USER = limit(Scope.USER, scope_id="test/w/ann", cap=500, period=Period.DAY)
ALL = limit(cap=1_000)
BOTH = (USER, ALL)
PLAN = {"strategy": "debate", "plan": "ada answers"}


async def _used(store: Store, *limits: Limit) -> list[tuple[int, int]]:
    return [(state.spent, state.held) for state in await store.states(limits)]


async def _reserved(store: Store, amount: int, number: int = 1) -> Turn:
    turn = replace(await begun(store, await accepted(store, number)), decision=PLAN)
    await store.reserve(turn, amount, BOTH)
    return turn


async def _drawn(store: Store, hold: int, step: str = "a", number: int = 1) -> LedgerEntry:
    return await store.open(entry(f"test:m{number}:{step}", hold=hold), BOTH, draws=True)


async def _ended(store: Store, turn: Turn) -> None:
    await store.finish(replace(turn, status=TurnStatus.DONE, finished_at=NOON))


async def test_a_turn_holds_its_estimate_in_every_limit_and_keeps_its_plan(store: AnyStore) -> None:
    turn = await _reserved(store, 300)

    assert await _used(store, *BOTH) == [(0, 300), (0, 300)]
    kept = await store.turn(turn.turn_id)
    assert kept is not None
    assert kept.decision == PLAN


async def test_it_reserves_once_however_often_it_is_run(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    await store.reserve(turn, 300, BOTH)

    assert await _used(store, *BOTH) == [(0, 300), (0, 300)]


async def test_without_room_in_one_limit_nothing_is_held_in_any(store: AnyStore) -> None:
    turn = await begun(store, await accepted(store, 1))

    with pytest.raises(BudgetExceededError) as refused:
        await store.reserve(replace(turn, decision=PLAN), 501, BOTH)

    assert refused.value.available == 500
    assert await _used(store, *BOTH) == [(0, 0), (0, 0)]
    kept = await store.turn(turn.turn_id)
    assert kept is not None
    assert kept.decision == {}


async def test_a_turn_that_goes_on_the_next_day_needs_room_on_that_day_for_what_is_beyond(
    store: AnyStore,
) -> None:
    turn = await _reserved(store, 300)
    next_day = USER.at(USER.window.ends_at)
    limits = (*BOTH, next_day)
    opened = await store.open(entry(hold=200), limits, draws=True)
    held = await _used(store, *limits)
    await store.close(done(opened, cost=40))
    settled = await _used(store, *limits)
    await store.open(entry("test:m2:answer1", hold=200), [next_day])

    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m1:b", hold=261), limits, draws=True)
    await store.open(entry("test:m1:b", hold=260), limits, draws=True)
    await _ended(store, turn)

    assert held == [(0, 300)] * 3
    assert settled == [(40, 260)] * 3
    assert (await _used(store, next_day)) == [(300, 200)]


async def test_a_turn_that_costs_nothing_keeps_its_plan_alone(store: AnyStore) -> None:
    turn = await _reserved(store, 0)

    assert await _used(store, *BOTH) == [(0, 0), (0, 0)]
    kept = await store.turn(turn.turn_id)
    assert kept is not None
    assert kept.decision == PLAN


async def test_a_call_draws_on_what_is_reserved_and_gives_the_rest_back(store: AnyStore) -> None:
    await _reserved(store, 300)
    opened = await _drawn(store, 200)
    assert await _used(store, *BOTH) == [(0, 300), (0, 300)]

    await store.close(done(opened, cost=50))

    assert await _used(store, *BOTH) == [(50, 250), (50, 250)]


async def test_only_what_goes_beyond_must_find_room(store: AnyStore) -> None:
    await _reserved(store, 300)
    opened = await _drawn(store, 500)
    assert await _used(store, *BOTH) == [(0, 500), (0, 500)]

    await store.close(done(opened, cost=400))

    assert await _used(store, *BOTH) == [(400, 0), (400, 0)]


async def test_a_call_that_goes_beyond_all_room_is_told_what_it_may_hold(store: AnyStore) -> None:
    await _reserved(store, 300)

    with pytest.raises(BudgetExceededError) as refused:
        await _drawn(store, 501)

    assert refused.value.available == 500
    assert await _used(store, *BOTH) == [(0, 300), (0, 300)]
    assert await store.entries("test:m1") == ()


async def test_what_is_reserved_is_not_held_against_its_own_turn(store: AnyStore) -> None:
    await _reserved(store, 300)

    (own, _), (other, _) = (
        await store.states(BOTH, turn_id="test:m1"),
        await store.states(BOTH, turn_id="test:m2"),
    )
    assert (own.available, other.available) == (500, 200)


async def test_another_turn_finds_no_room_in_what_is_reserved(store: AnyStore) -> None:
    await _reserved(store, 300)

    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m2:a", hold=201), BOTH, draws=True)
    with pytest.raises(BudgetExceededError):
        await store.reserve(await begun(store, await accepted(store, 2)), 201, BOTH)


async def test_what_is_reserved_is_no_room_in_a_budget_that_is_overspent(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    other = await store.open(entry("test:m2:a", hold=200), BOTH)
    await store.close(done(other, cost=450))  # a provider that bills more than was held

    with pytest.raises(BudgetExceededError) as refused:
        await _drawn(store, 51)
    assert await store.close(done(await _drawn(store, 50), cost=10))

    assert refused.value.available == 50
    assert await _used(store, *BOTH) == [(460, 290), (460, 290)]
    await _ended(store, turn)
    assert await _used(store, *BOTH) == [(460, 0), (460, 0)]


async def test_the_turns_end_gives_back_what_is_left(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    await store.close(done(await _drawn(store, 200), cost=50))
    await _ended(store, turn)

    assert await _used(store, *BOTH) == [(50, 0), (50, 0)]


async def test_the_turns_end_books_a_call_that_is_open_as_lost(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    await _drawn(store, 200)
    await _ended(store, turn)

    assert await _used(store, *BOTH) == [(200, 0), (200, 0)]


async def test_a_call_that_a_crash_cut_off_has_used_its_part(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    await _drawn(store, 200)

    await store.reserve(turn, 300, BOTH)
    again = await _drawn(store, 200)

    assert (again.attempt, again.lost_cost) == (2, 200)
    assert await _used(store, *BOTH) == [(200, 200), (200, 200)]
    await store.close(done(again, cost=40))
    assert await _used(store, *BOTH) == [(240, 60), (240, 60)]
    await _ended(store, turn)
    assert await _used(store, *BOTH) == [(240, 0), (240, 0)]


async def test_a_call_settles_where_its_turn_reserved_also_when_the_window_is_over(
    store: AnyStore,
) -> None:
    turn = await _reserved(store, 300)
    opened = await store.open(entry("test:m1:a", hold=200), (ALL,), draws=True)
    await store.close(done(opened, cost=50))

    assert await _used(store, *BOTH) == [(50, 250), (50, 250)]
    await _ended(store, turn)
    assert await _used(store, *BOTH) == [(50, 0), (50, 0)]


async def test_a_cap_that_is_set_meanwhile_must_have_room_for_the_whole_call(
    store: AnyStore,
) -> None:
    await _reserved(store, 300)
    channel = limit(Scope.CHANNEL, scope_id="test/w/c", cap=100)

    with pytest.raises(BudgetExceededError) as refused:
        await store.open(entry("test:m1:a", hold=101), (*BOTH, channel), draws=True)
    opened = await store.open(entry("test:m1:a", hold=100), (*BOTH, channel), draws=True)

    assert refused.value.available == 100
    assert await _used(store, *BOTH, channel) == [(0, 300)] * 3
    await store.close(done(opened, cost=30))
    assert await _used(store, *BOTH, channel) == [(30, 270)] * 3


async def test_a_cap_that_is_set_meanwhile_counts_what_is_reserved(store: AnyStore) -> None:
    turn = await _reserved(store, 300)
    opened = await _drawn(store, 200)
    channel = limit(Scope.CHANNEL, scope_id="test/w/c", cap=400)

    assert await _used(store, channel) == [(0, 300)]
    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m2:a", hold=101), [channel])
    other = await store.open(entry("test:m2:a", hold=100), [channel])

    assert await _used(store, channel) == [(0, 400)]
    await store.close(done(opened, cost=50))
    await store.close(done(other, cost=10))
    assert await _used(store, channel) == [(60, 250)]
    await _ended(store, turn)
    assert await _used(store, channel) == [(60, 0)]


async def test_what_is_reserved_counts_in_a_cap_that_was_taken_away(store: AnyStore) -> None:
    channel = limit(Scope.CHANNEL, scope_id="test/w/c", cap=400)
    await store.close(done(await store.open(entry("test:m9:a"), [channel]), cost=40))

    turn = await _reserved(store, 300)

    assert await _used(store, channel) == [(40, 300)]
    await store.close(done(await _drawn(store, 200), cost=50))
    assert await _used(store, channel) == [(90, 250)]
    await _ended(store, turn)
    assert await _used(store, channel) == [(90, 0)]


async def test_the_sweep_releases_what_a_turn_that_is_gone_or_over_still_holds(
    store: AnyStore,
) -> None:
    await _reserved(store, 100)
    over = await begun(store, await accepted(store, 2))
    await _ended(store, over)
    await store.reserve(over, 50, BOTH)  # as by a process that did not see its turn end
    await store.reserve(replace(over, turn_id="test:gone"), 20, BOTH)

    assert await store.sweep() == 2
    assert await store.sweep() == 0
    assert await _used(store, *BOTH) == [(0, 100), (0, 100)]


async def test_voices_at_once_draw_no_more_than_was_reserved(store: AnyStore) -> None:
    turn = await _reserved(store, 240)

    async def speak(number: int) -> None:
        await store.close(done(await _drawn(store, 40, f"a{number}"), cost=30))

    await asyncio.gather(*(speak(number) for number in range(6)))

    assert await _used(store, *BOTH) == [(180, 60), (180, 60)]
    await _ended(store, turn)
    assert await _used(store, *BOTH) == [(180, 0), (180, 0)]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_nothing_is_held_in_the_end(store: AnyStore, seed: int) -> None:
    await _live_through(store, random.Random(seed))


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_no_course_of_events_breaks_the_sums(dice: random.Random) -> None:
    asyncio.run(_live_through(MemoryStore(), dice))


class _Life:
    """Turns that reserve, call, crash and end in any order."""

    def __init__(self, store: Store, dice: random.Random) -> None:
        self.store = store
        self.dice = dice
        self.turns: dict[int, Turn] = {}
        self.opened: list[LedgerEntry] = []

    async def reserve(self) -> None:
        turn = self.dice.choice(list(self.turns.values()))
        await self.store.reserve(turn, self.dice.randrange(200), BOTH)

    async def open(self) -> None:
        number, step = self.dice.choice(list(self.turns)), self.dice.choice("abc")
        self.opened.append(await _drawn(self.store, self.dice.randrange(250), step, number))

    async def close(self) -> None:
        if self.opened:
            call = self.opened.pop(self.dice.randrange(len(self.opened)))
            status = self.dice.choice((CallStatus.DONE, CallStatus.FAILED, CallStatus.CANCELLED))
            closed = done(call, cost=self.dice.randrange(call.hold + 1))
            await self.store.close(replace(closed, status=status))

    async def crash(self) -> None:
        self.opened.clear()

    async def end(self) -> None:
        """End a turn, and begin another."""
        number = self.dice.choice(list(self.turns))
        await _ended(self.store, self.turns.pop(number))
        await self.begin(max([number, *self.turns]) + 1)

    async def begin(self, number: int) -> None:
        self.turns[number] = await begun(self.store, await accepted(self.store, number))


async def _live_through(store: Store, dice: random.Random) -> None:
    """The sums hold after every step, and nothing is held in the end."""
    life = _Life(store, dice)
    for number in (1, 2, 3):
        await life.begin(number)
    steps = [life.reserve, life.open, life.open, life.close, life.close, life.crash, life.end]
    for _ in range(40):
        with suppress(BudgetExceededError):
            await dice.choice(steps)()
        for state in await store.states(BOTH):
            assert state.held >= 0
            assert state.spent + state.held <= state.limit.cap
    last = max(life.turns)
    for turn in life.turns.values():
        await _ended(store, turn)
    entries = [await store.entries(f"test:m{number}") for number in range(1, last + 1)]
    spent = sum(entry.spent for each in entries for entry in each)
    assert await _used(store, *BOTH) == [(spent, 0), (spent, 0)]
