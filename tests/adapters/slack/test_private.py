"""Answers to commands that one person sees: as many messages as Slack takes for one."""

import aiohttp

from adapters.slack.private import CUT_NOTE, MOST_PARTS, PRIVATE_CHARACTERS, PrivateSink
from bot.replies import Reply
from tests.loopback.slack import LoopbackSlack


async def answered(slack: LoopbackSlack, text: str) -> str:
    """The last of what was sent, as it stands in its blocks."""
    async with aiohttp.ClientSession() as session:
        sink = PrivateSink(session, f"{slack.origin}/respond/C1/1")
        await sink.finish(Reply(text=text, notes=("A note.",)))
    return str(slack.responses[-1]["blocks"])


async def test_what_is_longer_than_slack_takes_says_so_at_its_end(slack: LoopbackSlack) -> None:
    last = await answered(slack, "line of a list\n" * PRIVATE_CHARACTERS)
    assert len(slack.responses) == MOST_PARTS
    assert CUT_NOTE in last
    assert "A note." in last


async def test_what_slack_takes_whole_says_nothing(slack: LoopbackSlack) -> None:
    last = await answered(slack, "word " * (PRIVATE_CHARACTERS // 5 * 3))
    assert CUT_NOTE not in last
    assert "A note." in last
