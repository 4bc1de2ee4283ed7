"""What every store promises about money: holds, settlements, attempts, caps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.budget import Limit, limits_for
from bot.caps import Period, Scope
from bot.errors import BudgetExceededError
from bot.ledger import CallStatus
from bot.settings import Settings
from storage.convert_money import to_budget_id
from tests.contract.conftest import AnyStore
from tests.contract.examples import (
    NOON,
    PLACE,
    accepted,
    answered,
    begun,
    done,
    entry,
    limit,
)

USER = limit(Scope.USER, scope_id="test/w/ann", cap=500, period=Period.DAY)
ALL = limit(cap=1_000)


async def _used(store: AnyStore, *limits: Limit) -> list[tuple[int, int]]:
    return [(state.spent, state.held) for state in await store.states(limits)]


async def test_opening_holds_and_closing_settles_in_every_limit(store: AnyStore) -> None:
    opened = await store.open(entry(hold=100), [USER, ALL])
    assert await _used(store, USER, ALL) == [(0, 100), (0, 100)]

    assert await store.close(done(opened, cost=40))

    assert await _used(store, USER, ALL) == [(40, 0), (40, 0)]
    assert await store.entries(opened.turn_id) == (done(opened, cost=40),)


async def test_a_closed_entry_is_returned_as_kept_and_holds_nothing(store: AnyStore) -> None:
    closed = done(await store.open(entry(), [ALL]))
    await store.close(closed)

    assert await store.open(entry(hold=900), [ALL]) == closed
    assert await _used(store, ALL) == [(40, 0)]


async def test_a_failed_entry_is_returned_as_kept(store: AnyStore) -> None:
    opened = await store.open(entry(), [ALL])
    failed = replace(opened, status=CallStatus.FAILED, cost=0, error="RateLimitError")
    await store.close(failed)

    assert await store.open(entry(), [ALL]) == failed


async def test_an_entry_closes_once(store: AnyStore) -> None:
    opened = await store.open(entry(), [ALL])

    assert await store.close(done(opened))
    assert not await store.close(done(opened, cost=99))
    assert not await store.close(entry("test:never:answer1"))
    assert await _used(store, ALL) == [(40, 0)]


async def test_a_cut_call_is_booked_as_lost_when_it_is_opened_again(store: AnyStore) -> None:
    await store.open(entry(hold=100), [ALL])

    again = await store.open(entry(hold=70), [ALL])

    assert (again.attempt, again.lost_cost, again.hold) == (2, 100, 70)
    assert await _used(store, ALL) == [(100, 70)]


async def test_a_cancelled_call_stays_paid_when_it_is_opened_again(store: AnyStore) -> None:
    opened = await store.open(entry(hold=100), [ALL])
    await store.close(replace(opened, status=CallStatus.CANCELLED, cost=30))

    again = await store.open(entry(hold=70), [ALL])

    assert (again.attempt, again.lost_cost) == (2, 30)
    assert await _used(store, ALL) == [(30, 70)]


async def test_losses_add_up_over_attempts(store: AnyStore) -> None:
    for _ in range(3):
        opened = await store.open(entry(hold=100), [ALL])
    assert await store.close(done(opened, cost=40))

    (kept,) = await store.entries(opened.turn_id)
    assert (kept.attempt, kept.lost_cost, kept.spent) == (3, 200, 240)
    assert await _used(store, ALL) == [(240, 0)]


async def test_an_attempt_cannot_settle_for_its_successor(store: AnyStore) -> None:
    first = await store.open(entry(hold=100), [ALL])
    second = await store.open(entry(hold=100), [ALL])

    assert not await store.close(done(first, cost=1))
    assert await store.close(done(second, cost=40))
    assert await _used(store, ALL) == [(140, 0)]


async def test_refuses_what_a_limit_has_no_room_for_and_holds_nothing(store: AnyStore) -> None:
    await store.open(entry("test:m1:a", hold=450), [USER, ALL])

    with pytest.raises(BudgetExceededError) as refused:
        await store.open(entry("test:m1:b", hold=51), [USER, ALL])

    assert refused.value.available == 50
    assert refused.value.resets_at == USER.window.ends_at
    assert await _used(store, USER, ALL) == [(0, 450), (0, 450)]
    assert len(await store.entries("test:m1")) == 1


async def test_a_refusal_by_several_windows_names_the_one_that_ends_last(store: AnyStore) -> None:
    a_week = limit(Scope.USER, scope_id="test/w/ann", cap=510, period=Period.WEEK)
    await store.open(entry("test:m1:a", hold=500), [USER, a_week, ALL])

    with pytest.raises(BudgetExceededError) as refused:
        await store.open(entry("test:m1:b", hold=51), [USER, a_week, ALL])

    assert refused.value.available == 0
    assert refused.value.resets_at == a_week.window.ends_at
    assert await _used(store, USER, a_week, ALL) == [(0, 500)] * 3


async def test_holds_up_to_the_cap_itself(store: AnyStore) -> None:
    await store.open(entry("test:m1:a", hold=1_000), [ALL])

    assert await _used(store, ALL) == [(0, 1_000)]
    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m1:b", hold=1), [ALL])


async def test_what_costs_nothing_has_room_in_a_spent_budget(store: AnyStore) -> None:
    opened = await store.open(entry("test:m1:a", hold=1_000), [ALL])
    await store.close(done(opened, cost=1_200))

    free = await store.open(entry("test:m1:b", hold=0), [ALL])

    assert await store.close(done(free, cost=0))
    assert await _used(store, ALL) == [(1_200, 0)]


async def test_an_unpriced_call_is_kept_without_a_cost(store: AnyStore) -> None:
    opened = await store.open(entry(hold=0), [ALL])
    await store.close(done(opened, cost=None))

    assert (await store.entries(opened.turn_id))[0].cost is None


async def test_a_call_opened_again_must_fit_beside_what_it_lost(store: AnyStore) -> None:
    await store.open(entry(hold=600), [ALL])

    with pytest.raises(BudgetExceededError) as refused:
        await store.open(entry(hold=600), [ALL])

    assert refused.value.available == 400
    assert await _used(store, ALL) in ([(0, 600)], [(600, 0)])
    again = await store.open(entry(hold=400), [ALL])
    assert (again.attempt, again.lost_cost) == (2, 600)
    assert await _used(store, ALL) == [(600, 400)]


async def test_settles_in_the_window_of_its_hold(store: AnyStore) -> None:
    later = NOON + timedelta(days=20)
    november, december = ALL, limit(at=later)
    opened = await store.open(entry(hold=100), [november])
    await store.close(done(opened))
    cut = await store.open(entry("test:m1:b", hold=70), [november])
    await store.open(replace(entry("test:m1:b", hold=50), created_at=later), [december])

    assert cut.attempt == 1
    assert await _used(store, november, december) == [(110, 0), (0, 50)]


async def test_many_at_once_never_pass_the_cap(store: AnyStore) -> None:
    async def spend(number: int) -> int:
        try:
            opened = await store.open(entry(f"test:m{number}:a", hold=30), [USER, ALL])
        except BudgetExceededError:
            return 0
        (state,) = await store.states([USER])
        assert state.spent + state.held <= USER.cap
        assert await store.close(done(opened, cost=20))
        return 20

    spent = sum(await asyncio.gather(*(spend(number) for number in range(60))))

    assert 0 < spent <= USER.cap
    assert await _used(store, USER, ALL) == [(spent, 0), (spent, 0)]


async def test_no_window_of_any_period_is_passed_by_many_at_once(store: AnyStore) -> None:
    caps = Settings(
        user_daily_cap=100, user_weekly_cap=250, channel_monthly_cap=700, workspace_daily_cap=90
    )
    days = [NOON + timedelta(days=number % 10) for number in range(80)]
    by_day = {at: limits_for(PLACE, "ann", caps, {Period.MONTH: 600}, at) for at in days}

    async def spend(number: int) -> int:
        call = replace(entry(f"test:m{number}:a", hold=30), created_at=days[number])
        try:
            opened = await store.open(call, by_day[days[number]])
        except BudgetExceededError:
            return 0
        states = await store.states(by_day[days[number]])
        assert all(state.spent + state.held <= state.limit.cap for state in states)
        assert await store.close(done(opened, cost=20))
        return 20

    spent = await asyncio.gather(*(spend(number) for number in range(80)))

    for each in {to_budget_id(x): x for limits in by_day.values() for x in limits}.values():
        inside = [each.window.starts_at <= at < each.window.ends_at for at in days]
        used = sum(cost for cost, is_inside in zip(spent, inside, strict=True) if is_inside)
        assert await _used(store, each) == [(used, 0)]
        assert used <= each.cap
    assert sum(spent) >= 300


async def test_a_raised_cap_counts_at_once(store: AnyStore) -> None:
    await store.open(entry("test:m1:a", hold=1_000), [ALL])

    await store.open(entry("test:m1:b", hold=500), [replace(ALL, cap=2_000)])

    assert await _used(store, ALL) == [(0, 1_500)]


async def _spend(store: AnyStore, cost: int, *limits: Limit, step: str = "a") -> None:
    opened = await store.open(entry(f"test:m1:{step}", hold=cost), limits)
    await store.close(done(opened, cost=cost))


async def test_each_mark_is_said_once_in_a_window(store: AnyStore) -> None:
    assert await store.claim_alerts([USER, ALL]) == ()
    await _spend(store, 400, USER, ALL, step="a")

    (at_80,) = await store.claim_alerts([USER, ALL])
    assert await store.claim_alerts([USER, ALL]) == ()
    await _spend(store, 100, USER, ALL, step="b")
    (at_100,) = await store.claim_alerts([USER, ALL])

    assert (at_80.state.limit, at_80.state.spent, at_80.mark) == (USER, 400, 80)
    assert (at_100.state.limit, at_100.state.spent, at_100.mark) == (USER, 500, 100)
    assert await store.claim_alerts([USER, ALL]) == ()


async def test_of_two_marks_that_are_passed_at_once_the_last_is_said(store: AnyStore) -> None:
    await _spend(store, 500, USER)

    assert [alert.mark for alert in await store.claim_alerts([USER])] == [100]
    assert await store.claim_alerts([USER]) == ()


async def test_a_refusal_at_the_end_of_a_budget_says_that_it_is_used_up(store: AnyStore) -> None:
    await _spend(store, 460, USER, ALL)

    (alert,) = await store.claim_alerts([USER, ALL], is_used_up=True)

    assert (alert.state.limit, alert.mark) == (USER, 100)
    await _spend(store, 40, USER, ALL, step="b")
    assert await store.claim_alerts([USER, ALL]) == ()


async def test_a_call_too_dear_for_a_budget_with_much_left_is_no_alert(store: AnyStore) -> None:
    await _spend(store, 100, USER, ALL)

    assert await store.claim_alerts([USER, ALL], is_used_up=True) == ()


async def test_a_new_cap_has_marks_of_its_own(store: AnyStore) -> None:
    await _spend(store, 500, USER)
    await store.claim_alerts([USER])
    raised = replace(USER, cap=1_000)
    assert await store.claim_alerts([raised]) == ()
    await _spend(store, 300, raised, step="b")

    assert [alert.mark for alert in await store.claim_alerts([raised])] == [80]


async def test_a_cap_set_when_its_window_was_paid_for_is_said_at_once(store: AnyStore) -> None:
    await _spend(store, 500)

    assert [alert.mark for alert in await store.claim_alerts([USER])] == [100]
    assert await store.claim_alerts([USER]) == ()


async def test_of_many_who_ask_at_once_one_is_told(store: AnyStore) -> None:
    await _spend(store, 500, USER)

    told = await asyncio.gather(*(store.claim_alerts([USER]) for _ in range(8)))

    assert sum(map(len, told)) == 1


async def test_without_limits_nothing_is_held_and_all_is_kept(store: AnyStore) -> None:
    opened = await store.open(entry(hold=100), [])

    assert await store.close(done(opened))
    assert await store.states([]) == ()
    assert await store.claim_alerts([]) == ()


async def test_sweep_books_the_open_calls_of_ended_turns_as_lost(store: AnyStore) -> None:
    over = await answered(store, 1)
    going = await begun(store, await accepted(store, 2))
    await store.open(entry(f"{going.turn_id}:a", hold=10, turn_id=going.turn_id), [ALL])
    await store.open(entry(f"{over.turn_id}:late", hold=100, turn_id=over.turn_id), [ALL])
    await store.open(entry("test:gone:a", hold=1, turn_id="test:gone"), [ALL])

    assert await store.sweep() == 2
    assert await store.sweep() == 0

    (late,) = await store.entries(over.turn_id)
    assert (late.status, late.lost_cost, late.spent) == (CallStatus.CANCELLED, 100, 100)
    assert await _used(store, ALL) == [(101, 10)]


async def test_a_cap_that_is_set_in_mid_window_counts_what_was_spent_before(
    store: AnyStore,
) -> None:
    await store.close(done(await store.open(entry(hold=100), [ALL]), cost=40))
    workspace = limit(Scope.WORKSPACE, scope_id="test/w", cap=100)
    a_week = limit(Scope.CHANNEL, scope_id="test/w/c", period=Period.WEEK)
    next_day = limit(
        Scope.CHANNEL, scope_id="test/w/c", period=Period.DAY, at=NOON + timedelta(days=1)
    )
    assert await _used(store, workspace, USER, a_week) == [(40, 0)] * 3
    assert await _used(store, next_day) == [(0, 0)]

    later = entry("test:m1:answer2", hold=61)
    with pytest.raises(BudgetExceededError):
        await store.open(later, [workspace])
    await store.open(replace(later, hold=60), [workspace])
    assert await _used(store, workspace) == [(40, 60)]


async def test_a_cap_taken_away_and_set_again_counts_what_was_spent_between(
    store: AnyStore,
) -> None:
    await _spend(store, 10, USER, step="a")
    await _spend(store, 100, step="b")
    going = await store.open(entry("test:m1:c", hold=50), [])

    assert await _used(store, USER) == [(110, 50)]
    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m1:d", hold=341), [USER])
    await store.close(done(going, cost=20))
    assert await _used(store, USER) == [(130, 0)]


async def test_a_call_under_way_counts_in_a_cap_that_is_set_meanwhile(store: AnyStore) -> None:
    going = await store.open(entry("test:m1:a", hold=450), [])

    assert await _used(store, USER) == [(0, 450)]
    with pytest.raises(BudgetExceededError):
        await store.open(entry("test:m1:b", hold=51), [USER])
    await _spend(store, 50, USER, step="b")

    await store.close(done(going, cost=300))
    assert await _used(store, USER) == [(350, 0)]


async def test_what_a_call_under_way_had_lost_counts_in_a_cap_that_is_set_meanwhile(
    store: AnyStore,
) -> None:
    for hold in (100, 70, 60):
        going = await store.open(entry(hold=hold), [])
    await _spend(store, 5, USER, step="b")

    assert await _used(store, USER) == [(175, 60)]
    await store.close(done(going, cost=40))
    assert await _used(store, USER) == [(215, 0)]


async def test_a_call_opened_again_counts_in_a_cap_that_was_taken_away(store: AnyStore) -> None:
    await store.open(entry(hold=100), [USER])
    again = await store.open(entry(hold=70), [])

    assert await _used(store, USER) == [(100, 70)]
    await store.close(done(again, cost=40))
    assert await _used(store, USER) == [(140, 0)]


async def test_a_cap_counts_nobody_elses_calls_and_no_other_windows(store: AnyStore) -> None:
    await _spend(store, 10, USER, step="a")
    elsewhere = (
        replace(entry("test:m2:a"), user_id="bob"),
        replace(entry("test:m3:a"), user_id="bob", channel_id="ann"),
        replace(entry("test:m4:a"), workspace_id="other"),
        replace(entry("test:m5:a"), created_at=USER.window.ends_at),
        replace(entry("test:m6:a"), created_at=USER.window.starts_at - timedelta(seconds=1)),
    )
    for call in elsewhere:
        await store.close(done(await store.open(call, []), cost=40))

    assert await _used(store, USER) == [(10, 0)]


@pytest.mark.parametrize("cap", [600, 900])
async def test_calls_at_once_while_a_cap_comes_and_goes_all_count(
    store: AnyStore, cap: int
) -> None:
    caps = [limit(Scope.USER, scope_id="test/w/ann", cap=cap), limit(cap=cap)]
    spent: list[int] = []

    async def call(name: str, limits: list[Limit]) -> None:
        try:
            opened = await store.open(entry(name, hold=30), limits)
        except BudgetExceededError:
            return
        states = await store.states(limits)
        assert all(state.spent + state.held <= state.limit.cap for state in states)
        spent.append(20)
        assert await store.close(done(opened, cost=20))

    going = [await store.open(entry(f"test:m{number}:a", hold=30), []) for number in range(10)]
    for limits in (caps[:1], [], caps):
        names = [f"test:{len(limits)}:a{number}" for number in range(4 - 2 * len(limits))]
        without = [store.open(entry(name, hold=9), []) for name in names]
        with_caps = [call(f"test:{len(limits)}:b{n}", limits) for n in range(8)]
        closing = [store.close(done(going.pop(), cost=25)) for _ in range(3)]
        opened, *_ = await asyncio.gather(
            asyncio.gather(*without), asyncio.gather(*with_caps), asyncio.gather(*closing)
        )
        going.extend(opened)
    total = sum(spent) + 9 * 25
    await asyncio.gather(*(store.close(done(each, cost=5)) for each in going))
    total += 5 * len(going)

    turns = [*(f"test:m{number}" for number in range(10)), "test:0", "test:1", "test:2"]
    entries = [await store.entries(turn_id) for turn_id in turns]
    assert sum(entry.spent for each in entries for entry in each) == total
    assert await _used(store, *caps) == [(total, 0)] * 2
    assert total <= cap
