"""A debate and an ensemble in a Slack thread, with the real client."""

import asyncio
from pathlib import Path

from storage import open_store
from tests.adapters.slack.rig import Paced, PacedGateway, Rig, running
from tests.loopback.slack import LoopbackSlack

WRONG, OBJECTION, RIGHT = "It is Sydney.", "- [serious] It is Canberra.", "It is Canberra."
DEBATED = [
    f"**Answer · full**\n\n{WRONG}",
    f"**Critique · cheap**\n\n{OBJECTION}",
    RIGHT,
]


async def test_words_in_a_thread_are_a_debate_with_a_message_a_step(
    rig: Rig, slack: LoopbackSlack
) -> None:
    rig.gateway.script = [Paced([WRONG]), Paced([OBJECTION]), Paced([RIGHT])]
    ts = slack.say("<@UPARLEY> debate What is the capital of Australia?")
    await rig.answered()
    plan, *steps = slack.replies(ts)
    assert plan.startswith("**Debate**\n\n**full** answers, **cheap** criticises")
    assert steps == DEBATED


async def test_the_voices_of_an_ensemble_stream_at_once_and_are_brief(
    rig: Rig, slack: LoopbackSlack
) -> None:
    long = "A sentence of some length. " * 100
    rig.gateway.script = [Paced([long]), Paced([long]), Paced([long]), Paced(["One answer."])]
    ts = slack.say("<@UPARLEY> ensemble Why?")
    await rig.answered()
    said = slack.replies(ts)
    voices = [text for text in said if text.startswith("**Voice")]
    assert len(voices) == 3
    assert all(len(text) < 1_000 for text in voices)
    assert said[-1] == "One answer."
    uploads = [file for file in slack.space.files.values() if file.name == "answer.md"]
    assert [file.content.decode() for file in uploads] == [long] * 3


async def test_a_slash_command_asks_in_a_thread_of_its_own(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script = [Paced([WRONG]), Paced(["NO OBJECTIONS"])]
    slack.command("/debate", "rounds:2 Why?")
    await rig.answered()
    assert [call.call_id.rpartition(":")[2] for call in rig.gateway.calls] == [
        "propose1", "criticise1",
    ]  # fmt: skip


async def test_after_a_crash_the_steps_that_are_there_are_not_posted_again(
    slack: LoopbackSlack, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    half = Paced(["- [serious]", " It is"], gate=asyncio.Event())
    gateway = PacedGateway([Paced([WRONG]), half])
    async with open_store(url) as store, running(slack, store=store, gateway=gateway) as rig:
        ts = slack.say("<@UPARLEY> debate What is the capital of Australia?")
        await slack.until(lambda: len(slack.replies(ts)) == 3)
        (turn_id,) = rig.queue.tasks
    rest = PacedGateway([Paced([OBJECTION]), Paced([RIGHT])])
    async with open_store(url) as store, running(slack, store=store, gateway=rest) as rig:
        turn = await store.turn(turn_id)
        assert turn is not None
        await rig.queue.submit(turn)
        await rig.answered(1)
        assert slack.replies(ts)[1:] == DEBATED
    assert [call.call_id.rpartition(":")[2] for call in rest.calls] == ["criticise1", "revise1"]
