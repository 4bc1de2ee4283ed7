"""Caps hold for a local day, week or month, across changes of the clocks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import (
    BudgetState,
    Limit,
    alert_message,
    limits_for,
    tightest,
    to_alerts,
    to_exceeded_error,
    window_at,
)
from bot.caps import CAPS, NO_CAPS, Period, Scope
from bot.money import NANOUSD
from bot.settings import Settings, resolve
from tests.fakes import NOON, PLACE

BERLIN = ZoneInfo("Europe/Berlin")


def _state(
    spent: int,
    *,
    held: int = 0,
    cap: int = 100,
    scope: Scope = Scope.INSTANCE,
    period: Period = Period.MONTH,
) -> BudgetState:
    window = window_at(NOON, period, UTC)
    limit = Limit(scope=scope, scope_id="", window=window, cap=cap * NANOUSD)
    return BudgetState(limit=limit, spent=spent * NANOUSD, held=held * NANOUSD)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.DAY, "2026-11-22T23:00", "2026-11-23T23:00"),
        (Period.WEEK, "2026-11-22T23:00", "2026-11-29T23:00"),
        (Period.MONTH, "2026-10-31T23:00", "2026-11-30T23:00"),
    ],
)
def test_a_window_is_local(period: Period, start: str, end: str) -> None:
    window = window_at(NOON, period, BERLIN)
    assert window.starts_at.isoformat().startswith(start)
    assert window.ends_at.isoformat().startswith(end)


def test_the_day_on_which_the_clocks_go_back_has_25_hours() -> None:
    window = window_at(datetime(2026, 10, 25, 12, tzinfo=UTC), Period.DAY, BERLIN)
    assert window.ends_at - window.starts_at == timedelta(hours=25)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 # hypothesis wants naive bounds
    st.sampled_from(list(Period)),
    st.sampled_from([UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")]),
)
def test_windows_hold_their_moment_and_follow_one_another(
    now: datetime, period: Period, zone: ZoneInfo
) -> None:
    window = window_at(now, period, zone)
    assert window.starts_at <= now < window.ends_at
    assert window_at(window.ends_at, period, zone).starts_at == window.ends_at


def test_only_caps_that_are_set_limit_a_call_the_busiest_last() -> None:
    settings = Settings(user_daily_cap=5, workspace_monthly_cap=7)
    limits = limits_for(PLACE, "ada", settings, {Period.MONTH: 9}, NOON)
    assert [(x.scope, x.scope_id, x.cap) for x in limits] == [
        (Scope.USER, "test/w/ada", 5),
        (Scope.WORKSPACE, "test/w", 7),
        (Scope.INSTANCE, "", 9),
    ]


def test_a_channel_cap_counts_for_its_channel_alone() -> None:
    (limit,) = limits_for(PLACE, "ada", Settings(channel_monthly_cap=3), NO_CAPS, NOON)
    assert (limit.scope, limit.scope_id) == (Scope.CHANNEL, "test/w/c")


def test_caps_of_every_period_hold_at_once() -> None:
    settings = Settings(
        user_daily_cap=1, user_weekly_cap=2, channel_daily_cap=3, workspace_weekly_cap=4
    )
    limits = limits_for(PLACE, "ada", settings, {Period.MONTH: 6, Period.DAY: 5}, NOON)
    assert [(x.scope, x.window.period, x.cap) for x in limits] == [
        (Scope.USER, Period.DAY, 1),
        (Scope.USER, Period.WEEK, 2),
        (Scope.CHANNEL, Period.DAY, 3),
        (Scope.WORKSPACE, Period.WEEK, 4),
        (Scope.INSTANCE, Period.DAY, 5),
        (Scope.INSTANCE, Period.MONTH, 6),
    ]


@given(
    st.dictionaries(st.sampled_from(sorted(CAPS)), st.integers(0, 1_000_000)),
    st.sampled_from([UTC, BERLIN]),
)
def test_each_cap_that_is_set_limits_its_own_window_in_the_places_zone(
    caps: dict[str, int], zone: ZoneInfo
) -> None:
    settings = replace(resolve([{name: str(usd) for name, usd in caps.items()}]), zone=zone)
    limits = limits_for(PLACE, "ada", settings, NO_CAPS, NOON)
    assert [(x.scope, x.window, x.cap) for x in limits] == [
        (spec.scope, window_at(NOON, spec.period, zone), caps[name] * NANOUSD)
        for name, spec in CAPS.items()
        if name in caps
    ]


def test_what_is_held_is_not_available() -> None:
    assert _state(60, held=30).available == 10 * NANOUSD
    assert _state(120).available == 0


def test_a_budget_is_low_from_nine_tenths() -> None:
    assert not _state(89).is_low
    assert _state(80, held=10).is_low


def test_a_cap_of_nothing_is_used_up() -> None:
    assert _state(0, cap=0).used_percent == 100
    assert not _state(0, cap=0).is_low


def test_the_tightest_is_the_one_with_least_left() -> None:
    assert tightest([_state(10), _state(95), _state(50)]) == _state(95)
    assert tightest([]) is None


def test_a_refusal_names_the_cap_and_when_it_ends() -> None:
    error = to_exceeded_error([_state(99)], 2 * NANOUSD)
    assert str(error) == (
        "The budget of $100.00 a month has no room for this. "
        "It starts anew on 1 December, 00:00 UTC. "
        "Whoever runs Parley can raise it: PARLEY_MONTHLY_CAP_USD."
    )
    assert error.available == NANOUSD


def test_of_caps_without_room_a_refusal_names_the_one_that_ends_last() -> None:
    day, week = _state(100, period=Period.DAY), _state(99, period=Period.WEEK)
    month = _state(10, period=Period.MONTH)
    error = to_exceeded_error([day, week, month], 2 * NANOUSD)
    assert error.resets_at == week.limit.window.ends_at
    assert error.available == 0
    assert "$100.00 a week has no room for this. It starts anew on 30 November" in str(error)


def test_a_cap_with_just_enough_room_has_not_refused() -> None:
    day, month = _state(99, period=Period.DAY), _state(98)
    assert to_exceeded_error([month, day], 2 * NANOUSD).resets_at == day.limit.window.ends_at


def test_of_caps_that_end_together_a_refusal_names_the_tightest() -> None:
    error = to_exceeded_error([_state(100, scope=Scope.USER), _state(99)], 2 * NANOUSD)
    assert str(error).startswith("Your budget")


def test_a_refusal_names_the_tightest_when_all_have_room_again() -> None:
    day, month = _state(90, period=Period.DAY), _state(10)
    assert to_exceeded_error([month, day], 1).resets_at == day.limit.window.ends_at


@given(
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from(list(Period))), min_size=1),
    st.integers(1, 50),
)
def test_at_the_time_that_a_refusal_names_every_cap_that_refused_starts_anew(
    used: list[tuple[int, Period]], usd: int
) -> None:
    states = [_state(spent, period=period) for spent, period in used]
    error = to_exceeded_error(states, usd * NANOUSD)
    assert error.resets_at is not None
    assert error.available == min(state.available for state in states)
    refusing = [state for state in states if state.available < usd * NANOUSD]
    assert all(state.limit.window.ends_at <= error.resets_at for state in refusing)


@pytest.mark.parametrize("period", list(Period))
def test_a_refusal_of_the_instance_names_what_raises_that_cap(period: Period) -> None:
    text = str(to_exceeded_error([_state(99, period=period)], 2 * NANOUSD))
    assert f"$100.00 a {period} has no room" in text
    assert f"PARLEY_{period.adverb.upper()}_CAP_USD" in text


def test_an_alert_names_what_is_used() -> None:
    (alert,) = to_alerts([_state(81)], is_used_up=False)
    assert alert_message(alert) == "The budget is 81 % used: $81.00 of $100.00 a month."


def test_the_last_alert_says_until_when() -> None:
    (alert,) = to_alerts([_state(100, scope=Scope.USER)], is_used_up=False)
    assert alert_message(alert, "Ann's") == (
        "Ann's budget is used up: $100.00 of $100.00 a month. "
        "Only what costs nothing answers until 1 December, 00:00 UTC. An admin can raise it."
    )


def test_only_the_tightest_is_used_up_by_a_refusal() -> None:
    alerts = to_alerts([_state(85), _state(97)], is_used_up=True)
    assert [(alert.state, alert.mark) for alert in alerts] == [(_state(85), 80), (_state(97), 100)]


def test_a_cap_of_nothing_needs_no_alert() -> None:
    state = BudgetState(limit=replace(_state(1).limit, cap=0), spent=0, held=0)
    assert to_alerts([state], is_used_up=True) == ()
