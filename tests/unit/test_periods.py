"""Stretches of time: cut without gaps, named as people name them, due once each."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.periods import Span, digest_week, month_left, same_before, stretch_at

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
moments = st.integers(0, 16 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
).map(ZoneInfo)


@given(now=moments, zone=zones, span=st.sampled_from(Span), years=st.integers(0, 9))
def test_a_stretch_holds_now_and_its_parts_leave_no_gap(
    now: datetime, zone: ZoneInfo, span: Span, years: int
) -> None:
    stretch = stretch_at(span, now, zone, now - timedelta(days=years * 365))

    assert stretch.since <= now < stretch.until
    assert len(stretch.labels) == len(stretch.bounds) - 1
    assert sorted(set(stretch.bounds)) == list(stretch.bounds)


@pytest.mark.parametrize(
    ("span", "title", "first", "parts"),
    [
        (Span.TODAY, "18 November 2026", "00", 24),
        (Span.WEEK, "16–22 November", "Mon 16", 7),
        (Span.MONTH, "November 2026", "1", 30),
        (Span.YEAR, "2026", "Jan", 12),
        (Span.ALL, "since November 2026", "Nov", 1),
    ],
)
def test_names_a_stretch_as_people_do(span: Span, title: str, first: str, parts: int) -> None:
    stretch = stretch_at(span, NOW, BERLIN)

    assert (stretch.title, stretch.labels[0], len(stretch.labels)) == (title, first, parts)


def test_names_a_week_across_two_months() -> None:
    stretch = stretch_at(Span.WEEK, datetime(2026, 12, 1, tzinfo=UTC), UTC)

    assert stretch.title == "30 November – 6 December"


def test_a_day_of_the_clock_change_has_25_hours() -> None:
    stretch = stretch_at(Span.TODAY, datetime(2026, 10, 25, 12, tzinfo=UTC), BERLIN)

    assert len(stretch.labels) == 25
    assert stretch.labels[2:4] == ("02", "02")


def test_a_long_history_is_shown_by_months_then_by_years() -> None:
    two_years = stretch_at(Span.ALL, NOW, UTC, NOW - timedelta(days=730))
    ten_years = stretch_at(Span.ALL, NOW, UTC, NOW - timedelta(days=3650))

    assert two_years.labels[0] == "Nov 24"
    assert ten_years.labels[0] == "2016"


def test_compares_with_as_much_of_the_stretch_before() -> None:
    week = stretch_at(Span.WEEK, NOW, UTC)

    assert same_before(week, NOW, UTC) == (
        week.since - timedelta(days=7),
        NOW - timedelta(days=7),
    )
    assert same_before(stretch_at(Span.ALL, NOW, UTC), NOW, UTC) is None


def test_compares_a_long_month_with_no_more_than_the_whole_short_one() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    before = same_before(stretch_at(Span.MONTH, now, UTC), now, UTC)

    assert before == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


def test_a_digest_is_due_on_its_weekday_for_the_week_before() -> None:
    at_nine = datetime(2026, 11, 23, 8, tzinfo=UTC)  # Monday, 9:00 in Berlin

    before = digest_week(at_nine - timedelta(seconds=1), 0, time(9), BERLIN)
    due = digest_week(at_nine, 0, time(9), BERLIN)

    assert (before.key, due.key) == ("2026-W46", "2026-W47")
    assert due.stretch.title == "16–22 November"
    assert due.before[1] == due.stretch.since


def test_the_week_is_the_one_of_the_iso_calendar_at_new_year() -> None:
    due = digest_week(datetime(2027, 1, 5, tzinfo=UTC), 0, time(9), UTC)

    assert (due.key, due.stretch.title) == ("2026-W53", "28 December – 3 January")


@given(
    start=moments,
    zone=zones,
    weekday=st.integers(0, 6),
    at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_each_week_is_due_once_across_every_clock_change(
    start: datetime, zone: ZoneInfo, weekday: int, at: time
) -> None:
    found = [
        digest_week(start + timedelta(hours=hours), weekday, at, zone)
        for hours in range(0, 24 * 7 * 5, 6)
    ]
    keys = list(dict.fromkeys(week.key for week in found))
    weeks = {week.key: week.stretch for week in found}

    assert keys == sorted(keys)
    assert all(weeks[a].until == weeks[b].since for a, b in pairwise(keys))


def test_knows_what_is_left_of_the_month() -> None:
    began, left = month_left(datetime(2026, 11, 20, tzinfo=UTC), UTC)

    assert (began, left) == (datetime(2026, 11, 1, tzinfo=UTC), timedelta(days=11))
