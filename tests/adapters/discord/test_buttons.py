"""The buttons under an answer, also after a restart."""

from __future__ import annotations

import pytest

from bot.errors import StoreError
from bot.settings import SettingChange
from storage import MemoryStore
from tests.adapters.discord.conftest import Stage, until
from tests.fakes import NOON
from tests.loopback.discord.world import Payload


def press(stage: Stage, message: Payload, label: str, who: Payload | None = None) -> str:
    """Ada, or somebody else, presses a button; returns the interaction's token."""
    people = stage.server.people
    custom_id = people.buttons(message)[label]
    return str(people.press(message, (who or stage.ada)["id"], custom_id).payload["token"])


def told(stage: Stage, token: str) -> list[str]:
    """What the person who pressed was told besides."""
    interaction = stage.server.interactions.by_token[token]
    return [m["content"] for m in interaction.messages.values() if m["flags"] & 64]


async def answered(stage: Stage, prompt: str = "hi") -> Payload:
    question = stage.ask(prompt)
    return (await stage.answered(question["id"]))[0]


async def test_stop_ends_the_stream_and_keeps_the_text(stage: Stage) -> None:
    stage.gateway.scripts = [["As far as this. ", 60.0, "Never."]]
    question = stage.ask("long")
    await until(lambda: stage.server.messages(question["id"]))
    press(stage, stage.server.messages(question["id"])[0], "Stop")
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith("As far as this.\n-# Stopped.")
    assert stage.gateway.cancelled == [f"discord:{question['id']}:answer1"]


async def test_stop_on_a_finished_answer_says_so(stage: Stage) -> None:
    answer = await answered(stage)
    turn_id = f"discord:{answer['channel_id']}"
    interaction = stage.server.people.press(answer, stage.ada["id"], f"parley:stop:{turn_id}")
    answer["components"] = [
        {"type": 1, "components": [{"type": 2, "style": 4, "custom_id": f"parley:stop:{turn_id}"}]}
    ]
    interaction = stage.server.people.press(answer, stage.ada["id"], f"parley:stop:{turn_id}")
    token = interaction.payload["token"]
    await until(lambda: told(stage, token))
    assert told(stage, token) == ["This answer is finished already."]


async def test_heavier_asks_one_tier_up_and_marks_the_answer_poor(stage: Stage) -> None:
    answer = await answered(stage)
    press(stage, answer, "Heavier")
    answers = await stage.answered(answer["channel_id"], 2)
    assert "-# cheap · cheap · " in answers[1]["content"]
    assert stage.store._kept.feedback == {(f"discord:{answer['channel_id']}", stage.ada["id"]): -1}


async def test_again_asks_the_same_anew(stage: Stage) -> None:
    answer = await answered(stage)
    press(stage, answer, "Again", stage.bob)
    await stage.answered(answer["channel_id"], 2)
    assert stage.gateway.prompts == ["hi", "hi"]


async def test_again_by_somebody_who_is_blocked_by_a_role_is_refused(stage: Stage) -> None:
    answer = await answered(stage)
    role = stage.server.world.add_role(stage.guild["id"], "guests", 0)
    stage.guild["members"][stage.bob["id"]] = [role["id"]]
    change = SettingChange(
        scope_id=f"discord/{stage.guild['id']}",
        name="blocked_roles",
        after=role["id"],
        user_id="1",
        at=NOON,
    )
    await stage.store.set_setting(change)
    press(stage, answer, "Again", stage.bob)
    refused = "You may not ask me here"
    await until(lambda: refused in str(stage.server.messages(answer["channel_id"])))
    assert stage.gateway.prompts == ["hi"]


async def test_thumbs_are_kept_and_thanked_for_in_private(stage: Stage) -> None:
    answer = await answered(stage)
    token = press(stage, answer, "👎", stage.bob)
    await until(lambda: told(stage, token))
    assert list(stage.store._kept.feedback.values()) == [-1]


async def test_a_thumb_as_a_reaction_counts_too(stage: Stage) -> None:
    answer = await answered(stage)
    stage.server.people.react(answer, stage.bob["id"], "👍")
    await until(lambda: stage.store._kept.feedback)
    assert list(stage.store._kept.feedback.values()) == [1]


class _Gone(MemoryStore):
    """Is gone for a moment when it is asked whose a message is."""

    asked = 0

    async def turn_of_post(self, platform: str, message_id: str) -> str | None:
        self.asked += 1
        if self.asked == 1:
            raise StoreError
        return await super().turn_of_post(platform, message_id)


async def test_a_thumb_while_the_store_is_gone_is_no_fault_of_the_program(
    offstage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    offstage.store = store = _Gone()
    async with offstage.connected():
        answer = await answered(offstage)
        for _ in range(2):
            offstage.server.people.react(answer, offstage.bob["id"], "👍")
        await until(lambda: store._kept.feedback)
    assert [record for record in caplog.records if record.exc_info] == []


async def test_why_tells_why_this_model(stage: Stage) -> None:
    answer = await answered(stage)
    token = press(stage, answer, "Why?")
    await until(lambda: told(stage, token))
    assert "**free** of the free tier" in told(stage, token)[0]


async def test_buttons_work_after_a_restart(offstage: Stage) -> None:
    async with offstage.connected():
        answer = await answered(offstage)
    async with offstage.connected():
        token = press(offstage, answer, "Why?")
        await until(lambda: told(offstage, token))
        press(offstage, answer, "Again")
        await offstage.answered(answer["channel_id"], 2)


async def test_a_press_that_discord_gave_up_on_is_kept_and_no_fault(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answered(stage)
    turn_id = f"discord:{answer['channel_id']}"
    stage.server.fail("POST", "/callback", status=404, code=10062, message="Unknown interaction")
    press(stage, answer, "👍")
    await until(lambda: "an interaction was answered too late" in caplog.text)
    assert [r.message for r in caplog.records if r.levelname == "ERROR"] == []
    assert stage.store._kept.feedback == {(turn_id, stage.ada["id"]): 1}
