"""Alerts of budgets: brought once to the digest's channel, or to the admins themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.alerts import BudgetAlerts
from bot.budget import Limit
from bot.caps import Period, Scope
from bot.errors import DeliveryError, StoreError
from storage import open_store
from storage.digests import CLAIM_LASTS
from tests.adapters.test_scheduler import World
from tests.contract.examples import done, entry, limit

WORKSPACE = limit(Scope.WORKSPACE, scope_id="test/w")
CHANNEL = limit(Scope.CHANNEL, scope_id="test/w/C9")
INSTANCE = limit()
USER = limit(Scope.USER, scope_id="test/w/ann", period=Period.DAY)


class AlertWorld(World):
    """One process that looks for alerts."""

    def looker(self) -> BudgetAlerts:
        return BudgetAlerts(self.store, lambda: {"test": self.announcer}, self.admins, self.clock)

    async def spend(self, cost: int, *limits: Limit, step: str = "a") -> None:
        """What a turn does: it spends, and says what is to be said."""
        opened = await self.store.open(entry(f"test:m1:{step}", hold=cost), limits)
        await self.store.close(done(opened, cost=cost))
        await self.store.claim_alerts(limits)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[AlertWorld]:
    async with open_store(tmp_path / "parley.db") as store:
        yield AlertWorld(store)


async def test_both_marks_of_a_workspace_come_to_the_digests_channel_once(
    world: AlertWorld,
) -> None:
    await world.set("digest_channel", "C1")
    looker = world.looker()
    await world.spend(850, WORKSPACE)
    assert [await looker.post_due(), await looker.post_due()] == [1, 0]
    await world.spend(150, WORKSPACE, step="b")

    assert [await looker.post_due(), await world.looker().post_due()] == [1, 0]
    assert [each.text.partition(":")[0] for each in world.announcer.announced] == [
        "This workspace's budget is 85 % used",
        "This workspace's budget is used up",
    ]
    assert {each.channel_id for each in world.announcer.announced} == {"C1"}
    assert world.announcer.told == []


async def test_of_many_processes_one_brings_it(world: AlertWorld) -> None:
    await world.set("digest_channel", "C1")
    await world.spend(1_000, WORKSPACE)

    assert sum(await asyncio.gather(*(world.looker().post_due() for _ in range(8)))) == 1
    assert len(world.announcer.announced) == 1


async def test_an_alert_that_failed_with_the_store_is_brought_once_its_claim_has_lapsed(
    world: AlertWorld,
) -> None:
    await world.set("digest_channel", "C1")
    await world.spend(1_000, WORKSPACE)
    looker = world.looker()
    world.announcer.refusals = [StoreError()]

    first = await looker.post_due()
    soon = await looker.post_due()
    world.clock.advance(CLAIM_LASTS.total_seconds())
    later = [await looker.post_due(), await looker.post_due()]

    assert (first, soon, later) == (0, 0, [1, 0])
    assert len(world.announcer.announced) == 1


async def test_without_a_channel_the_admins_are_told_and_who_set_the_cap(
    world: AlertWorld,
) -> None:
    await world.set("channel_monthly_cap", "5", "test/w/C9")
    await world.spend(1_000, CHANNEL)

    await world.looker().post_due()

    assert [user for user, _ in world.announcer.told] == ["ann", "root"]
    assert world.announcer.told[0][1].startswith("<#C9>'s budget is used up")


async def test_caps_of_two_periods_are_told_each_to_whoever_set_it(world: AlertWorld) -> None:
    await world.set("channel_daily_cap", "5", "test/w/C9")
    a_day = limit(Scope.CHANNEL, scope_id="test/w/C9", period=Period.DAY)
    await world.spend(1_000, a_day, CHANNEL)

    assert await world.looker().post_due() == 2
    told = [(user, text.partition(". ")[0]) for user, text in world.announcer.told]
    used_up = "<#C9>'s budget is used up: <$0.0001 of <$0.0001 a"
    assert sorted(told) == [
        ("ann", f"{used_up} day"),
        ("root", f"{used_up} day"),
        ("root", f"{used_up} month"),
    ]


async def test_a_channel_that_is_gone_leaves_the_admins(world: AlertWorld) -> None:
    await world.set("digest_channel", "C1")
    world.announcer.refusals = [DeliveryError("That channel is gone.")]
    await world.spend(900, WORKSPACE)

    assert await world.looker().post_due() == 1
    assert [user for user, _ in world.announcer.told] == ["root"]


async def test_the_instances_budget_is_for_the_admins_of_the_configuration(
    world: AlertWorld,
) -> None:
    await world.set("digest_channel", "C1")
    await world.spend(1_000, INSTANCE)

    await world.looker().post_due()

    assert [user for user, _ in world.announcer.told] == ["root"]
    assert world.announcer.told[0][1].startswith("The whole bot's budget is used up")
    assert world.announcer.announced == []


async def test_one_persons_budget_is_theirs_alone(world: AlertWorld) -> None:
    await world.spend(1_000, USER)

    assert await world.looker().post_due() == 0


async def test_a_window_that_is_over_is_no_news(world: AlertWorld) -> None:
    await world.spend(1_000, WORKSPACE)
    world.clock.advance(31 * 86_400)

    assert await world.looker().post_due() == 0


async def test_a_platform_that_is_not_connected_is_left_to_others(world: AlertWorld) -> None:
    await world.spend(1_000, limit(Scope.WORKSPACE, scope_id="elsewhere/w"))

    assert await world.looker().post_due() == 0
