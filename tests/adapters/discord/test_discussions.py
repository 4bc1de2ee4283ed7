"""A debate and an ensemble in a Discord thread, through the real client."""

from __future__ import annotations

from tests.adapters.discord.conftest import Stage, until
from tests.loopback.discord.world import Payload

WRONG, OBJECTION, RIGHT = "It is Sydney.", "- [serious] It is Canberra.", "It is Canberra."


def heads(stage: Stage, place_id: str) -> list[str]:
    """The first line of each of the bot's messages in a place."""
    return [text.splitlines()[0] for text in stage.server.texts(place_id)]


def files(message: Payload) -> list[str]:
    return [file["filename"] for file in message["attachments"]]


async def test_a_debate_is_one_labelled_message_a_step_and_the_answer_last(stage: Stage) -> None:
    stage.gateway.scripts = [[WRONG], [OBJECTION], [RIGHT]]
    question = stage.ask("debate What is the capital of Australia?")
    (answer,) = await stage.answered(question["id"])
    assert heads(stage, question["id"]) == [
        "**Debate**", "**Answer · full**", "**Critique · cheap**", RIGHT,
    ]  # fmt: skip
    assert "Final answer: revised once by full" in answer["content"]
    proposed = stage.server.texts(question["id"])[1]
    assert proposed.startswith(f"**Answer · full**\n{WRONG}\n-# full · full · ")


async def test_only_the_answer_keeps_buttons(stage: Stage) -> None:
    stage.gateway.scripts = [[WRONG], [OBJECTION], [RIGHT]]
    question = stage.ask("debate What is the capital of Australia?")
    await stage.answered(question["id"])
    *steps, answer = stage.server.messages(question["id"])
    assert not any(stage.server.people.buttons(step) for step in steps)
    assert "Heavier" not in stage.server.people.buttons(answer)
    assert "Again" in stage.server.people.buttons(answer)


async def test_five_long_answers_are_brief_with_the_whole_in_a_file(stage: Stage) -> None:
    long = "A sentence of some length. " * 200
    stage.gateway.scripts = [[long], [long], [long], ["One answer."]]
    question = stage.ask("ensemble Why?")
    await stage.answered(question["id"])
    _, *voices, answer = stage.server.messages(question["id"])
    assert len(voices) == 3
    assert all(len(voice["content"]) < 1_000 for voice in voices)
    assert all(files(voice) == ["answer.md"] for voice in voices)
    assert answer["content"].startswith("One answer.\n-# One answer of 3, by full.")


async def test_a_slash_command_offers_models_and_is_debated_in_its_reply(stage: Stage) -> None:
    stage.gateway.scripts = [[WRONG], ["NO OBJECTIONS"]]
    people, ada = stage.server.people, stage.ada["id"]
    offered = people.complete(stage.channel_id, ada, "debate", "models", "full, fr")
    await until(lambda: offered.choices)
    assert [choice["value"] for choice in offered.choices] == ["full,free"]
    people.command(stage.channel_id, ada, "debate", question="Why?", models="full, free")
    (answer,) = await stage.answered(stage.channel_id)
    assert [call.model.alias for call in stage.gateway.calls] == ["full", "free"]
    assert heads(stage, stage.channel_id)[:2] == ["**Debate**", "**Answer · full**"]
    assert answer["content"].startswith(WRONG)


async def test_after_a_crash_the_steps_that_are_there_are_not_posted_again(
    offstage: Stage,
) -> None:
    offstage.gateway.scripts = [[WRONG], ["- [ser", 60.0]]
    async with offstage.connected():
        question = offstage.ask("debate What is the capital of Australia?")
        await until(lambda: len(offstage.server.texts(question["id"])) == 3)
    offstage.server.gateway.identify_every_s = 0.0
    offstage.gateway.scripts = [[OBJECTION], [RIGHT]]
    async with offstage.connected():
        await offstage.client.parts.responder.answer(f"discord:{question['id']}")
        await offstage.answered(question["id"])
    assert heads(offstage, question["id"]) == [
        "**Debate**", "**Answer · full**", "**Critique · cheap**", RIGHT,
    ]  # fmt: skip
    steps = [call.call_id.rpartition(":")[2] for call in offstage.gateway.calls]
    assert steps == ["propose1", "criticise1", "criticise1", "revise1"]


async def test_stop_ends_the_step_that_is_being_written(stage: Stage) -> None:
    stage.gateway.scripts = [[WRONG], ["- [serious] It", 60.0]]
    question = stage.ask("debate What is the capital of Australia?")
    await until(lambda: len(stage.server.texts(question["id"])) == 3)
    critique = stage.server.messages(question["id"])[2]
    await until(lambda: "Stop" in stage.server.people.buttons(critique))
    stop = stage.server.people.buttons(critique)["Stop"]
    stage.server.people.press(critique, stage.ada["id"], stop)
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith(f"{WRONG}\n-# Stopped.")
    assert "-# Stopped." in stage.server.texts(question["id"])[2]


async def test_a_deleted_question_takes_its_steps_with_it(stage: Stage) -> None:
    stage.gateway.scripts = [[WRONG], ["- [serious] It", 60.0]]
    question = stage.ask("debate What is the capital of Australia?")
    await until(lambda: len(stage.server.texts(question["id"])) == 3)
    stage.server.people.delete(question)
    await until(lambda: not stage.server.texts(question["id"]))
