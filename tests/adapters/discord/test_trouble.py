"""What Discord, the network and admins do to an answer, and what the person still gets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import discord
import pytest

from adapters.discord.client import ParleyClient
from tests.adapters.discord.conftest import Stage, until
from tests.adapters.discord.test_streaming import WORDS, streamed

SLOW = streamed(WORDS, 0.06)
MESSAGES = r"/channels/\d+/messages$"
WHOLE = "".join(WORDS).strip()


def body(message: dict[str, object]) -> str:
    """An answer without its small print."""
    return str(message["content"]).split("\n-# ")[0]


def refused(stage: Stage) -> int:
    """Requests that count towards Discord's limit of invalid ones."""
    return sum(call.status in (401, 403, 429) for call in stage.server.record.calls)


async def test_the_same_event_twice_is_answered_once(stage: Stage) -> None:
    question = stage.ask("once")
    stage.server.people.again(question)
    await stage.answered(question["id"])
    stage.server.people.again(question)
    await stage.answered(stage.ask("other")["id"])
    assert stage.gateway.prompts == ["once", "other"]
    assert len(stage.server.texts(question["id"])) == 1


async def test_a_refusal_has_no_button_under_it(stage: Stage) -> None:
    question = stage.ask("/setings dial 7")
    await until(lambda: stage.server.texts(question["id"]))
    (refusal,) = stage.server.messages(question["id"])
    assert "There is no command `/setings`" in refusal["content"]
    assert stage.server.people.buttons(refusal) == {}


async def test_a_mention_while_the_socket_is_down_is_answered_after_the_resume(
    stage: Stage,
) -> None:
    stage.server.gateway.drop_all()
    question = stage.ask("still there?")
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "echo: still there?"


async def test_it_is_connected_only_while_discord_speaks_to_it(stage: Stage) -> None:
    bot = stage.bot
    assert bot is not None
    await until(lambda: bot.is_connected)
    stage.server.gateway.identify_every_s = 1_000
    stage.server.gateway.drop_all(forget=True)
    await until(lambda: not bot.is_connected)
    stage.server.gateway.identify_every_s = 0
    await until(lambda: bot.is_connected)


async def test_a_mention_lost_with_its_session_is_read_after_the_reconnect(
    stage: Stage,
) -> None:
    stage.server.gateway.drop_all(forget=True)
    question = stage.ask("lost?")
    (answer,) = await asyncio.wait_for(answer_to(stage, question["id"]), 30)
    assert body(answer) == "echo: lost?"
    assert len(stage.gateway.calls) == 1


async def answer_to(stage: Stage, thread_id: str) -> list[dict[str, object]]:
    await until(lambda: stage.finished(thread_id), 30)
    return stage.finished(thread_id)


async def test_what_came_while_the_process_was_down_is_answered_at_the_next_start(
    offstage: Stage,
) -> None:
    chat = offstage.server.world.add_dm(offstage.ada["id"])
    async with offstage.connected():
        thread_id = offstage.ask("begin")["id"]
        await offstage.answered(thread_id)
        offstage.say("hi", chat["id"])
        await offstage.answered(chat["id"])
    missed = offstage.ask("anybody?")["id"]
    offstage.say("in the thread", thread_id)
    offstage.say("in the chat", chat["id"])
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        for place, count in ((missed, 1), (thread_id, 2), (chat["id"], 2)):
            await until(lambda p=place, c=count: len(offstage.finished(p)) >= c)  # type: ignore[misc]
    assert sorted(offstage.gateway.prompts) == [
        "anybody?", "begin", "hi", "in the chat", "in the thread"
    ]  # fmt: skip


async def test_op_7_in_mid_answer_changes_nothing(stage: Stage) -> None:
    stage.gateway.scripts = [list(SLOW)]
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]))
    stage.server.gateway.reconnect()
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == WHOLE


async def test_a_429_on_an_edit_never_brings_older_text_back(stage: Stage) -> None:
    stage.gateway.scripts = [list(SLOW)]
    stage.server.fail("PATCH", "/messages/", status=429, retry_after_s=1.5)
    question = stage.ask("go")
    (answer,) = await stage.answered(question["id"])
    versions = [text.split("\n-# ")[0] for text in stage.server.record.texts(answer["id"])]
    assert versions == sorted(versions, key=len)
    assert versions[-1] == WHOLE
    assert len(stage.server.record.limited()) == 1


