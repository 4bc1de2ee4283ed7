"""Digests: due once a week, posted once, tried again, told to the admins when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.announcing import Admins, Announcement, announcers_of
from adapters.scheduler import Digests, run_lookouts
from bot.caps import NO_CAPS
from bot.errors import BotError, DeliveryError, SettingError
from bot.reporting import Reporter
from bot.settings import SettingChange
from storage import SqlStore, open_store
from tests.contract.test_spend import booked
from tests.fakes import FrozenClock, catalog
from tests.unit.spending import MONDAY, call, usd

NEXT_MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


class RecordingAnnouncer:
    """Writes down what it is told; refuses as long as it has refusals."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.told: list[tuple[str, str]] = []
        self.refusals: list[BotError] = []

    async def announce(self, announcement: Announcement) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.announced.append(announcement)

    async def tell(self, workspace_id: str, user_id: str, text: str) -> None:
        self.told.append((user_id, text))


class World:
    """One process that posts digests."""

    def __init__(self, store: SqlStore, at: datetime = NEXT_MONDAY) -> None:
        self.store = store
        self.clock = FrozenClock(at)
        self.announcer = RecordingAnnouncer()
        self.digests = self.process()

    def process(self) -> Digests:
        reporter = Reporter(self.store, catalog, self.clock, instance_caps=NO_CAPS)
        return Digests(
            store=self.store,
            reporter=reporter,
            announcers=lambda: {"test": self.announcer},
            clock=self.clock,
            admins=self.admins,
        )

    @property
    def admins(self) -> Admins:
        named = frozenset({"test:root", "other:else"})
        return Admins(self.store, lambda: {"test": self.announcer}, named)

    async def set(self, name: str, value: str | None, scope_id: str = "test/w") -> None:
        change = SettingChange(
            scope_id=scope_id, name=name, after=value, user_id="ann", at=self.clock.now()
        )
        await self.store.set_setting(change)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.announcer.announced]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(tmp_path / "parley.db") as store:
        world = World(store)
        await world.set("digest_channel", "C1")
        await booked(store, call(1))
        yield world


async def test_a_digest_is_posted_when_it_is_due_and_once(world: World) -> None:
    world.clock.advance(-1)
    assert await world.digests.post_due() == 0
    world.clock.advance(1)

    assert await world.digests.post_due() == 1
    assert await world.digests.post_due() == 0
    assert await world.process().post_due() == 0
    (announced,) = world.announcer.announced
    assert announced.text.startswith("**Spend, 16–22 November: $1.00**")
    assert (announced.post_id, announced.channel_id) == ("digest:test/w:2026-W47:p1", "C1")
    assert announced.card is not None
    assert announced.card.headline == "$1.00"


async def test_of_many_processes_one_posts(world: World) -> None:
    posted = await asyncio.gather(*(world.process().post_due() for _ in range(8)))

    assert sum(posted) == 1
    assert len(world.texts) == 1


async def test_a_digest_that_fell_into_a_downtime_is_posted_afterwards(world: World) -> None:
    world.clock.advance(5 * 86_400)

    assert await world.digests.post_due() == 1


async def test_only_the_last_digest_due_is_posted_after_a_long_downtime(world: World) -> None:
    await booked(world.store, call(2, created_at=MONDAY + timedelta(days=14), cost=usd("3")))
    world.clock.advance(14 * 86_400)

    await world.digests.post_due()

    assert world.texts[0].startswith("**Spend, 30 November – 6 December: $3.00**")
    assert len(world.texts) == 1


async def test_a_week_without_use_is_skipped(world: World) -> None:
    world.clock.advance(7 * 86_400)

    assert await world.digests.post_due() == 0
    assert world.texts == []


async def test_weekday_time_and_zone_are_settings(world: World) -> None:
    await world.set("zone", "America/New_York")
    await world.set("digest_weekday", "wed")
    await world.set("digest_time", "17:30")
    world.clock.at = datetime(2026, 11, 25, 22, 29, tzinfo=UTC)
    assert await world.digests.post_due() == 0
    world.clock.advance(60)

    assert await world.digests.post_due() == 1


async def test_a_weekday_that_is_changed_repeats_no_week(world: World) -> None:
    assert await world.digests.post_due() == 1
    await world.set("digest_weekday", "friday")
    world.clock.advance(4 * 86_400)

    assert await world.digests.post_due() == 0
    assert await world.process().post_due() == 0


