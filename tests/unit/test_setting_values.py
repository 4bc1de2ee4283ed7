"""Texts of settings become values, and what cannot be read is refused."""

from datetime import time

import pytest

from bot import setting_values as values
from bot.catalog import Tier
from bot.setting_values import shown


@pytest.mark.parametrize(
    ("text", "day"), [("monday", "monday"), ("Tue", "tuesday"), ("SUNDAY", "sunday")]
)
def test_a_weekday_is_known_by_its_beginning(text: str, day: str) -> None:
    assert values.to_weekday(text) == day


@pytest.mark.parametrize("text", ["t", "mo", "someday"])
def test_no_other_word_is_a_weekday(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        values.to_weekday(text)


def test_ids_are_read_bare_and_as_mentions() -> None:
    assert values.to_ids("<@U1>, <@!7> <#C9|general>, abc") == {"U1", "7", "C9", "abc"}
    assert values.to_ids("none") == frozenset()


def test_too_many_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="u0"):
        values.to_ids(" ".join(f"u{n}" for n in range(values.MOST_IDS + 1)))


def test_one_channel_only() -> None:
    assert values.to_channel("<#C9>") == "C9"
    with pytest.raises(ValueError, match="C9"):
        values.to_channel("C9, C8")


def test_a_tier_is_known_by_its_tag() -> None:
    assert values.to_tier("fast") is Tier.FREE
    assert values.to_tier("auto") is None


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("tier", None, "auto"),
        ("user_daily_cap", None, "none"),
        ("user_daily_cap", 2_500_000_000, "$2.50"),
        ("digest_time", time(9), "09:00"),
        ("threads", True, "on"),
        ("models", frozenset(), "all"),
        ("blocked_users", frozenset(), "none"),
        ("blocked_users", frozenset({"b", "a"}), "a, b"),
        ("system_prompt", values.DEFAULT_SYSTEM_PROMPT, "default"),
    ],
)
def test_a_value_is_shown_as_people_type_it(name: str, value: object, text: str) -> None:
    assert shown(name, value) == text
