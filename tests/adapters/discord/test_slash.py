"""Slash commands as lines: each is read by the core as what was chosen."""

from __future__ import annotations

import pytest

from adapters.discord.slash import settings_line, to_line, to_values
from bot.command_grammar import Command
from bot.commands import COMMANDS, parse_command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (to_line("help"), Command(name="help")),
        (to_line("help", "tier"), Command(name="help", words=("tier",))),
        (to_line("models"), Command(name="models")),
        (to_line("tier", None, None), Command(name="tier")),
        (
            to_line("tier", "full", "server"),
            Command(name="tier", words=("full",), options={"place": "workspace"}),
        ),
        (to_line("forget", "all"), Command(name="forget", words=("all",))),
        (
            to_line("budget", "channel", "5"),
            Command(name="budget", words=("channel_monthly_cap",), text="5"),
        ),
        (
            to_line("budget", "user", "10", "weekly"),
            Command(name="budget", words=("user_weekly_cap",), text="10"),
        ),
        (settings_line("", "", ""), Command(name="settings")),
        (
            settings_line("dial", "7", "server"),
            Command(name="settings", words=("dial",), options={"place": "workspace"}, text="7"),
        ),
        (
            settings_line("system_prompt", 'Say "hi" to all.', "thread"),
            Command(
                name="settings",
                words=("system_prompt",),
                options={"place": "thread"},
                text='Say "hi" to all.',
            ),
        ),
        (
            settings_line("footer", "default", ""),
            Command(name="settings", words=("footer",), options={"reset": "yes"}),
        ),
    ],
)
def test_a_line_is_the_command_that_was_chosen(line: str, command: Command) -> None:
    assert parse_command(line) == command


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("debate", {"models": "haiku,sonnet", "rounds": 2}),
        ("ensemble", {"models": None, "n": 3, "mode": "vote"}),
    ],
)
def test_a_question_keeps_its_words_and_its_options(
    name: str, options: dict[str, str | int | None]
) -> None:
    line = to_line(name, text="is mode:x good?", **options)
    assert line.endswith(" is mode:x good?")
    if COMMANDS[name].is_on:
        command = parse_command(line)
        assert command is not None
        assert command.text == "is mode:x good?"
        assert command.options == {k: str(v) for k, v in options.items() if v is not None}


@pytest.mark.parametrize(
    ("name", "typed", "offered"),
    [
        ("footer", "", ["off", "short", "full", "default"]),
        ("footer", "sh", ["sh", "short"]),
        ("dial", "7", ["7"]),
        ("dial", "", ["default"]),
        ("nonsense", "x", ["x"]),
    ],
)
def test_values_are_offered_while_typing(name: str, typed: str, offered: list[str]) -> None:
    assert to_values(name, typed) == offered
