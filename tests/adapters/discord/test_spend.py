"""`/spend` on Discord: words and a picture."""

from __future__ import annotations

from tests.adapters.discord.conftest import Stage, until


async def test_spend_is_told_with_a_picture_that_says_what_is_on_it(stage: Stage) -> None:
    people = stage.server.people
    people.command(stage.channel_id, stage.ada["id"], "ask", question="one")
    await stage.answered(stage.channel_id)

    used = people.command(stage.channel_id, stage.ada["id"], "spend")

    await until(lambda: any(each["attachments"] for each in used.messages.values()))
    (told,) = used.messages.values()
    assert "Spend, " in told["content"]
    assert "1 call" in told["content"]
    (picture,) = told["attachments"]
    assert picture["filename"] == "spend.png"
