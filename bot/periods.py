"""Stretches of time as people name them, in their own zone: today, week, month, year, all; and
the week that a digest is due for. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

MOST_MONTHS = 36
"""A longer history is shown by years."""
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_Next = Callable[[date], date]


class Span(StrEnum):
    """What somebody asks for."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time, cut into the parts that a picture shows as bars."""

    span: Span
    title: str
    bounds: tuple[datetime, ...]
    """Where the parts begin, and where the last one ends; UTC."""
    labels: tuple[str, ...]

    @property
    def since(self) -> datetime:
        """The first moment."""
        return self.bounds[0]

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return self.bounds[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestWeek:
    """A whole local week, Monday to Sunday, whose digest is due."""

    key: str
    """Its ISO year and week, such as `2026-W47`: local, so that no clock change repeats it."""
    stretch: Stretch
    before: tuple[datetime, datetime]
    """The week before it."""


def stretch_at(span: Span, now: datetime, zone: tzinfo, first: datetime | None = None) -> Stretch:
    """The stretch of that name which holds `now`; `first` is when ALL begins."""
    today = now.astimezone(zone).date()
    if span is Span.TODAY:
        return _hours(today, zone)
    if span is Span.WEEK:
        return _week(today - timedelta(days=today.weekday()), zone)
    if span is Span.MONTH:
        start = today.replace(day=1)
        days = _steps(start, _next_month(start), _next_day)
        labels = [str(day.day) for day in days[:-1]]
        return _stretch(span, start.strftime("%B %Y"), days, labels, zone)
    if span is Span.YEAR:
        start = today.replace(month=1, day=1)
        return _months(span, str(today.year), start, start.replace(year=today.year + 1), zone)
    return _all(today, (first or now).astimezone(zone).date(), zone)


def same_before(stretch: Stretch, now: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The stretch before it, as far as this one has come; None when there is none to compare."""
    if stretch.span is Span.ALL:
        return None
    earlier = stretch_at(stretch.span, stretch.since - timedelta(hours=12), zone)
    passed = min(now, stretch.until) - stretch.since
    return earlier.since, min(earlier.since + passed, earlier.until)


def digest_week(now: datetime, weekday: int, at: time, zone: tzinfo) -> DigestWeek:
    """The latest week whose digest is due: on the first `weekday` (Monday is 0) after its Sunday.

    Two clock changes and a local time that does not exist leave every week due exactly once.
    """
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    while _utc(monday + timedelta(days=weekday), zone, at) > now:
        monday -= _WEEK
    start = monday - _WEEK
    year, week, _ = start.isocalendar()
    return DigestWeek(
        key=f"{year}-W{week:02}",
        stretch=_week(start, zone),
        before=(_utc(start - _WEEK, zone), _utc(start, zone)),
    )


def month_left(now: datetime, zone: tzinfo) -> tuple[datetime, timedelta]:
    """When this month began, and how much of it is left."""
    month = stretch_at(Span.MONTH, now, zone)
    return month.since, month.until - now


def _week(monday: date, zone: tzinfo) -> Stretch:
    days = _steps(monday, monday + _WEEK, _next_day)
    sunday = days[-2]
    same = monday.month == sunday.month
    begins = f"{monday.day}" if same else monday.strftime("%-d %B")
    ends = f"{sunday.day} {sunday.strftime('%B')}"
    title = f"{begins}–{ends}" if same else f"{begins} – {ends}"
    labels = [day.strftime("%a %-d") for day in days[:-1]]
    return _stretch(Span.WEEK, title, days, labels, zone)


def _hours(day: date, zone: tzinfo) -> Stretch:
    bounds, end = [_utc(day, zone)], _utc(day + _DAY, zone)
    while bounds[-1] < end:
        bounds.append(min(end, bounds[-1] + timedelta(hours=1)))
    labels = [at.astimezone(zone).strftime("%H") for at in bounds[:-1]]
    return Stretch(
        span=Span.TODAY,
        title=day.strftime("%-d %B %Y"),
        bounds=tuple(bounds),
        labels=tuple(labels),
    )


def _all(today: date, first: date, zone: tzinfo) -> Stretch:
    start, end = min(first, today).replace(day=1), _next_month(today)
    title = f"since {start.strftime('%B %Y')}"
    if (end.year - start.year) * 12 + end.month - start.month <= MOST_MONTHS:
        return _months(Span.ALL, title, start, end, zone)
    years = _steps(start.replace(month=1), end, lambda day: day.replace(year=day.year + 1))
    return _stretch(Span.ALL, title, years, [str(day.year) for day in years[:-1]], zone)


def _months(span: Span, title: str, start: date, end: date, zone: tzinfo) -> Stretch:
    months = _steps(start, end, _next_month)
    years = {month.year for month in months[:-1]}
    pattern = "%b" if len(years) == 1 else "%b %y"
    return _stretch(span, title, months, [m.strftime(pattern) for m in months[:-1]], zone)


def _stretch(span: Span, title: str, days: list[date], labels: list[str], zone: tzinfo) -> Stretch:
    bounds = tuple(_utc(day, zone) for day in days)
    return Stretch(span=span, title=title, bounds=bounds, labels=tuple(labels))


def _steps(start: date, end: date, following: _Next) -> list[date]:
    """From `start` on until `end` is reached or passed."""
    steps = [start]
    while steps[-1] < end:
        steps.append(following(steps[-1]))
    return steps


def _next_day(day: date) -> date:
    return day + _DAY


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _utc(day: date, zone: tzinfo, at: time = time.min) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
