"""What people and admins are shown of what was spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.catalog import Tier
from bot.command_grammar import Command
from bot.commands import parse_command
from bot.digest import Grouping
from bot.errors import CommandError
from bot.periods import Span, digest_week
from bot.reporting import Reporter
from bot.settings import Settings
from bot.spend import Where
from storage import MemoryStore
from tests.contract.test_spend import booked
from tests.fakes import FrozenClock, catalog, monthly, turn
from tests.unit.spending import HERE, MONDAY, call, usd

ADA = replace(turn("spend"), user_id="ann")
ADMIN = replace(turn("spend"), user_id="root", is_admin=True)
THURSDAY = MONDAY + timedelta(days=3, hours=12)


def command(words: str) -> Command:
    found = parse_command(words)
    assert found is not None
    return found


class Desk:
    """A reporter over a store in memory."""

    def __init__(self, at: datetime = THURSDAY, cap: int | None = None) -> None:
        self.store = MemoryStore()
        self.clock = FrozenClock(at)
        self.reporter = Reporter(self.store, catalog, self.clock, instance_caps=monthly(cap))

    async def said(self, words: str, who: object = ADMIN) -> str:
        return (await self.reporter.spend(command(words), who)).text  # type: ignore[arg-type]  # turns


async def test_an_admin_sees_what_the_workspace_spent() -> None:
    desk = Desk()
    await booked(desk.store, call(1), call(2, user_id="bob", cost=usd("2")))

    text = await desk.said("spend week")

    assert text.startswith("**Spend, 16–22 November: $3.00**")
    assert "Top people: bob $2.00 · ann $1.00" in text


async def test_anybody_else_sees_their_own_spend_and_nobody_elses() -> None:
    desk = Desk()
    await booked(desk.store, call(1), call(2, user_id="bob", cost=usd("2")))

    text = await desk.said("spend", ADA)

    assert text.startswith("**Spend, 16–22 November: $1.00**")
    assert "bob" not in text
    assert text.endswith("\n\nThis is what you spent here; admins see all of it.")


async def test_grouping_by_user_shows_others_nothing_more() -> None:
    desk = Desk()
    await booked(desk.store, call(1), call(2, user_id="bob", cost=usd("2")))

    text = await desk.said("spend week by user", ADA)

    assert "ann: $1.00" in text
    assert "bob" not in text


async def test_another_workspaces_spend_is_not_shown() -> None:
    desk = Desk()
    await booked(desk.store, call(1, workspace_id="other"), call(2, platform="other"))

    assert (
        await desk.said("spend all") == "**Spend, since November 2026: $0**\nNo model was called."
    )


@pytest.mark.parametrize(
    ("words", "total"),
    [
        ("spend today", "19 November 2026: $1.00"),
        ("spend day", "19 November 2026: $1.00"),
        ("spend", "16–22 November: $2.00"),
        ("spend month", "November 2026: $3.00"),
        ("spend year", "2026: $4.00"),
        ("spend all", "since November 2025: $5.00"),
    ],
)
async def test_the_stretch_is_the_one_that_was_asked_for(words: str, total: str) -> None:
    desk = Desk()
    days = [0, 2, 10, 40, 370]
    made = [
        call(n, created_at=THURSDAY - timedelta(days=day, hours=1)) for n, day in enumerate(days)
    ]
    await booked(desk.store, *made)

    assert f"**Spend, {total}**" in await desk.said(words)


async def test_compares_with_last_week_up_to_the_same_time() -> None:
    desk = Desk()
    before = THURSDAY - timedelta(days=7)
    await booked(
        desk.store,
        call(1),
        call(2, created_at=before - timedelta(hours=1), cost=usd("4")),
        call(3, created_at=before + timedelta(hours=1), cost=usd("100")),
    )

    assert "75 % less than last week by this time ($4.00)" in await desk.said("spend")


async def test_savings_are_measured_against_the_full_tier_model() -> None:
    desk = Desk()
    # 100 k tokens in at $5, 10 k out at $20 a million: $0.70 instead of nothing
    await booked(desk.store, call(1, tier=Tier.FREE, alias="free", cost=0))

    text = await desk.said("spend")

    assert "Saved about $0.70 (100 %): always asking @full" in text
    assert "An estimate." in text


async def test_shows_a_budget_that_is_nearly_used() -> None:
    desk = Desk(cap=0)
    await booked(desk.store, call(1))

    assert "The instance budget is 100 % used: $1.00 of $0 a month." in await desk.said("spend")


async def test_projects_the_month_from_the_last_week() -> None:
    desk = Desk()
    days = [(n, THURSDAY - timedelta(days=n, minutes=1)) for n in range(10)]
    await booked(desk.store, *(call(n, created_at=at) for n, at in days))

    # ten dollars so far, seven in seven days, eleven and a half days left
    assert "At this pace the month comes to about $21.50." in await desk.said("spend")


async def test_the_picture_comes_with_it() -> None:
    desk = Desk()
    await booked(desk.store, call(1))

    reply = await desk.reporter.spend(command("spend"), ADMIN)

    assert reply.card is not None
    assert reply.card.headline == "$1.00"
    assert reply.actions == ()


async def test_an_empty_stretch_has_no_picture() -> None:
    reply = await Desk().reporter.spend(command("spend"), ADMIN)

    assert reply.card is None


async def test_several_workspaces_are_one_report_that_adds_up() -> None:
    desk = Desk()
    other = Where(platform="other", workspace_id="w")
    await booked(desk.store, call(1), call(2, platform="other", cost=usd("2")))

    report = await desk.reporter.report((HERE, other), Span.WEEK, UTC)

    assert report.spent == usd("3")
    assert sum(share.spent for share in report.shares[Grouping.USER]) == usd("3")


async def test_a_digest_is_the_whole_week_and_its_predecessor() -> None:
    desk = Desk(MONDAY + timedelta(days=7, hours=9))
    await booked(
        desk.store,
        call(1),
        call(2, created_at=MONDAY - timedelta(seconds=1), cost=usd("2")),
        call(3, created_at=MONDAY + timedelta(days=7), cost=usd("50")),
    )
    week = digest_week(desk.clock.now(), 0, time(9), UTC)

    report = await desk.reporter.digest(HERE, week, Settings())

    assert (report.spent, report.previous) == (usd("1"), usd("2"))


async def test_channels_are_named_as_their_platform_shows_them() -> None:
    desk = Desk()
    slack = Where(platform="slack", workspace_id="T1")
    for number, channel in enumerate(["C1", "D1"]):
        await booked(
            desk.store, call(number, platform="slack", workspace_id="T1", channel_id=channel)
        )
    report = await desk.reporter.report((slack,), Span.WEEK, UTC)

    names = await desk.reporter.names(slack, report)

    assert (names["C1"], names["D1"]) == ("<#C1>", "direct messages")


def test_a_period_or_grouping_that_is_nearly_right_is_named() -> None:
    with pytest.raises(CommandError, match="Did you mean `model`"):
        parse_command("/spend week by modl")
    with pytest.raises(CommandError):
        parse_command("/spend fortnight")
