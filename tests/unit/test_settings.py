"""Every setting reads what it says it takes, and refuses the rest in words."""

from pathlib import Path

import pytest

from bot.catalog import Tier
from bot.commands import COMMANDS
from bot.errors import SettingError
from bot.money import NANOUSD
from bot.setting_values import shown
from bot.settings import (
    SETTINGS,
    Exploration,
    FooterStyle,
    RouterForm,
    Settings,
    parse_setting,
    resolve,
)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("dial", "7", 7),
        ("tier", "auto", None),
        ("tier", "Heavy", Tier.FULL),
        ("tier", "cheap", Tier.CHEAP),
        ("max_tier", "free", Tier.FREE),
        ("models", "all", frozenset()),
        ("models", "@haiku, GPT", frozenset({"haiku", "gpt"})),
        ("system_prompt", "Be brief.", "Be brief."),
        ("system_prompt", "default", Settings().system_prompt),
        ("router", "JUDGE", RouterForm.JUDGE),
        ("check", "on", True),
        ("learn", "yes", True),
        ("explore", "all", Exploration.ALL),
        ("threads", "off", False),
        ("footer", "SHORT", FooterStyle.SHORT),
        ("max_parts", "3", 3),
        ("user_daily_cap", "$2.50", 2_500_000_000),
        ("user_daily_cap", "none", None),
        ("user_daily_cap", "2.50 $", 2_500_000_000),
        ("workspace_monthly_cap", "1,000.50", 1_000_500_000_000),
        ("workspace_monthly_cap", "1,000", 1_000 * NANOUSD),
        ("channel_weekly_cap", "7", 7 * NANOUSD),
        ("retention_days", "30", 30),
    ],
)
def test_reads_a_value(name: str, text: str, value: object) -> None:
    assert parse_setting(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dial", "11"),
        ("dial", "-1"),
        ("dial", "high"),
        ("tier", "gigantic"),
        ("max_tier", "auto"),
        ("threads", "perhaps"),
        ("router", "oracle"),
        ("explore", "on"),
        ("footer", "long"),
        ("zone", "Mars/Olympus"),
        ("zone", "../etc/passwd"),
        ("user_daily_cap", "-1"),
        ("user_daily_cap", "1,000,001"),
        ("user_daily_cap", "2,50"),
        ("user_daily_cap", "10,00"),
        ("user_daily_cap", "1,0000"),
        ("user_daily_cap", "1,000,50"),
        ("user_daily_cap", "."),
        ("user_daily_cap", ""),
        ("user_daily_cap", "nan"),
        ("user_daily_cap", "1e99"),
        ("user_daily_cap", "ten"),
        ("system_prompt", "x" * 8_001),
    ],
)
def test_refuses_a_value_and_says_what_it_takes(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"`{name}` takes "):
        parse_setting(name, text)


def test_names_the_settings_for_an_unknown_one() -> None:
    with pytest.raises(SettingError, match=r"no setting 'colour'.*dial"):
        parse_setting("colour", "red")


def test_the_narrowest_place_wins() -> None:
    settings = resolve([{"dial": "2", "footer": "off"}, {"dial": "8"}, {}])
    assert (settings.dial, settings.footer) == (8, FooterStyle.OFF)


def test_without_layers_the_defaults_hold() -> None:
    assert resolve([]) == Settings()


def test_every_setting_is_a_field_and_says_what_it_is_about() -> None:
    for name, spec in SETTINGS.items():
        assert hasattr(Settings(), name)
        assert spec.about
        assert spec.takes


def test_a_zone_is_used_for_windows() -> None:
    assert str(resolve([{"zone": "Europe/Berlin"}]).zone) == "Europe/Berlin"


def test_every_setting_and_command_stands_in_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    assert [name for name in SETTINGS if f"`{name}`" not in text] == []
    assert [n for n in COMMANDS if f"`{n}" not in text] == []


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_shown_is_read_again_as_the_same(name: str) -> None:
    text = shown(name, getattr(Settings(), name))
    assert shown(name, parse_setting(name, text)) == text
