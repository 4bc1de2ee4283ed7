"""Files that come with a prompt: read from Discord's own hosts alone, refused in words."""

from __future__ import annotations

from bot.messages import Attachment
from tests.adapters.discord.conftest import Stage
from tests.unit.test_image_headers import png

PNG = png(10, 10)


async def asked_with(stage: Stage, name: str, data: bytes, kind: str) -> Attachment:
    """What a model gets of a file that Ada sent."""
    file = stage.server.keep_file(name, data, kind)
    bot = stage.server.world.bot["id"]
    question = stage.server.people.say(
        stage.channel_id, stage.ada["id"], f"<@{bot}> look", files=[file]
    )
    await stage.answered(question["id"])
    (attachment,) = stage.gateway.calls[-1].messages[-1].attachments
    return attachment


async def test_a_text_file_is_read(stage: Stage) -> None:
    file = await asked_with(stage, "a.py", b"print('hi')", "text/x-python; charset=utf-8")
    assert (file.name, file.text) == ("a.py", "print('hi')")


async def test_an_image_goes_to_a_model_with_vision(stage: Stage) -> None:
    file = await asked_with(stage, "a.png", PNG, "image/png")
    assert file.data == PNG
    assert stage.gateway.calls[-1].model.alias == "full"


async def test_another_kind_is_refused_in_words(stage: Stage) -> None:
    file = await asked_with(stage, "a.zip", b"PK", "application/zip")
    assert file.text == ("(This file could not be read: application/zip is not a kind I can read.)")


async def test_only_discords_own_hosts_are_asked(stage: Stage) -> None:
    file = stage.server.keep_file("a.txt", b"x", "text/plain")
    file["url"] = file["url"].replace("127.0.0.1", "127.0.0.2")
    bot = stage.server.world.bot["id"]
    question = stage.server.people.say(
        stage.channel_id, stage.ada["id"], f"<@{bot}> look", files=[file]
    )
    await stage.answered(question["id"])
    (attachment,) = stage.gateway.calls[-1].messages[-1].attachments
    assert "kept somewhere else" in attachment.text