async def test_a_post_whose_confirmation_was_lost_is_not_posted_twice(stage: Stage) -> None:
    stage.server.fail("POST", MESSAGES, status=502, after_effect=True)
    question = stage.ask("once")
    await stage.answered(question["id"])
    assert len(stage.server.texts(question["id"])) == 1


async def test_the_end_is_shown_in_a_first_post_whose_confirmation_was_lost(stage: Stage) -> None:
    stage.gateway.scripts = [["Some text. ", 0.1, "The end."]]
    stage.server.fail("POST", MESSAGES, drop=True, after_effect=True, delay_s=0.3)
    question = stage.ask("go")
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "Some text. The end."
    assert stage.server.texts(question["id"]) == [answer["content"]]


async def test_previews_go_on_in_a_first_post_whose_confirmation_was_lost(stage: Stage) -> None:
    stage.gateway.scripts = [["Some text. ", 0.1, "The middle. ", 2.0, "The end."]]
    stage.server.fail("POST", MESSAGES, drop=True, after_effect=True, delay_s=0.3)
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]) == ["Some text. The middle."])
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "Some text. The middle. The end."


async def test_a_dropped_connection_while_posting_is_tried_again(stage: Stage) -> None:
    stage.server.fail("POST", MESSAGES, drop=True, times=2)
    question = stage.ask("again")
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "echo: again"


async def test_a_server_error_on_the_last_edit_is_tried_again(stage: Stage) -> None:
    stage.gateway.scripts = [["Some text. ", 0.8, "The end."]]
    stage.server.fail("PATCH", "/messages/", status=503, times=2)
    question = stage.ask("go")
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "Some text. The end."


async def test_a_prompt_deleted_while_its_last_edit_waits_takes_the_answer_along(
    stage: Stage,
) -> None:
    stage.gateway.scripts = [["Some text. ", 0.8, "The end."]]
    stage.server.fail("PATCH", "/messages/", status=429, retry_after_s=1.0, times=9)
    question = stage.ask("go")
    await until(lambda: stage.gateway.ended_s and stage.server.record.limited())
    stage.server.people.delete(question)
    stage.server.record.faults.clear()
    await until(lambda: not stage.server.texts(question["id"]))


async def test_without_the_right_to_open_threads_it_answers_as_a_reply_and_says_so(
    stage: Stage,
) -> None:
    stage.server.world.deny(stage.channel_id, "create_public_threads")
    await until_denied(stage, "create_public_threads")
    stage.ask("hi")
    (answer,) = await stage.answered(stage.channel_id)
    assert "lack the permission Create Public Threads" in answer["content"]


async def test_without_the_right_to_write_it_says_so_in_a_direct_message(stage: Stage) -> None:
    stage.server.world.deny(stage.channel_id, "send_messages", "create_public_threads")
    await until_denied(stage, "send_messages")
    stage.ask("hi")
    chat = stage.server.world.add_dm(stage.ada["id"])
    await until(lambda: stage.server.texts(chat["id"]))
    (told,) = stage.server.texts(chat["id"])
    assert f"can't answer you in <#{stage.channel_id}>" in told
    assert "Send Messages" in told
    assert refused(stage) <= 2


async def until_denied(stage: Stage, name: str) -> None:
    """Wait until the client knows."""
    channel = stage.client.get_channel(int(stage.channel_id))
    assert isinstance(channel, discord.TextChannel)
    await until(lambda: not getattr(channel.permissions_for(channel.guild.me), name))


async def test_kicked_in_mid_answer_it_stops_asking(stage: Stage) -> None:
    stage.gateway.scripts = [list(SLOW)]
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]))
    stage.server.world.kick(stage.guild["id"])
    turn_id = f"discord:{question['id']}"
    await until(lambda: stage.store._kept.turns[turn_id].status.is_over)
    assert stage.store._kept.turns[turn_id].reply is not None
    assert refused(stage) <= 4


@pytest.mark.parametrize("deleted", ["thread", "channel"])
async def test_a_deleted_place_does_not_lose_the_answer(stage: Stage, deleted: str) -> None:
    stage.gateway.scripts = [list(SLOW)]
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]))
    stage.server.world.remove_channel(question["id"])
    if deleted == "channel":
        stage.server.world.remove_channel(stage.channel_id)
    turn_id = f"discord:{question['id']}"
    await until(lambda: stage.store._kept.turns[turn_id].status.is_over)
    reply = stage.store._kept.turns[turn_id].reply
    assert reply is not None
    assert reply.text.strip() == WHOLE


