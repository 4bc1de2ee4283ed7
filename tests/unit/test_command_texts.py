"""What commands are answered with says what is so, and what to do."""

from dataclasses import replace

import pytest

from bot.caps import CAPS
from bot.catalog import Catalog
from bot.command_texts import (
    MOST_CHANGES,
    help_text,
    help_with,
    history_text,
    models_text,
    setting_line,
    settings_text,
)
from bot.commands import COMMANDS, CommandSpec
from bot.money import NANOUSD
from bot.settings import SETTINGS, SettingChange, Settings
from tests.fakes import NOON, model

CHANGE = SettingChange(scope_id="test/w", name="dial", after="7", user_id="ada", at=NOON)


def test_help_lists_every_command_once_in_a_form_that_can_be_copied() -> None:
    lines = [line for line in help_text().splitlines() if line.startswith("- ")]
    wanted = [f"- `{s.examples[0]}`: {s.about}" for s in COMMANDS.values() if s.name != "help"]
    assert sorted(lines) == sorted(wanted)


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=COMMANDS)
def test_help_with_a_command_has_examples_and_no_grammar(spec: CommandSpec) -> None:
    text = help_with(spec).partition("**Which model answers**")[0]
    assert all(f"- `{example}`" in text for example in spec.examples)
    assert not set("[]|<>") & set(text)


def test_help_with_settings_explains_each_once() -> None:
    text = help_with(COMMANDS["settings"])
    assert all(text.count(f"`{name}`") == 1 for name in SETTINGS)
    assert "- `dial` (0 to 10): 0 is thrifty, 10 is best" in text


def test_an_unpriced_model_is_said_to_be_so_and_no_model_at_all_too() -> None:
    assert "unpriced" in models_text(Catalog((model("m", usd=None),)), Settings())
    assert "parley doctor" in models_text(Catalog(()), Settings())


def test_only_some_models_are_allowed() -> None:
    text = models_text(Catalog((model("a"), model("b"))), Settings(models=frozenset({"a"})))
    assert ["not allowed here" in line for line in text.splitlines()] == [False, True]


def test_what_is_set_here_comes_first_and_the_rest_in_groups() -> None:
    settings = Settings(dial=7, user_daily_cap=NANOUSD, blocked_users=frozenset({"9"}))
    layers = {
        "workspace": {"user_daily_cap": "1", "blocked_users": "9"},
        "channel": {"dial": "7"},
        "thread": {},
    }
    text = settings_text(settings, layers, is_admin=True)
    assert text.startswith(
        "**Set here**\n"
        "- `dial` **7** (set for this channel): 0 is thrifty, 10 is best\n"
        "- `user_daily_cap` **$1.00** (set for this workspace): each person, each day\n"
        "- `blocked_users` **9** (set for this workspace): who may not ask here\n\n"
        "**As it comes**\n"
        "- Which model answers: `tier` auto · "
    )
    assert "- Who may ask: `prompts_per_minute` 20\n" in text
    assert "Caps:" not in text


def test_where_nothing_is_set_it_is_short_and_names_every_other_setting_once() -> None:
    text = settings_text(Settings(), {}, is_admin=True)
    assert len(text.splitlines()) <= 12
    assert "- Caps: none; `budget` sets them\n" in text
    assert "- Who may ask: everybody, everywhere · `prompts_per_minute` 20\n" in text
    alone = [n for n in SETTINGS if n not in CAPS and not n.startswith(("allowed_", "blocked_"))]
    assert all(text.count(f"`{name}` ") == 1 for name in alone)


def test_a_person_is_told_what_they_may_set() -> None:
    text = settings_text(Settings(), {}, is_admin=False)
    assert "you can set `dial`, `tier`, `footer`" in text
    assert "the rest is for admins" not in settings_text(Settings(), {}, is_admin=True)


def test_the_narrowest_place_that_sets_it_is_named() -> None:
    layers = {"workspace": {"dial": "3"}, "channel": {"dial": "5"}, "thread": {}}
    assert "(set for this channel)" in setting_line("dial", Settings(), layers)


def test_the_history_is_short_and_the_latest_comes_first() -> None:
    assert history_text([]) == "Nothing was changed here."
    long = replace(CHANGE, name="system_prompt", after="word " * 100)
    lines = history_text([("channel", CHANGE)] * 20 + [("thread", long)]).splitlines()
    assert len(lines) == MOST_CHANGES
    assert history_text([("thread", long)]).endswith("…")
