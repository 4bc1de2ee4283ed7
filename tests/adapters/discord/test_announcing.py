"""Digests on Discord: an embed with its picture, once, and refusals in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.announcing import Admins, Announcement, Announcer, announcers_of
from adapters.scheduler import Digests
from bot.caps import NO_CAPS
from bot.errors import DeliveryError
from bot.ports import Post
from bot.reporting import Reporter
from bot.settings import SettingChange
from storage import open_store
from tests.adapters.charts.test_charts import CARD
from tests.adapters.discord.conftest import Stage, until
from tests.contract.test_spend import booked
from tests.fakes import NOON, FrozenClock, catalog
from tests.unit.spending import MONDAY, call

DIGEST = Announcement(
    post_id="digest:discord/1:2026-W47:p1",
    workspace_id="1",
    channel_id="",
    text="**Spend, 16–22 November: $19.41**\nBy tier: cheap $19.41",
    card=CARD,
)


async def announce(stage: Stage, digest: Announcement) -> None:
    bot = stage.bot
    assert bot is not None
    await until(lambda: bot.announcer)
    assert bot.announcer is not None
    await bot.announcer.announce(digest)


async def test_a_digest_is_posted_with_its_picture_once(stage: Stage) -> None:
    digest = replace(DIGEST, channel_id=stage.channel_id)
    for _ in range(2):
        await announce(stage, digest)

    (message,) = stage.server.messages(stage.channel_id)
    (embed,) = message["embeds"]
    assert embed["description"] == digest.text
    assert embed["image"]["url"] == "attachment://spend.png"
    assert [each["filename"] for each in message["attachments"]] == ["spend.png"]


async def test_a_digest_that_a_crash_kept_from_being_noted_is_found(stage: Stage) -> None:
    digest = replace(DIGEST, channel_id=stage.channel_id)
    await announce(stage, digest)
    (post,) = await stage.store.posts("digest:discord/1:2026-W47")
    await stage.store.sent(replace(post, platform_id=""))

    await announce(stage, digest)

    assert len(stage.server.messages(stage.channel_id)) == 1
    (found,) = await stage.store.posts("digest:discord/1:2026-W47")
    assert found.platform_id == post.platform_id


async def test_an_intent_that_came_to_nothing_is_made_good(stage: Stage) -> None:
    digest = replace(DIGEST, channel_id=stage.channel_id)
    intent = Post(post_id=digest.post_id, turn_id="digest:discord/1:2026-W47", created_at=NOON)
    await stage.store.sending(intent)

    await announce(stage, digest)

    assert len(stage.server.messages(stage.channel_id)) == 1


@pytest.mark.parametrize("channel", ["123456789", "general"])
async def test_a_channel_that_is_gone_or_none_is_told_in_words(stage: Stage, channel: str) -> None:
    with pytest.raises(DeliveryError, match="channel"):
        await announce(stage, replace(DIGEST, channel_id=channel))


async def test_an_alert_is_posted_without_a_picture(stage: Stage) -> None:
    alert = replace(DIGEST, channel_id=stage.channel_id, text="The budget is used up.", card=None)
    await announce(stage, alert)

    (message,) = stage.server.messages(stage.channel_id)
    assert message["embeds"][0]["description"] == "The budget is used up."
    assert "image" not in message["embeds"][0]
    assert message["attachments"] == []


async def test_a_channel_without_the_permission_to_post_is_told_in_words(stage: Stage) -> None:
    stage.server.world.deny(stage.channel_id, "attach_files")
    with pytest.raises(DeliveryError, match="Attach Files"):
        await announce(stage, replace(DIGEST, channel_id=stage.channel_id))


@asynccontextmanager
async def digests_of(stage: Stage, folder: Path, channel_id: str) -> AsyncIterator[Digests]:
    """Digests over a store of their own, posted by this bot."""
    bot, clock = stage.bot, FrozenClock(MONDAY + timedelta(days=7, hours=9))
    assert bot is not None
    await until(lambda: bot.announcer)
    scope = f"discord/{stage.guild['id']}"
    async with open_store(folder / "parley.db") as store:
        change = SettingChange(
            scope_id=scope, name="digest_channel", after=channel_id,
            user_id=str(stage.ada["id"]), at=clock.now(),
        )  # fmt: skip
        await store.set_setting(change)
        await booked(store, call(1, platform="discord", workspace_id=str(stage.guild["id"])))

        def announcers() -> dict[str, Announcer]:
            return announcers_of({"discord": bot, "web": object()})

        yield Digests(
            store=store,
            reporter=Reporter(store, catalog, clock, instance_caps=NO_CAPS),
            announcers=announcers,
            clock=clock,
            admins=Admins(store, announcers),
        )


async def test_a_week_goes_from_the_ledger_to_the_channel(stage: Stage, tmp_path: Path) -> None:
    async with digests_of(stage, tmp_path, stage.channel_id) as digests:
        assert await digests.post_due() == 1
        assert await digests.post_due() == 0

    (message,) = stage.server.messages(stage.channel_id)
    assert message["embeds"][0]["description"].startswith("**Spend, 16–22 November: $1.00**")


async def test_whoever_named_a_channel_that_is_gone_is_told(stage: Stage, tmp_path: Path) -> None:
    async with digests_of(stage, tmp_path, "123456789") as digests:
        assert await digests.post_due() == 0
        digests._clock.advance(300)  # type: ignore[attr-defined]  # a frozen one
        assert await digests.post_due() == 0

    told = [
        sent["content"]
        for channel_id in stage.server.world.channels
        for sent in stage.server.messages(channel_id)
    ]
    assert len(told) == 1
    assert "<#123456789>: That channel is gone. I try again every hour." in told[0]
