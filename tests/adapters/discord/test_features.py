"""Debates, ensembles and the spend, as they look on Discord."""

from __future__ import annotations

from tests.adapters.discord.conftest import Stage, until
from tests.adapters.discord.test_answering import in_thread

OBJECTION = "- [serious] Two and two are four, not five."


async def test_a_debate_is_a_message_for_each_step_and_the_answer_last(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.gateway.scripts = [["It is five."], [OBJECTION], ["It is four."]]
    stage.say("debate what is two and two?", thread["id"])
    await stage.answered(thread["id"], 2)
    texts = stage.server.texts(thread["id"])[1:]
    headings = [text.splitlines()[0] for text in texts]
    assert headings[0] == "**Debate**"
    assert [heading.split(" · ")[0].strip("*") for heading in headings[1:3]] == [
        "Answer",
        "Critique",
    ]
    assert texts[-1].startswith("It is four.")
    assert len(texts) == 4


async def test_a_debate_by_command_fills_its_own_reply_first(stage: Stage) -> None:
    stage.gateway.scripts = [["It is five."], [OBJECTION], ["It is four."]]
    used = stage.server.people.command(
        stage.channel_id, stage.ada["id"], "debate", question="what is two and two?", rounds=1
    )
    await stage.answered(stage.channel_id)
    texts = stage.server.texts(stage.channel_id)
    assert texts[0] == used.texts[0]
    assert texts[0].startswith("**Debate**")
    assert texts[-1].startswith("It is four.")


async def test_an_ensemble_shows_each_voice_and_one_answer(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.gateway.scripts = [["Paris."], ["Lyon."], ["Together: Paris."]]
    stage.say("ensemble n:2 capital of France?", thread["id"])
    await stage.answered(thread["id"], 2)
    texts = stage.server.texts(thread["id"])[1:]
    assert sorted(w for w in ("Paris.", "Lyon.") if any(w in text for text in texts[:-1])) == [
        "Lyon.",
        "Paris.",
    ]
    assert texts[-1].startswith("Together: Paris.")


async def test_the_spend_is_a_text_and_a_picture_that_says_what_it_shows(stage: Stage) -> None:
    await in_thread(stage)
    used = stage.server.people.command(stage.channel_id, stage.ada["id"], "spend", period="week")
    await until(lambda: used.original and used.original["attachments"])
    assert used.is_ephemeral
    assert used.original is not None
    (picture,) = used.original["attachments"]
    _, png = stage.server.world.files[picture["id"]]
    assert png.startswith(b"\x89PNG")
    assert picture["filename"] == "spend.png"
    assert picture["description"]
