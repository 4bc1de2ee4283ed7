"""`spend` on Slack: words in the thread, and a picture below them."""

from __future__ import annotations

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
