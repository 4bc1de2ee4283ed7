"""Digests on Discord: an embed with its picture, once, and refusals in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.scheduler import Announcement
from bot.errors import DeliveryError
from bot.ports import Post
from tests.adapters.charts.test_charts import CARD
from tests.adapters.discord.conftest import Stage, until
from tests.fakes import NOON

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