async def test_an_archived_thread_is_opened_again_for_the_last_edit(stage: Stage) -> None:
    stage.gateway.scripts = [["Some text. ", 1.0, "The end."]]
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]))
    stage.server.world.set_archived(question["id"], archived=True)
    (answer,) = await stage.answered(question["id"])
    assert body(answer) == "Some text. The end."


async def test_automod_in_mid_answer_ends_in_a_sentence(stage: Stage) -> None:
    stage.server.rest.blocked_words.add("word30")
    stage.gateway.scripts = [list(SLOW)]
    question = stage.ask("go")
    (answer,) = await stage.answered(question["id"])
    assert "blocked by this server's AutoMod rules" in answer["content"]
    assert len(stage.server.texts(question["id"])) == 1


async def test_a_crash_in_mid_answer_is_taken_up_in_the_same_message(offstage: Stage) -> None:
    offstage.gateway.scripts = [["So far. ", 60.0], ["So far. And to the end."]]
    async with offstage.connected():
        question = offstage.ask("go")
        await until(lambda: offstage.server.texts(question["id"]))
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        turn_id = f"discord:{question['id']}"
        await offstage.client.parts.responder.answer(turn_id)
        (answer,) = await offstage.answered(question["id"])
    assert body(answer) == "So far. And to the end."
    assert len(offstage.server.texts(question["id"])) == 1


async def test_without_the_content_intent_it_stays_and_hears_mentions(offstage: Stage) -> None:
    offstage.server.gateway.allowed_privileged = 0
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        assert not offstage.client.has_content
        thread_id = offstage.ask("hi")["id"]
        await offstage.answered(thread_id)
        offstage.say("unreadable", thread_id)
        await offstage.answered(offstage.ask("still there?")["id"])
    assert len(offstage.server.texts(thread_id)) == 1


async def test_a_wrong_token_is_said_and_does_not_end_the_program(
    offstage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    offstage.server.token = "another"
    async with offstage.running(token="wrong"):
        await until(lambda: "Discord refused DISCORD_TOKEN" in caplog.text)


async def test_a_discord_that_is_away_is_one_sentence_with_its_facts(
    offstage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await offstage.server.stop()
    async with offstage.running(token=offstage.server.token):
        await until(lambda: "Discord cannot be reached" in caplog.text)
    (record,) = [r for r in caplog.records if r.getMessage() == "Discord cannot be reached"]
    facts = vars(record)
    assert (record.levelname, record.exc_info, facts["again_in_s"]) == ("WARNING", None, 1)
    assert facts["error"] == "ClientConnectorError"
    assert "Cannot connect" in facts["reason"]


async def test_the_invite_link_asks_for_exactly_what_is_needed(stage: Stage) -> None:
    client: ParleyClient = stage.client
    assert client.invite_url == (
        "https://discord.com/oauth2/authorize"
        f"?client_id={stage.server.world.application_id}"
        "&scope=bot+applications.commands&permissions=309237763136"
    )


async def test_a_bot_in_eight_servers_serves_only_its_own_shard(offstage: Stage) -> None:
    offstage.server.gateway.shards = 2
    guilds = [offstage.server.world.add_guild(f"G{number}") for number in range(8)]
    offstage.shards = f"{(int(offstage.guild['id']) >> 22) % 2}/2"
    async with offstage.connected():
        mine = {str(guild.id) for guild in offstage.client.guilds}
    shard = (int(offstage.guild["id"]) >> 22) % 2
    expected = {g["id"] for g in [offstage.guild, *guilds] if (int(g["id"]) >> 22) % 2 == shard}
    assert mine <= expected
    assert offstage.guild["id"] in mine


async def test_a_post_that_a_crash_kept_from_being_noted_is_found_again(offstage: Stage) -> None:
    offstage.gateway.scripts = [["So far. ", 60.0], ["The whole answer."]]
    async with offstage.connected():
        question = offstage.ask("go")
        await until(lambda: offstage.server.texts(question["id"]))
    turn_id = f"discord:{question['id']}"
    (post,) = await offstage.store.posts(turn_id)
    long_ago = post.created_at - timedelta(minutes=10)
    lost = replace(post, platform_id="", created_at=long_ago)
    offstage.store._kept.posts[post.post_id] = lost
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        await offstage.client.parts.responder.answer(turn_id)
        (answer,) = await offstage.answered(question["id"])
    assert body(answer) == "The whole answer."
    assert len(offstage.server.texts(question["id"])) == 1
