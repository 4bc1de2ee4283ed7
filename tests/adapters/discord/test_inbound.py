"""Whom a message is for, as a table; the words around it."""

from __future__ import annotations

import pytest

from adapters.discord.inbound import Heard, Spot, is_addressed
from adapters.discord.shards import Shards
from adapters.discord.threads import thread_name
from bot.errors import ConfigurationError


@pytest.mark.parametrize(
    ("heard", "expected", "reason"),
    [
        (Heard(spot=Spot.CHANNEL), False, "people talk in channels"),
        (Heard(spot=Spot.CHANNEL, names_bot=True), True, "it is mentioned"),
        (Heard(spot=Spot.CHANNEL, names_bot=True, names_others=True), True, "among others"),
        (Heard(spot=Spot.THREAD), False, "a thread of other people"),
        (Heard(spot=Spot.THREAD, takes_part=True), True, "its own thread"),
        (
            Heard(spot=Spot.THREAD, takes_part=True, names_others=True),
            False,
            "people talk to each other",
        ),
        (
            Heard(spot=Spot.THREAD, takes_part=True, names_others=True, names_bot=True),
            True,
            "it is mentioned among others",
        ),
        (Heard(spot=Spot.DIRECT), True, "nobody else is there"),
        (Heard(spot=Spot.DIRECT, names_others=True), True, "still nobody else is there"),
    ],
)
def test_a_message_is_for_the_bot_or_not(heard: Heard, expected: bool, reason: str) -> None:
    assert is_addressed(heard) is expected, reason


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("how do I sort a list?", "how do I sort a list?"),
        ("@heavy **why**\nis it?", "why is it?"),
        ("<@123> <#456>", "Question"),
        ("", "Question"),
        ("word " * 40, "word " * 14 + "word…"),
    ],
)
def test_a_thread_is_named_by_its_question(prompt: str, name: str) -> None:
    assert thread_name(prompt) == name
    assert 1 <= len(thread_name(prompt)) <= 100


@pytest.mark.parametrize(
    ("text", "shards"),
    [("", Shards()), ("0-3/16", Shards((0, 1, 2, 3), 16)), (" 5/16 ", Shards((5,), 16))],
)
def test_shards_are_read(text: str, shards: Shards) -> None:
    assert Shards.parse(text) == shards


@pytest.mark.parametrize("text", ["all", "3-1/4", "4/4", "0-3", "1/0"])
def test_faulty_shards_are_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"DISCORD_SHARDS is first-last/count"):
        Shards.parse(text)
