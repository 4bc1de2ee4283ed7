"""A conversation is written for people and for programs, with who said what and when."""

import json
from dataclasses import replace

from bot.catalog import Tier
from bot.messages import Attachment, Role
from bot.transcript import to_json, to_markdown
from bot.turns import Utterance
from tests.fakes import NOON, PLACE

FILE = Attachment(name="a.txt", media_type="text/plain", size_bytes=1, text="x")
SAID = (
    Utterance(role=Role.USER, author_name="Ada", text="Hi", sent_at=NOON, attachments=(FILE,)),
    Utterance(
        role=Role.ASSISTANT, author_name="", text="**Hello**", sent_at=NOON, alias="haiku",
        tier=Tier.CHEAP,
    ),
)  # fmt: skip


def test_markdown_names_who_said_what() -> None:
    assert to_markdown(PLACE, SAID) == (
        "# Conversation test/w/c/t\n"
        "\n## Ada · 2026-11-23 12:00 UTC\n\nHi\n\n*File: a.txt*\n"
        "\n## haiku (cheap) · 2026-11-23 12:00 UTC\n\n**Hello**\n"
    )


def test_a_name_cannot_begin_a_section_of_its_own() -> None:
    said = (replace(SAID[0], author_name="Ada\n\n# Boss"),)
    assert "\n# Boss" not in to_markdown(PLACE, said)


def test_json_holds_the_same() -> None:
    document = json.loads(to_json(PLACE, SAID))
    assert (document["parley_conversation"], document["conversation"]) == (1, "test/w/c/t")
    assert [m["text"] for m in document["messages"]] == ["Hi", "**Hello**"]
    assert document["messages"][1]["model"] == "haiku"
    assert document["messages"][0]["files"] == ["a.txt"]
