"""Where the bot answers and where it is silent, through the real client."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.settings import SettingChange
from tests.adapters.discord.conftest import Stage, until
from tests.loopback.discord.world import FORUM, PUBLIC_THREAD, Payload


async def switch_off(stage: Stage, name: str, place: str = "") -> None:
    await stage.store.set_setting(
        SettingChange(
            scope_id=f"discord/{stage.guild['id']}{place}",
            name=name,
            after="off",
            user_id="admin",
            at=datetime.now(UTC),
        )
    )


async def in_thread(stage: Stage) -> Payload:
    """A conversation that has begun; returns its thread."""
    question = stage.ask("begin")
    await stage.answered(question["id"])
    return stage.server.world.channels[question["id"]]


async def heard_by(stage: Stage) -> list[str]:
    """What the models were asked, after everything said so far was surely heard."""
    last = stage.ask("sentinel")
    await stage.answered(last["id"])
    return [prompt for prompt in stage.gateway.prompts if prompt != "sentinel"]


async def test_a_mention_is_answered_in_a_new_thread_on_it(stage: Stage) -> None:
    question = stage.ask("what is up?")
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith("echo: what is up?\n-# free · free · ")
    assert stage.server.world.channels[question["id"]]["name"] == "what is up?"
    assert stage.server.texts(stage.channel_id) == []


async def test_inside_its_thread_no_mention_is_needed_and_the_history_is_known(
    stage: Stage,
) -> None:
    thread = await in_thread(stage)
    stage.say("and then?", thread["id"])
    await stage.answered(thread["id"], 2)
    texts = [message.text for message in stage.gateway.calls[-1].messages]
    assert texts[-3:] == ["begin", "echo: begin", "and then?"]


async def test_it_is_silent_while_people_in_its_thread_talk_to_each_other(stage: Stage) -> None:
    thread = await in_thread(stage)
    aside = stage.say(f"<@{stage.bob['id']}> what do you think?", thread["id"])
    stage.server.people.say(thread["id"], stage.bob["id"], "no idea", reply_to=aside["id"])
    assert await heard_by(stage) == ["begin"]


async def test_what_people_said_aside_is_known_to_the_next_answer(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.say(f"<@{stage.bob['id']}> the code is 42", thread["id"])
    stage.say("what is the code?", thread["id"])
    await stage.answered(thread["id"], 2)
    said = " ".join(message.text for message in stage.gateway.calls[-1].messages)
    assert "Bob the code is 42" in said


async def test_a_mention_in_its_thread_counts_even_among_other_mentions(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.ask(f"and <@{stage.bob['id']}>?", thread["id"])
    await stage.answered(thread["id"], 2)
    assert stage.gateway.prompts[-1] == "and Bob?"


async def test_talk_in_a_channel_is_none_of_its_business(stage: Stage) -> None:
    stage.say("hello everyone")
    assert await heard_by(stage) == []


async def test_every_message_in_a_direct_chat_is_answered_there(stage: Stage) -> None:
    chat = stage.server.world.add_dm(stage.ada["id"])
    stage.say("hi", chat["id"])
    (answer,) = await stage.answered(chat["id"])
    assert answer["content"].startswith("echo: hi")


async def test_bots_are_never_answered(stage: Stage) -> None:
    robot = stage.server.world.add_user("Robot", bot=True)
    stage.server.people.ask(stage.channel_id, robot["id"], "hi")
    assert await heard_by(stage) == []


async def test_a_reply_to_its_message_counts_as_a_mention(stage: Stage) -> None:
    await switch_off(stage, "threads")
    stage.ask("one")
    (answer,) = await stage.answered(stage.channel_id)
    stage.say("two", reply_to=answer["id"])
    await stage.answered(stage.channel_id, 2)
    texts = [message.text for message in stage.gateway.calls[-1].messages]
    assert texts[-3:] == ["one", "echo: one", "two"]


async def test_with_threads_off_the_answer_is_a_reply(stage: Stage) -> None:
    await switch_off(stage, "threads")
    question = stage.ask("hi")
    (answer,) = await stage.answered(stage.channel_id)
    assert str(answer["message_reference"]["message_id"]) == question["id"]
    assert question["id"] not in stage.server.world.channels


async def test_a_mention_under_somebody_elses_message_brings_that_message_along(
    stage: Stage,
) -> None:
    said = stage.server.people.say(stage.channel_id, stage.bob["id"], "The sky is green.")
    bot = stage.server.world.bot["id"]
    question = stage.say(f"<@{bot}> is that so?", reply_to=said["id"])
    await stage.answered(question["id"])
    assert stage.gateway.prompts == ["Bob wrote:\n> The sky is green.\n\nis that so?"]


async def test_a_mention_in_a_thread_of_people_reads_that_thread_first(stage: Stage) -> None:
    world, people = stage.server.world, stage.server.people
    starter = stage.say("Shall we use Rust?")
    thread = world.add_thread(
        stage.channel_id, "Rust", stage.ada["id"], kind=PUBLIC_THREAD, thread_id=starter["id"]
    )
    people.say(thread["id"], stage.bob["id"], "Rather Go.")
    stage.ask("who is right?", thread["id"])
    await stage.answered(thread["id"])
    said = "\n".join(message.text for message in stage.gateway.calls[-1].messages)
    positions = [said.index(t) for t in ("Shall we use Rust?", "Rather Go.", "who is right?")]
    assert positions == sorted(positions)


async def test_a_long_thread_of_people_is_read_in_part_and_that_is_said(stage: Stage) -> None:
    world, people = stage.server.world, stage.server.people
    thread = world.add_thread(stage.channel_id, "long", stage.ada["id"], kind=PUBLIC_THREAD)
    for number in range(130):
        people.say(thread["id"], stage.bob["id"], f"message {number}.")
    stage.ask("sum up", thread["id"])
    await stage.answered(thread["id"])
    said = "\n".join(message.text for message in stage.gateway.calls[-1].messages)
    assert "only its last 100 messages were read" in said
    assert "message 29." not in said
    assert "message 30." in said


async def test_a_thread_that_may_not_be_read_is_answered_and_that_is_said(stage: Stage) -> None:
    world = stage.server.world
    thread = world.add_thread(stage.channel_id, "closed", stage.ada["id"], kind=PUBLIC_THREAD)
    world.deny(stage.channel_id, "read_message_history")
    stage.ask("who is right?", thread["id"])
    await stage.answered(thread["id"])
    said = "\n".join(message.text for message in stage.gateway.calls[-1].messages)
    assert "I lack the permission Read Message History" in said


async def test_a_new_forum_post_is_answered_and_needs_no_mention(stage: Stage) -> None:
    forum = stage.server.world.add_channel(stage.guild["id"], "forum", FORUM)
    post = stage.server.people.post(forum["id"], stage.ada["id"], "Help", "how?")
    (answer,) = await stage.answered(post["id"])
    assert answer["content"].startswith("echo: Help\n\nhow?")
    stage.say("and more?", post["id"])
    await stage.answered(post["id"], 2)


async def test_a_command_in_a_new_forum_post_is_one_whatever_the_title(stage: Stage) -> None:
    forum = stage.server.world.add_channel(stage.guild["id"], "forum", FORUM)
    post = stage.server.people.post(forum["id"], stage.ada["id"], "What can it do?", "help")
    await until(lambda: stage.server.texts(post["id"]))
    assert stage.gateway.calls == []


async def test_a_comma_behind_the_mention_is_no_part_of_the_prompt(stage: Stage) -> None:
    thread_id = stage.ask(", how are you?")["id"]
    (answer,) = await stage.answered(thread_id)
    assert answer["content"].startswith("echo: how are you?")
    assert stage.server.world.channels[thread_id]["name"] == "how are you?"


async def test_a_forum_post_from_before_is_left_to_its_people(stage: Stage) -> None:
    world, people = stage.server.world, stage.server.people
    forum = world.add_channel(stage.guild["id"], "forum", FORUM)
    old = world.add_thread(forum["id"], "Old", stage.ada["id"], kind=PUBLIC_THREAD)
    people.say(old["id"], stage.bob["id"], "I had that too.")
    addressed = people.post(forum["id"], stage.ada["id"], "Bob?", f"<@{stage.bob['id']}> how?")
    await stage.answered(people.post(forum["id"], stage.ada["id"], "Help", "how?")["id"])
    assert stage.server.texts(old["id"]) == stage.server.texts(addressed["id"]) == []


async def test_a_forum_can_be_set_to_answer_only_where_the_bot_is_named(stage: Stage) -> None:
    world = stage.server.world
    forum = world.add_channel(stage.guild["id"], "forum", FORUM)
    await switch_off(stage, "forums", f"/{forum['id']}")
    quiet = stage.server.people.post(forum["id"], stage.ada["id"], "Quiet", "for people")
    named = f"<@{world.bot['id']}> how?"
    await stage.answered(stage.server.people.post(forum["id"], stage.ada["id"], "H", named)["id"])
    assert stage.server.texts(quiet["id"]) == []


async def test_a_prompt_edited_before_its_answer_begins_is_read_anew(offstage: Stage) -> None:
    offstage.is_one_at_a_time = True
    offstage.gateway.scripts = [["Begun. ", 1.0, "Done."]]
    async with offstage.connected():
        thread_id = offstage.ask("one")["id"]
        await until(lambda: offstage.server.texts(thread_id))
        offstage.server.people.edit(offstage.say("draft", thread_id), "final")
        await offstage.answered(thread_id, 2)
    assert offstage.gateway.prompts == ["one", "final"]


async def test_a_link_preview_is_no_edit(offstage: Stage) -> None:
    offstage.is_one_at_a_time = True
    offstage.gateway.scripts = [["Begun. ", 1.0, "Done."]]
    async with offstage.connected():
        thread_id = offstage.ask("one")["id"]
        await until(lambda: offstage.server.texts(thread_id))
        question = offstage.say("see https://example.com", thread_id)
        world = offstage.server.world
        world.emit("MESSAGE_UPDATE", world.event_payload({**question, "content": ""}))
        await offstage.answered(thread_id, 2)
    assert offstage.gateway.prompts[-1] == "see https://example.com"


async def test_a_deleted_prompt_cancels_its_answer_and_leaves_nothing_behind(
    stage: Stage,
) -> None:
    stage.gateway.scripts = [["So far. ", "And on.", 60.0]]
    thread_id = stage.ask("regret")["id"]
    await until(lambda: stage.server.texts(thread_id))
    stage.server.people.delete(stage.server.world.messages[stage.channel_id][thread_id])
    await until(lambda: not stage.server.texts(thread_id))
    assert stage.gateway.cancelled == [f"discord:{thread_id}:answer1"]


async def test_several_people_in_one_thread_are_told_apart(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.server.people.say(thread["id"], stage.bob["id"], "my turn")
    await stage.answered(thread["id"], 2)
    said = "\n".join(message.text for message in stage.gateway.calls[-1].messages)
    assert "Ada" in said
    assert "Bob" in said


async def test_an_empty_mention_is_answered_with_a_sentence(stage: Stage) -> None:
    question = stage.ask("")
    await until(lambda: stage.server.messages(question["id"]))
    (answer,) = stage.server.messages(question["id"])
    assert answer["content"].startswith("There is no question in this message.")


async def test_a_thread_that_comes_out_of_the_archive_unknown_is_recognised(
    offstage: Stage,
) -> None:
    async with offstage.connected():
        thread = await in_thread(offstage)
    offstage.server.world.set_archived(thread["id"], archived=True)
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        # The event of its return comes late: Discord promises no order.
        thread["thread_metadata"]["archived"] = False
        offstage.say("still here?", thread["id"])
        await offstage.answered(thread["id"], 2)
    assert offstage.gateway.prompts == ["begin", "still here?"]


async def test_a_question_behind_another_one_is_marked_as_seen_until_its_turn(
    offstage: Stage,
) -> None:
    offstage.is_one_at_a_time = True
    offstage.gateway.scripts = [["Begun. ", 1.5, "Done."]]
    async with offstage.connected():
        thread_id = offstage.ask("one")["id"]
        await until(lambda: offstage.server.texts(thread_id))
        second = offstage.say("two", thread_id)
        await until(lambda: offstage.server.rest.reacted)
        await offstage.answered(thread_id, 2)
        await until(lambda: len(offstage.server.rest.reacted) == 2)
    assert offstage.server.rest.reacted == [("+", second["id"], "👀"), ("-", second["id"], "👀")]
