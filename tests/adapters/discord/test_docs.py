"""The Discord page names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.discord import threads
from adapters.discord.running import BAD_TOKEN, NO_CONTENT
from adapters.settings import AppSettings
from bot.settings import SETTINGS
from tests.adapters.discord.conftest import Stage

PAGE = (Path(__file__).parents[3] / "docs" / "discord.md").read_text(encoding="utf-8")


def test_its_permissions_are_those_that_the_link_asks_for() -> None:
    table = re.findall(r"^\| ([A-Z][\w ]+) \| (?:to|so|for) ", PAGE, re.MULTILINE)
    assert table == list(threads.NEEDED.values())
    assert f"`{threads.needed_permissions().value}`" in PAGE


async def test_its_commands_are_those_that_are_registered(stage: Stage) -> None:
    registered = stage.server.world.commands[""]
    slash = {f"/{command['name']}" for command in registered if command["type"] == 1}
    paragraph = next(part for part in PAGE.split("\n\n") if part.startswith("Commands: "))
    assert set(re.findall(r"`(/\w+)`", paragraph)) == slash
    assert all(f"**{c['name']}**" in PAGE for c in registered if c["type"] == 3)


def test_its_settings_exist() -> None:
    named = set(re.findall(r"\b(?:DISCORD|PARLEY|DATABASE)_[A-Z_]+\b", PAGE))
    assert {"DISCORD_TOKEN", "DISCORD_SHARDS", "DISCORD_API_BASE", "PARLEY_ADMINS"} <= named
    assert {name.lower() for name in named} <= set(AppSettings.model_fields)


def test_the_settings_it_names_exist() -> None:
    section = PAGE.split("## Settings")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", section))
    assert named
    assert named <= set(SETTINGS)


def test_its_messages_are_those_that_appear() -> None:
    for shown in re.findall(r"^\| `([^`]+)`", PAGE, re.MULTILINE):
        assert any(text.startswith(shown) for text in (BAD_TOKEN, NO_CONTENT)), shown
