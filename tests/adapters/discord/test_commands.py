"""Slash commands and context menus, with Discord's three seconds and fifteen minutes."""

from __future__ import annotations

import pytest

from adapters.discord.localisation import LANGUAGES
from bot.commands import COMMANDS
from tests.adapters.discord.conftest import Stage, until


async def test_ask_is_answered_in_the_commands_own_reply(stage: Stage) -> None:
    used = stage.server.people.command(
        stage.channel_id, stage.ada["id"], "ask", question="why is the sky blue?"
    )
    await stage.answered(stage.channel_id)
    assert used.texts[0].startswith("echo: why is the sky blue?\n-# free · ")
    assert len(used.messages) == 1


@pytest.mark.parametrize("has_effect", [False, True])
async def test_a_command_whose_first_words_were_lost_is_answered_in_its_own_reply(
    stage: Stage, has_effect: bool
) -> None:
    stage.gateway.scripts = [["Some text. ", 0.1, "The end."]]
    stage.server.fail("PATCH", "/messages/", drop=True, after_effect=has_effect, delay_s=0.3)
    people = stage.server.people
    used = people.command(stage.channel_id, stage.ada["id"], "ask", question="go")
    await stage.answered(stage.channel_id)
    (answer,) = used.texts
    assert answer.startswith("Some text. The end.\n-# ")
    assert stage.server.texts(stage.channel_id) == [answer]


async def test_ask_takes_a_tier_and_a_model(stage: Stage) -> None:
    people = stage.server.people
    people.command(stage.channel_id, stage.ada["id"], "ask", question="one", tier="heavy")
    await stage.answered(stage.channel_id, 1)
    people.command(stage.channel_id, stage.ada["id"], "ask", question="two", model="cheap")
    await stage.answered(stage.channel_id, 2)
    assert [call.model.alias for call in stage.gateway.calls] == ["full", "cheap"]
    assert stage.gateway.prompts == ["one", "two"]


async def test_models_are_offered_while_typing(stage: Stage) -> None:
    people = stage.server.people
    typed = people.complete(stage.channel_id, stage.ada["id"], "ask", "model", "ch")
    await until(lambda: typed.response)
    assert typed.choices == [{"name": "cheap · cheap", "value": "cheap"}]


async def test_help_and_models_are_seen_only_by_who_asked(stage: Stage) -> None:
    people = stage.server.people
    used = [people.command(stage.channel_id, stage.ada["id"], name) for name in ("help", "models")]
    await until(lambda: all(each.texts and each.texts[-1] for each in used))
    assert [each.is_ephemeral for each in used] == [True, True]
    assert "`@cheap`" in used[1].texts[0]
    assert stage.server.texts(stage.channel_id) == []


async def test_ask_parley_on_a_message_opens_a_thread_on_it(stage: Stage) -> None:
    said = stage.server.people.say(stage.channel_id, stage.bob["id"], "E = mc³")
    used = stage.server.people.context(said, stage.ada["id"], "Ask Parley")
    (answer,) = await stage.answered(said["id"])
    assert stage.gateway.prompts == ["Bob wrote:\n> E = mc³"]
    assert used.texts == [f"I answer in a thread: <#{said['id']}>"]
    assert answer["content"].startswith("echo: Bob wrote:")
    stage.say("go on", said["id"])
    await stage.answered(said["id"], 2)


async def test_ask_heavier_uses_the_full_tier(stage: Stage) -> None:
    said = stage.server.people.say(stage.channel_id, stage.bob["id"], "E = mc³")
    stage.server.people.context(said, stage.ada["id"], "Ask heavier")
    await stage.answered(said["id"])
    assert stage.gateway.calls[0].model.alias == "full"


async def test_ask_heavier_counts_more_than_a_tag_in_the_message(stage: Stage) -> None:
    said = stage.server.people.say(stage.channel_id, stage.bob["id"], "@fast E = mc³")
    stage.server.people.context(said, stage.ada["id"], "Ask heavier")
    await stage.answered(said["id"])
    assert stage.gateway.calls[0].model.alias == "full"


