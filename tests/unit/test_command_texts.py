"""What commands are answered with says what is so, and what to do."""

from dataclasses import replace

from bot.catalog import Catalog
from bot.command_texts import (
    MOST_CHANGES,
    help_text,
    history_text,
    models_text,
    setting_line,
    settings_text,
)
from bot.commands import COMMANDS
from bot.settings import SETTINGS, SettingChange, Settings
from tests.fakes import NOON, model

CHANGE = SettingChange(scope_id="test/w", name="dial", after="7", user_id="ada", at=NOON)


def test_help_lists_what_is_on_and_nothing_else() -> None:
    text = help_text()
    assert all((f"`{spec.usage}`" in text) is spec.is_on for spec in COMMANDS.values())


def test_an_unpriced_model_is_said_to_be_so_and_no_model_at_all_too() -> None:
    assert "unpriced" in models_text(Catalog((model("m", usd=None),)), Settings())
    assert "parley doctor" in models_text(Catalog(()), Settings())


def test_only_some_models_are_allowed() -> None:
    text = models_text(Catalog((model("a"), model("b"))), Settings(models=frozenset({"a"})))
    assert ["not allowed here" in line for line in text.splitlines()] == [False, True]


def test_every_setting_is_shown_once_and_a_person_is_told_what_they_may_set() -> None:
    text = settings_text(Settings(), {}, is_admin=False)
    assert all(text.count(f"- `{name}` **") == 1 for name in SETTINGS)
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
