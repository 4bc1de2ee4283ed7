"""How the text of a setting becomes its value, and the value its text again. Pure.

What cannot be read raises ValueError, KeyError or what the standard library's reader raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.catalog import Tier
from bot.money import format_usd, to_nanousd

MOST_IDS = 200
DEFAULT_SYSTEM_PROMPT = (
    "You are Parley, a helpful assistant in a team's chat. Answer in the language of the question, "
    "as briefly as it allows. Use Markdown; put code in fenced blocks."
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MENTION = re.compile(r"<(?:@[!&]?|#|!subteam\^)([A-Za-z0-9]+)(?:\|[^>]*)?>")
_DOLLARS = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?|\.\d+", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def whole(low: int, high: int) -> Callable[[str], int]:
    """What reads a whole number within bounds."""

    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def to_tier(text: str) -> Tier | None:
    """A tier by its name or its tag; None for auto."""
    word = text.lower()
    if word == "auto":
        return None
    aliases = {"fast": "free", "heavy": "full"}
    return Tier[aliases.get(word, word).upper()]


def to_tier_limit(text: str) -> Tier:
    """A tier; auto is none."""
    tier = to_tier(text)
    if tier is None:
        raise ValueError(text)
    return tier


def to_switch(text: str) -> bool:
    """On or off."""
    return {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}[
        text.lower()
    ]


def to_cap(text: str) -> int | None:
    """Dollars as nano-dollars; None for no cap."""
    if text.lower() in {"none", "off"}:
        return None
    amount = text.strip(" $")
    if not _DOLLARS.fullmatch(amount):  # a comma only parts thousands: 2,50 is not 250
        raise ValueError(text)
    usd = Decimal(amount.replace(",", ""))
    if usd > 1_000_000:
        raise ValueError(text)
    return to_nanousd(usd)


def to_names(text: str) -> frozenset[str]:
    """Aliases; empty for all."""
    if text.lower() == "all":
        return frozenset()
    return frozenset(name.strip().lstrip("@").lower() for name in text.split(",") if name.strip())


def to_prompt(text: str) -> str:
    """A system prompt, not a book."""
    if len(text) > 8_000:
        raise ValueError(text)
    return DEFAULT_SYSTEM_PROMPT if text.lower() == "default" else text


def to_ids(text: str) -> frozenset[str]:
    """Ids of users, roles or channels, bare or as a platform writes a mention of them."""
    if text.strip().lower() in {"none", "all", ""}:
        return frozenset()
    ids = frozenset(_MENTION.sub(r"\1", word) for word in re.split(r"[\s,]+", text.strip(" ,\n")))
    if len(ids) > MOST_IDS or not all(_ID.fullmatch(each) for each in ids):
        raise ValueError(text)
    return ids


def to_zone(text: str) -> tzinfo:
    """A time zone by its name."""
    return ZoneInfo(text.strip())


def to_channel(text: str) -> str:
    """One channel's id; empty for none."""
    ids = to_ids(text)
    if len(ids) > 1:
        raise ValueError(text)
    return "".join(ids)


def to_weekday(text: str) -> str:
    """A day by its name or its beginning."""
    found = [day for day in WEEKDAYS if len(text) >= 3 and day.startswith(text.lower())]
    if len(found) != 1:
        raise ValueError(text)
    return found[0]


def to_time(text: str) -> time:
    """A time of day."""
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes or "0"))


def shown(name: str, value: object) -> str:
    """A setting's value as people read it."""
    if value is None or value == "":
        return "auto" if name == "tier" else "none"
    if isinstance(value, time):
        value = value.strftime("%H:%M")
    if isinstance(value, Tier):
        return value.label
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and name.endswith("_cap"):
        return format_usd(value)
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or ("all" if name == "models" else "none")
    return "default" if value == DEFAULT_SYSTEM_PROMPT else str(value)
