"""Digests on Slack: blocks with the picture, once, and refusals in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.announcing import Announcement
from bot.errors import DeliveryError
from tests.adapters.charts.test_charts import CARD
from tests.adapters.slack.rig import Rig
from tests.loopback.slack import LoopbackSlack

DIGEST = Announcement(
    post_id="digest:slack/T1:2026-W47:p1",
    workspace_id="T1",
    channel_id="C1",
    text="**Spend, 16–22 November: $19.41**\nBy tier: cheap $19.41",
    card=CARD,
)


def posted(slack: LoopbackSlack) -> list[dict[str, Any]]:
    return [m for m in slack.space.channels["C1"].messages if m.get("bot_id")]


async def announce(rig: Rig, slack: LoopbackSlack, digest: Announcement = DIGEST) -> None:
    await slack.until(lambda: rig.bot.announcer)
    assert rig.bot.announcer is not None
    await rig.bot.announcer.announce(digest)


async def test_a_digest_is_posted_with_its_picture_once(rig: Rig, slack: LoopbackSlack) -> None:
    for _ in range(2):
        await announce(rig, slack)

    (message,) = posted(slack)
    assert [block["type"] for block in message["blocks"]] == ["markdown", "image"]
    assert message["blocks"][1]["alt_text"] == CARD.alt
    assert message["blocks"][1]["slack_file"]["id"] in slack.space.files
    assert "thread_ts" not in message


async def test_a_digest_that_a_crash_kept_from_being_noted_is_found(
    rig: Rig, slack: LoopbackSlack
) -> None:
    await announce(rig, slack)
    (post,) = await rig.store.posts("digest:slack/T1:2026-W47")
    await rig.store.sent(replace(post, platform_id=""))

    await announce(rig, slack)

    assert len(posted(slack)) == 1


async def test_a_channel_that_was_deleted_is_told_in_words(rig: Rig, slack: LoopbackSlack) -> None:
    with pytest.raises(DeliveryError, match="can't see that channel"):
        await announce(rig, slack, replace(DIGEST, channel_id="CGONE"))


async def test_a_channel_that_it_is_not_in_is_told_in_words(rig: Rig, slack: LoopbackSlack) -> None:
    slack.space.channels["C1"].members.remove(slack.space.bot_user_id)
    with pytest.raises(DeliveryError, match="/invite"):
        await announce(rig, slack)


async def test_an_alert_is_posted_without_a_picture(rig: Rig, slack: LoopbackSlack) -> None:
    alert = replace(DIGEST, post_id="alert:x:p1", text="The budget is used up.", card=None)
    await announce(rig, slack, alert)

    (message,) = posted(slack)
    assert [block["type"] for block in message["blocks"]] == ["markdown"]
    assert message["text"] == "The budget is used up."


async def test_a_workspace_without_the_app_is_told_in_words(rig: Rig, slack: LoopbackSlack) -> None:
    with pytest.raises(DeliveryError, match="no longer installed"):
        await announce(rig, slack, replace(DIGEST, workspace_id="TELSEWHERE"))


async def test_an_admin_is_told_directly(rig: Rig, slack: LoopbackSlack) -> None:
    await announce(rig, slack)
    assert rig.bot.announcer is not None

    await rig.bot.announcer.tell("T1", "U1", "I could not post the spend.")

    told = [m["text"] for m in slack.space.direct("U1").messages]
    assert told[-1:] == ["I could not post the spend."]
