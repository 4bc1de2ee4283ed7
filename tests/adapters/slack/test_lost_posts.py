"""What Slack makes without saying so: no message stays unfinished, none stands twice."""

import asyncio
from dataclasses import replace

import pytest

from adapters.slack import lost
from storage import MemoryStore
from tests.adapters.slack.rig import Paced, PacedGateway, Rig, running
from tests.loopback.slack import LoopbackSlack

WORDS = [f"word{n} " for n in range(12)]
WHOLE = "".join(WORDS)


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost, "LATE_S", 0.6)


def unfinished(slack: LoopbackSlack) -> list[str]:
    """The streams in which text still seems to be coming."""
    return [
        ts
        for (channel, ts), stream in slack.space.streams.items()
        if stream.state == "live" and slack.space.find(channel, ts)
    ]


async def talked(rig: Rig) -> list[str]:
    """What stands in a thread after an answer."""
    rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
    ts = rig.slack.say("<@UPARLEY> talk")
    await rig.answered()
    return rig.slack.replies(ts)


async def test_a_stream_whose_start_was_not_confirmed_goes_on(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.startStream", "dropped", is_applied=True)
    assert await talked(rig) == [WHOLE]
    assert len(slack.made("chat.startStream")) == 1
    assert unfinished(slack) == []


async def test_a_lost_stream_that_could_not_be_looked_for_is_removed_in_the_end(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.startStream", "dropped", is_applied=True)
    slack.fail("conversations.replies", "not_allowed")
    assert await talked(rig) == [WHOLE]
    assert len(slack.made("chat.startStream")) == 2
    assert unfinished(slack) == []


async def test_a_stream_that_begins_long_after_its_call_is_removed_in_the_end(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.startStream", "dropped", late_s=0.2)
    said = await talked(rig)
    assert len(slack.space.streams) == 2
    assert said == [WHOLE]
    assert unfinished(slack) == []


async def test_a_post_that_is_made_long_after_its_call_stands_once(slack: LoopbackSlack) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        slack.fail("chat.postMessage", "http_500", late_s=0.2)
        assert await talked(rig) == [WHOLE]
        assert len(slack.made("chat.postMessage")) == 2
        assert len(slack.made("chat.delete")) == 1


async def test_a_lost_stream_is_written_on_by_edits_where_streams_are_refused_since(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.startStream", "dropped", is_applied=True)
    slack.fail("conversations.replies", "not_allowed")
    slack.fail("chat.startStream", "channel_type_not_supported")
    assert [text.strip() for text in await talked(rig)] == [WHOLE.strip()]
    assert unfinished(slack) == []


async def test_a_stream_that_would_not_be_stopped_is_ended_by_the_edit(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.stopStream", "stopped_by_user")
    assert [text.strip() for text in await talked(rig)] == [WHOLE.strip()]
    assert unfinished(slack) == []


async def test_a_stream_whose_start_a_crash_kept_from_being_noted_gets_the_answer(
    slack: LoopbackSlack,
) -> None:
    store, gate = MemoryStore(), asyncio.Event()
    gateway = PacedGateway([Paced(["half of", " it"], gate=gate)])
    async with running(slack, store=store, gateway=gateway) as rig:
        ts = slack.say("<@UPARLEY> hello")
        await slack.until(lambda: slack.replies(ts) == ["half of"])
        (turn_id,) = rig.queue.tasks
    (post,) = await store.posts(turn_id)
    store._kept.posts[post.post_id] = replace(post, platform_id="")
    async with running(slack, store=store) as rig:
        turn = await store.turn(turn_id)
        assert turn is not None
        await rig.queue.submit(turn)
        await rig.answered()
    assert slack.replies(ts) == ["echo: hello"]
    assert unfinished(slack) == []


async def test_two_voices_whose_starts_were_lost_find_each_its_own(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.startStream", "dropped", is_applied=True, times=2)
    ts = slack.say("<@UPARLEY> ensemble n:2 mode:show Which is better?")
    await rig.answered()
    voices = [text for text in slack.replies(ts) if text.startswith("**Voice")]
    assert len(voices) == len({text.partition("\n")[0] for text in voices}) == 2
    assert unfinished(slack) == []


@pytest.mark.parametrize("is_applied", [False, True])
async def test_a_question_that_parley_posted_is_not_taken_for_a_lost_answer(
    rig: Rig, slack: LoopbackSlack, is_applied: bool
) -> None:
    slack.fail("chat.startStream", "dropped", is_applied=is_applied)
    slack.command("/parley", "ask what is DNS?")
    await rig.answered()
    texts = [message["text"] for message in slack.space.channels["C1"].messages]
    assert texts == ["<@U1> asks: what is DNS?", "echo: what is DNS?"]
    assert unfinished(slack) == []


@pytest.mark.parametrize("late_s", [0.0, 0.2])
async def test_a_question_by_command_is_answered_though_its_post_was_not_confirmed(
    rig: Rig, slack: LoopbackSlack, late_s: float
) -> None:
    slack.fail("chat.postMessage", "dropped", is_applied=True, late_s=late_s)
    slack.command("/parley", "ask what is DNS?")
    await rig.answered(1)
    question, _ = slack.space.channels["C1"].messages
    assert slack.replies(str(question["ts"]))[1:] == ["echo: what is DNS?"]
    assert slack.responses == []


async def test_a_question_by_command_that_is_not_there_is_told_to_whoever_asked(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.postMessage", "dropped")
    slack.command("/parley", "ask what is DNS?")
    await slack.until(lambda: slack.responses)
    assert "did not answer" in slack.responses[0]["text"]
    assert slack.space.channels["C1"].messages == []
    assert rig.gateway.calls == []
