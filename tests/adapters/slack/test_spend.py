"""`spend` on Slack: words in the thread, and a picture below them."""

from __future__ import annotations

import pytest

from adapters.slack.inbound import to_text
from bot.commands import parse_command
from bot.settings import parse_setting
from tests.adapters.slack.rig import Rig
from tests.loopback.slack import LoopbackSlack


async def test_spend_is_told_in_the_thread_with_a_picture(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)

    slack.say("spend", thread_ts=ts)

    await slack.until(lambda: any(f.is_shared for f in slack.space.files.values()))
    (picture,) = slack.space.files.values()
    assert picture.content.startswith(b"\x89PNG")
    told = slack.replies(ts)[1]
    assert told.startswith("**Spend, ")
    assert "1 call" in told


@pytest.mark.parametrize("said", ["settings", "<@UB> settings", "/parley settings"])
def test_a_channel_that_a_setting_names_keeps_its_id(said: str) -> None:
    text = to_text(f"{said} workspace digest_channel <#C2|random>", "UB", {})

    command = parse_command(text.removeprefix("/parley "))
    assert command is not None
    assert parse_setting("digest_channel", command.text) == "C2"
