"""Where the bot answers and where it is silent, through the real client."""

from __future__ import annotations

from tests.adapters.discord.conftest import Stage


async def test_a_mention_is_answered_in_a_new_thread_on_it(stage: Stage) -> None:
    question = stage.ask("what is up?")
    (answer,) = await stage.answered(question["id"])
    assert answer["content"].startswith("echo: what is up?\n-# free · free · ")
    assert stage.server.world.channels[question["id"]]["name"] == "what is up?"
    assert stage.server.texts(stage.channel_id) == []
