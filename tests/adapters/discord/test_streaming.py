"""How an answer appears: soon, at Discord's pace, never backwards, exact at the end."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from adapters.discord.pacing import PREVIEW_EVERY_S
from adapters.replies import close_fence
from bot.errors import ProviderUnavailableError, StreamCutError
from bot.replies import Reply
from tests.adapters.discord.conftest import Stage, until
from tests.fakes import turn

WORDS = [f"word{n} " for n in range(60)]
CODE = "```python\n" + "".join(f"print({n}, 'a line of code')\n" for n in range(700)) + "```"


def streamed(words: list[str], pause_s: float) -> list[str | float | Exception]:
    """A script with a pause after each word."""
    return [step for word in words for step in (word, pause_s)]


async def test_previews_grow_at_the_channels_pace_and_the_last_is_exact(stage: Stage) -> None:
    stage.gateway.scripts = [streamed(WORDS, 0.08)]
    question = stage.ask("count")
    (answer,) = await stage.answered(question["id"])
    versions = stage.server.record.versions[answer["id"]]
    bodies = [version.content.split("\n-# ")[0] for version in versions]
    assert 4 <= len(versions) <= 3 + (versions[-1].at_s - versions[0].at_s) / PREVIEW_EVERY_S
    assert all(after.startswith(before) for before, after in pairwise(bodies))
    assert bodies[-1] == "".join(WORDS).strip()
    assert stage.server.record.repeats() == []
    assert stage.server.record.limited() == []


async def test_the_first_words_are_shown_long_before_the_last(stage: Stage) -> None:
    stage.gateway.scripts = [["slow", 0.2, " but", 0.2, " steady", 5.0, " end"]]
    question = stage.ask("go")
    await until(lambda: stage.server.texts(question["id"]))
    assert not stage.gateway.ended_s
    (answer,) = await stage.answered(question["id"])
    assert "slow but steady end".startswith(stage.server.record.texts(answer["id"])[0])


async def test_somebody_types_while_the_model_thinks(stage: Stage) -> None:
    stage.gateway.scripts = [[1.0, "done"]]
    question = stage.ask("think")
    await stage.answered(question["id"])
    assert [channel_id for _, channel_id in stage.server.rest.typed] == [question["id"]]


async def test_a_long_code_block_is_whole_in_each_message(stage: Stage) -> None:
    stage.gateway.scripts = [[CODE]]
    question = stage.ask("code")
    (last,) = await stage.answered(question["id"])
    texts = stage.server.texts(question["id"])
    assert last["content"] == texts[-1]
    assert len(texts) == 8
    assert all(len(text) <= 2000 for text in texts)
    assert all(text.startswith("```python\n") and text.count("```") == 2 for text in texts)
    assert all(close_fence(text) == text for text in texts)


async def test_past_the_most_parts_the_whole_answer_comes_as_a_file(stage: Stage) -> None:
    stage.gateway.scripts = [[CODE]]
    question = stage.ask("code")
    (last,) = await stage.answered(question["id"])
    (file,) = last["attachments"]
    _, data = stage.server.world.files[file["id"]]
    assert data.decode() == CODE
    assert "-# The whole answer is in answer.md." in last["content"]


async def test_further_messages_make_no_sound_and_nothing_pings(stage: Stage) -> None:
    text = "@everyone <@123456789012345678> look. " * 100
    stage.gateway.scripts = [[text]]
    question = stage.ask("shout")
    await stage.answered(question["id"])
    flags = [message["flags"] for message in stage.server.messages(question["id"])]
    assert flags == [0, 1 << 12]
    assert stage.server.record.pinged == []


async def test_a_provider_that_fails_ends_in_a_sentence_and_again(stage: Stage) -> None:
    stage.gateway.scripts = [[ProviderUnavailableError()] for _ in range(6)]
    question = stage.ask("hi")
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith("The model's provider has a fault at the moment.")
    assert "Again" in stage.server.people.buttons(answer)


async def test_a_stream_cut_half_way_keeps_its_text_and_says_so(stage: Stage) -> None:
    stage.gateway.scripts = [["```py\nhalf an answer", 1.0, StreamCutError()]]
    question = stage.ask("hi")
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith("```py\nhalf an answer\n```\n-# The answer was cut off")
    assert "Again" in stage.server.people.buttons(answer)


async def test_two_channels_stream_without_waiting_for_each_other(stage: Stage) -> None:
    stage.gateway.scripts = [streamed(WORDS, 0.05), streamed(WORDS, 0.05)]
    questions = [stage.ask("one"), stage.ask("two")]
    for question in questions:
        (answer,) = await stage.answered(question["id"])
        assert len(stage.server.record.versions[answer["id"]]) >= 3


async def test_an_end_right_behind_the_first_sentence_is_not_missed(stage: Stage) -> None:
    chat = stage.server.world.add_dm(stage.ada["id"])
    asked = turn(turn_id="discord:1", anchor={"channel_id": chat["id"]})
    sink = await stage.client.delivery.open(asked)
    await until(lambda: stage.server.rest.typed)
    sink.append("begins")
    await asyncio.sleep(0)
    sink.append(" now. And")
    async with asyncio.timeout(5):
        await sink.finish(Reply(text="begins now. And ends.", actions=()))
    assert stage.server.texts(chat["id"]) == ["begins now. And ends."]


async def test_a_turn_that_is_answered_anew_has_one_sink_at_work(stage: Stage) -> None:
    chat = stage.server.world.add_dm(stage.ada["id"])
    asked = turn(turn_id="discord:1", anchor={"channel_id": chat["id"]})
    broken_off = await stage.client.delivery.open(asked)
    await until(lambda: stage.server.rest.typed)
    sink = await stage.client.delivery.open(asked)
    assert broken_off.is_ended
    broken_off.append("Old words.")
    await sink.finish(Reply(text="The answer.", actions=()))
    assert stage.server.texts(chat["id"]) == ["The answer."]
