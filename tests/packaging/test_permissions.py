"""SECURITY.md names every permission that the code asks for, with a reason, and no other."""

import re
from pathlib import Path

import discord
from discord.permissions import Permissions

from adapters.discord.client import intents
from adapters.discord.threads import NEEDED, needed_permissions
from adapters.slack.manifest import BOT_SCOPES

TEXT = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")


def _table(heading: str) -> list[str]:
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [row.split("|")[1].strip() for row in re.findall(r"^\| .*", section, re.MULTILINE)][1:]


def _plain(rows: list[str]) -> set[str]:
    names = {name.strip().strip("`") for row in rows for name in row.split(",")}
    return names - {"---"}


def test_each_of_discord_s_permissions_has_a_reason() -> None:
    rows = _table("Permissions asked of Discord")
    assert _plain(rows) == set(NEEDED.values())


def test_no_permission_lets_it_administrate() -> None:
    powers = Permissions.elevated()
    assert not needed_permissions().value & powers.value


def test_nothing_is_heard_beyond_messages_and_reactions() -> None:
    heard = {name for name, is_heard in intents() if is_heard}
    plain = {name for name, _ in discord.Intents.none() if "message" in name or "reaction" in name}
    assert heard <= plain | {"guilds"}


def test_each_of_slack_s_scopes_has_a_reason() -> None:
    rows = _table("Scopes asked of Slack")
    assert _plain(rows) == set(BOT_SCOPES)
