"""What a workspace, a channel or a thread can set, how each value is read, and which one wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.catalog import Tier
from bot.errors import SettingError
from bot.messages import ConversationKey
from bot.money import format_usd, to_nanousd

PLACES = ("workspace", "channel", "thread")
"""Where a setting may stand, the widest first."""
MOST_IDS = 200

DEFAULT_SYSTEM_PROMPT = (
    "You are Parley, a helpful assistant in a team's chat. Answer in the language of the question, "
    "as briefly as it allows. Use Markdown; put code in fenced blocks."
)


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class FooterStyle(StrEnum):
    """How much small print stands under an answer."""

    OFF = "off"
    SHORT = "short"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force for one conversation."""

    dial: int = 5
    """0 is thrifty, 10 is best: what a poor answer is worth avoiding."""
    tier: Tier | None = None
    """A tier that is always used here; None lets the router decide."""
    max_tier: Tier = Tier.FULL
    models: frozenset[str] = frozenset()
    """The aliases allowed here; empty allows all."""
    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    threads: bool = True
    forums: bool = True
    """Whether each new post of a forum is answered, or only those that name the bot."""
    footer: FooterStyle = FooterStyle.FULL
    max_parts: int = 8
    """Messages that one answer may take; the rest comes as a file."""
    zone: tzinfo = UTC
    user_daily_cap: int | None = None
    channel_monthly_cap: int | None = None
    workspace_monthly_cap: int | None = None
    prompts_per_minute: int = 20
    """How many prompts one person may send in a minute."""
    retention_days: int = 0
    """After how many days what was said is forgotten; 0 keeps it."""
    allowed_users: frozenset[str] = frozenset()
    """Ids; with the roles beside it: who may ask here. Both empty: everybody."""
    blocked_users: frozenset[str] = frozenset()
    allowed_roles: frozenset[str] = frozenset()
    blocked_roles: frozenset[str] = frozenset()
    allowed_channels: frozenset[str] = frozenset()
    """Ids; empty: everywhere."""
    blocked_channels: frozenset[str] = frozenset()
    digest_channel: str = ""
    """Where the weekly digest is posted; empty: nowhere."""
    digest_weekday: str = WEEKDAYS[0]
    digest_time: time = time(9)
    digest_users: bool = True
    """Whether the digest names the people who used the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSpec:
    """One setting: its name, what it takes, and how the text becomes a value."""

    name: str
    takes: str
    about: str
    parse: Callable[[str], object]
    is_open: bool = False
    """Whether anybody may set it for a thread; all else is for admins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One change of a setting: `after` None takes it away, so that the wider place decides."""

    scope_id: str
    """`platform/workspace`, `…/channel` or `…/channel/thread`."""
    name: str
    after: str | None
    user_id: str
    at: datetime
    before: str | None = None


def to_scope_ids(key: ConversationKey) -> tuple[str, str, str]:
    """Where settings may stand for a conversation, in the order of PLACES."""
    workspace = f"{key.platform}/{key.workspace_id}"
    return workspace, f"{workspace}/{key.channel_id}", str(key)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return parse


def _tier(text: str) -> Tier | None:
    word = text.lower()
    if word == "auto":
        return None
    aliases = {"fast": "free", "heavy": "full"}
    return Tier[aliases.get(word, word).upper()]


def _max_tier(text: str) -> Tier:
    tier = _tier(text)
    if tier is None:
        raise ValueError(text)
    return tier


def _switch(text: str) -> bool:
    return {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}[
        text.lower()
    ]


def _cap(text: str) -> int | None:
    if text.lower() in {"none", "off"}:
        return None
    value = Decimal(text.strip().lstrip("$").replace(",", ""))
    if not value.is_finite() or not 0 <= value <= 1_000_000:
        raise ValueError(text)
    return to_nanousd(value)


def _names(text: str) -> frozenset[str]:
    if text.lower() == "all":
        return frozenset()
    return frozenset(name.strip().lstrip("@").lower() for name in text.split(",") if name.strip())


def _prompt(text: str) -> str:
    if len(text) > 8_000:
        raise ValueError(text)
    return DEFAULT_SYSTEM_PROMPT if text.lower() == "default" else text


def _ids(text: str) -> frozenset[str]:
    """Ids of users, roles or channels, bare or as a platform writes a mention of them."""
    if text.strip().lower() in {"none", "all", ""}:
        return frozenset()
    ids = frozenset(_MENTION.sub(r"\1", word) for word in re.split(r"[\s,]+", text.strip(" ,\n")))
    if len(ids) > MOST_IDS or not all(_ID.fullmatch(each) for each in ids):
        raise ValueError(text)
    return ids


_MENTION = re.compile(r"<(?:@[!&]?|#|!subteam\^)([A-Za-z0-9]+)(?:\|[^>]*)?>")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def _zone(text: str) -> tzinfo:
    return ZoneInfo(text.strip())


def _channel(text: str) -> str:
    ids = _ids(text)
    if len(ids) > 1:
        raise ValueError(text)
    return "".join(ids)


def _weekday(text: str) -> str:
    found = [day for day in WEEKDAYS if len(text) >= 3 and day.startswith(text.lower())]
    if len(found) != 1:
        raise ValueError(text)
    return found[0]


def _time(text: str) -> time:
    hours, _, minutes = text.partition(":")
    return time(int(hours), int(minutes or "0"))


_IDS = "ids or mentions with commas, or none"
_CAP = "dollars such as 5 or 2.50, or none"
SETTINGS: Mapping[str, SettingSpec] = {
    spec.name: spec
    for spec in (
        SettingSpec(
            name="dial",
            takes="0 to 10",
            parse=_whole(0, 10),
            about="0 is thrifty, 10 is best",
            is_open=True,
        ),
        SettingSpec(
            name="tier",
            takes="auto, free, cheap or full",
            parse=_tier,
            about="the tier that always answers here",
            is_open=True,
        ),
        SettingSpec(
            name="max_tier",
            takes="free, cheap or full",
            parse=_max_tier,
            about="the dearest tier allowed",
        ),
        SettingSpec(
            name="models", takes="aliases with commas, or all", parse=_names, about="models allowed"
        ),
        SettingSpec(
            name="system_prompt",
            takes="up to 8,000 characters, or default",
            parse=_prompt,
            about="what the models are told first",
        ),
        SettingSpec(
            name="threads", takes="on or off", parse=_switch, about="answer in a new thread"
        ),
        SettingSpec(
            name="forums", takes="on or off", parse=_switch, about="answer each new forum post"
        ),
        SettingSpec(
            name="footer",
            takes="off, short or full",
            parse=lambda text: FooterStyle(text.lower()),
            about="the small print under an answer",
            is_open=True,
        ),
        SettingSpec(
            name="max_parts",
            takes="1 to 20",
            parse=_whole(1, 20),
            about="messages that one answer may take",
        ),
        SettingSpec(
            name="zone",
            takes="a time zone such as Europe/Berlin",
            parse=_zone,
            about="when days, weeks and months begin",
        ),
        SettingSpec(name="user_daily_cap", takes=_CAP, parse=_cap, about="each person, each day"),
        SettingSpec(
            name="channel_monthly_cap", takes=_CAP, parse=_cap, about="a channel, each month"
        ),
        SettingSpec(
            name="workspace_monthly_cap", takes=_CAP, parse=_cap, about="all of it, each month"
        ),
        SettingSpec(
            name="prompts_per_minute",
            takes="1 to 1000",
            parse=_whole(1, 1000),
            about="prompts a person may send in a minute",
        ),
        SettingSpec(
            name="retention_days",
            takes="0 to 3650",
            parse=_whole(0, 3650),
            about="days until what was said is forgotten; 0 keeps it",
        ),
        *(
            SettingSpec(name=name, takes=_IDS, parse=_ids, about=about)
            for name, about in (
                ("allowed_users", "with allowed_roles: who may ask here"),
                ("blocked_users", "who may not ask here"),
                ("allowed_roles", "with allowed_users: who may ask here"),
                ("blocked_roles", "whose members may not ask here"),
                ("allowed_channels", "where I may be asked"),
                ("blocked_channels", "where I may not be asked"),
            )
        ),
        SettingSpec(
            name="digest_channel",
            takes="a channel, by mention or id, or none",
            parse=_channel,
            about="where the week's spend is posted",
        ),
        SettingSpec(
            name="digest_weekday",
            takes="a day such as monday",
            parse=_weekday,
            about="the day on which it is posted",
        ),
        SettingSpec(
            name="digest_time",
            takes="a time such as 9:00 or 17:30",
            parse=_time,
            about="when on that day, in this place's zone",
        ),
        SettingSpec(
            name="digest_users",
            takes="on or off",
            parse=_switch,
            about="whether it names who used the most",
        ),
    )
}


def parse_setting(name: str, text: str) -> object:
    """The value that `text` means for the setting `name`; raises SettingError in words."""
    spec = SETTINGS.get(name)
    if spec is None:
        raise SettingError(f"There is no setting {name!r}. There are: {', '.join(SETTINGS)}.")
    try:
        return spec.parse(text.strip())
    except (ValueError, KeyError, InvalidOperation, ZoneInfoNotFoundError, OSError) as error:
        raise SettingError(f"`{name}` takes {spec.takes}, not {text.strip()[:60]!r}.") from error


def shown(name: str, value: object) -> str:
    """A setting's value as people read it, and as `parse_setting` reads it again."""
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


def resolve(layers: Iterable[Mapping[str, str]]) -> Settings:
    """The settings of a place: workspace first, then channel, then thread; the narrowest wins."""
    merged: dict[str, object] = {}
    for layer in layers:
        merged |= {name: parse_setting(name, text) for name, text in layer.items()}
    return Settings(**merged)  # type: ignore[arg-type]  # parse_setting returns each field's type