async def test_ask_parley_brings_the_files_of_the_message_along(stage: Stage) -> None:
    file = stage.server.keep_file("plan.txt", b"Buy milk", "text/plain")
    said = stage.server.people.say(stage.channel_id, stage.bob["id"], "", files=[file])
    stage.server.people.context(said, stage.ada["id"], "Ask Parley")
    await stage.answered(said["id"])
    assert [f.text for f in stage.gateway.calls[0].messages[-1].attachments] == ["Buy milk"]


async def test_outside_its_servers_the_answer_stays_in_the_reply(stage: Stage) -> None:
    used = stage.server.people.command(
        stage.channel_id, stage.ada["id"], "ask", outside=True, question="long " * 600
    )
    await until(lambda: len(used.messages) == 2 and "-# free" in used.texts[-1])
    assert [len(text) <= 2000 for text in used.texts] == [True, True]
    assert stage.server.messages(stage.channel_id) == []


async def test_an_answer_that_outlives_its_interaction_ends_in_the_channel(stage: Stage) -> None:
    stage.gateway.scripts = [[1.5, "finally done"]]
    used = stage.server.people.command(stage.channel_id, stage.ada["id"], "ask", question="slow")
    await until(lambda: used.response)
    stage.server.advance(16 * 60)
    (answer,) = await stage.answered(stage.channel_id)
    assert answer["content"].startswith("finally done")
    assert answer["id"] != used.original_id


async def test_commands_are_registered_once_and_not_at_every_start(offstage: Stage) -> None:
    for _ in range(2):
        async with offstage.connected():
            pass
    assert len(offstage.server.record.seen("PUT", "/commands$")) == 1
    names = [command["name"] for command in offstage.server.world.commands[""]]
    switched_on = {name for name, spec in COMMANDS.items() if spec.is_on}
    assert set(names) == {"ask", *switched_on, "Ask Parley", "Ask heavier"}


async def test_commands_are_described_in_several_languages(stage: Stage) -> None:
    languages = {str(language) for language in LANGUAGES}
    for command in stage.server.world.commands[""]:
        of = "name" if command["name"].startswith("Ask ") else "description"
        assert set(command[f"{of}_localizations"]) == languages, command["name"]


async def test_a_changed_translation_is_registered_anew(offstage: Stage) -> None:
    async with offstage.connected():
        pass
    offstage.server.world.commands[""][0]["description_localizations"]["de"] = "Veraltet"
    async with offstage.connected():
        pass
    assert len(offstage.server.record.seen("PUT", "/commands$")) == 2


async def test_outside_its_servers_a_very_long_answer_stays_within_the_follow_ups(
    stage: Stage,
) -> None:
    stage.gateway.scripts = [["A line of an answer. " * 700]]
    used = stage.server.people.command(
        stage.channel_id, stage.ada["id"], "ask", outside=True, question="long"
    )
    await until(lambda: used.texts and "-# free" in used.texts[-1])
    assert len(used.messages) == 6
    assert "The whole answer is in answer.md." in used.texts[-1]


async def test_outside_its_servers_again_answers_the_press(stage: Stage) -> None:
    people = stage.server.people
    used = people.command(stage.channel_id, stage.ada["id"], "ask", outside=True, question="hi")
    await until(lambda: used.texts and "-# free" in used.texts[-1])
    stage.server.advance(20 * 60)
    assert used.original is not None
    custom_id = people.buttons(used.original)["Again"]
    pressed = people.press(used.original, stage.ada["id"], custom_id, outside=True)
    await until(lambda: len(pressed.messages) == 2 and "-# free" in pressed.texts[-1])
    assert stage.gateway.prompts == ["hi", "hi"]


async def test_ask_in_a_direct_chat_belongs_to_its_conversation(stage: Stage) -> None:
    chat = stage.server.world.add_dm(stage.ada["id"])
    stage.say("first", chat["id"])
    await stage.answered(chat["id"])
    stage.server.people.command(chat["id"], stage.ada["id"], "ask", question="second")
    await stage.answered(chat["id"], 2)
    texts = [message.text for message in stage.gateway.calls[-1].messages]
    assert texts[-3:] == ["first", "echo: first", "second"]


async def test_a_command_that_discord_gave_up_on_is_no_fault(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.server.fail("POST", "/callback", status=404, code=10062, message="Unknown interaction")
    stage.server.people.command(stage.channel_id, stage.ada["id"], "models")
    await until(lambda: "an interaction was answered too late" in caplog.text)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