async def test_nothing_is_posted_where_no_channel_is_set(world: World) -> None:
    await world.set("digest_channel", None)
    assert await world.digests.post_due() == 0
    await world.set("digest_channel", "none")
    assert await world.digests.post_due() == 0


async def test_a_channel_that_was_set_in_a_channel_counts_for_its_workspace(world: World) -> None:
    await world.set("digest_channel", None)
    await world.set("digest_channel", "<#C2>", "test/w/C9")

    assert await world.digests.post_due() == 1
    assert world.announcer.announced[0].channel_id == "C2"


async def test_workspaces_get_their_own_digests(world: World) -> None:
    await world.set("digest_channel", "X", "test/other")
    await booked(world.store, call(2, workspace_id="other", cost=usd("2")))

    assert await world.digests.post_due() == 2
    titles = {each.workspace_id: each.text.split("**")[1] for each in world.announcer.announced}
    assert titles == {
        "w": "Spend, 16–22 November: $1.00",
        "other": "Spend, 16–22 November: $2.00",
    }


async def test_a_failure_is_tried_again_soon_then_hourly_and_told_once(world: World) -> None:
    world.announcer.refusals = [DeliveryError("That channel is gone.")] * 3

    assert await world.digests.post_due() == 0
    assert world.announcer.told == []  # it may pass
    world.clock.advance(5 * 60)
    assert await world.digests.post_due() == 0
    assert [user for user, _ in world.announcer.told] == ["ann", "root"]
    assert "<#C1>: That channel is gone. I try again every hour." in world.announcer.told[0][1]
    world.clock.advance(59 * 60)
    assert await world.digests.post_due() == 0
    assert len(world.announcer.refusals) == 1
    world.clock.advance(60)
    await world.digests.post_due()
    world.clock.advance(3600)

    assert await world.digests.post_due() == 1
    assert len(world.announcer.told) == 2


async def test_a_channel_that_was_put_right_gets_the_digest_at_the_next_try(world: World) -> None:
    world.announcer.refusals = [DeliveryError("That channel is gone.")]
    await world.digests.post_due()
    await world.set("digest_channel", "C2")
    world.clock.advance(5 * 60)

    assert await world.digests.post_due() == 1
    assert world.announcer.announced[0].channel_id == "C2"


async def test_one_workspaces_trouble_is_not_the_others(world: World) -> None:
    await world.set("digest_channel", "X", "test/a")
    await booked(world.store, call(2, workspace_id="a"))
    world.announcer.refusals = [DeliveryError("That channel is gone.")]

    assert await world.digests.post_due() == 1


async def test_a_platform_that_is_not_connected_is_left_to_others(world: World) -> None:
    await world.set("digest_channel", "X", "elsewhere/w")
    await booked(world.store, call(2, platform="elsewhere"))

    assert await world.digests.post_due() == 1
    assert announcers_of({"web": object()}) == {}


async def test_people_are_named_only_where_that_is_wanted(world: World) -> None:
    await world.set("digest_users", "off")

    await world.digests.post_due()

    assert "Top people" not in world.texts[0]


async def test_a_week_without_any_price_reads_unpriced(world: World) -> None:
    await booked(world.store, call(2, workspace_id="u", cost=None))
    await world.set("digest_channel", "X", "test/u")
    await world.digests.post_due()

    text = next(each.text for each in world.announcer.announced if each.workspace_id == "u")
    assert text.startswith("**Spend, 16–22 November: unpriced**")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zone", "Europe/Atlantis"),
        ("digest_weekday", "t"),
        ("digest_weekday", "someday"),
        ("digest_time", "25:00"),
        ("digest_time", "nine"),
        ("digest_channel", "one, two"),
        ("digest_channel", "not a channel!"),
    ],
)
async def test_what_is_no_zone_day_time_or_channel_is_refused_in_words(
    world: World, name: str, value: str
) -> None:
    with pytest.raises(SettingError, match=f"`{name}` takes"):
        await world.set(name, value)


async def test_what_fails_unforeseen_holds_nothing_else_up(world: World) -> None:
    class Broken:
        async def post_due(self) -> int:
            raise KeyError("a fault of ours")

    async with run_lookouts(Broken(), world.digests), asyncio.timeout(10):
        while not world.texts:
            await asyncio.sleep(0.01)


async def test_the_clock_looks_at_once_and_stops_with_its_context(world: World) -> None:
    async with run_lookouts(world.digests), asyncio.timeout(10):
        while not world.texts:
            await asyncio.sleep(0.01)

    assert len(world.texts) == 1
