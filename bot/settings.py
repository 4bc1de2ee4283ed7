"""What a workspace, a channel or a thread can set, how each value is read, and which one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from decimal import InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from bot import setting_values as values
from bot.caps import CAPS, Caps
from bot.catalog import ModelSpec, Tier
from bot.errors import SettingError
from bot.messages import ConversationKey
from bot.setting_values import DEFAULT_SYSTEM_PROMPT, WEEKDAYS

PLACES = ("workspace", "channel", "thread")
"""Where a setting may stand, the widest first."""


class FooterStyle(StrEnum):
    """How much small print stands under an answer."""

    OFF = "off"
    SHORT = "short"
    FULL = "full"


class RouterForm(StrEnum):
    """Who says how hard a prompt is."""

    LOCAL = "local"
    """The model that ships with Parley."""
    RULES = "rules"
    JUDGE = "judge"
    """A small language model, in one word."""


class Exploration(StrEnum):
    """Where a cheaper tier may be tried now and then, to learn."""

    OFF = "off"
    FREE = "free"
    """Only where the cheaper answer costs nothing."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Caps):
    """The settings in force for one conversation."""

    dial: int = 5
    """0 is thrifty, 10 is best: what a poor answer is worth avoiding."""
    tier: Tier | None = None
    """A tier that is always used here; None lets the router decide."""
    max_tier: Tier = Tier.FULL
    models: frozenset[str] = frozenset()
    """The aliases allowed here; empty allows all."""
    router: RouterForm = RouterForm.LOCAL
    check: bool = False
    """Whether a cheap answer that may be a poor one is checked before it is shown."""
    learn: bool = False
    """Whether opinions of answers teach the router."""
    explore: Exploration = Exploration.FREE
    """Only while it learns."""
    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    threads: bool = True
    forums: bool = True
    """Whether each new post of a forum is answered, or only those that name the bot."""
    footer: FooterStyle = FooterStyle.FULL
    max_parts: int = 8
    """Messages that one answer may take; the rest comes as a file."""
    zone: tzinfo = UTC
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

    def allows(self, model: ModelSpec) -> bool:
        """Whether a model may be asked here."""
        return model.tier <= self.max_tier and (not self.models or model.alias in self.models)


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


def _one_of(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    """Reads one of an enumeration's words."""
    return lambda text: kind(text.lower())


_IDS = "ids or mentions with commas, or none"
_CAP = "dollars such as 5 or 2.50, or none"
SETTINGS: Mapping[str, SettingSpec] = {
    spec.name: spec
    for spec in (
        SettingSpec(
            name="dial",
            takes="0 to 10",
            parse=values.whole(0, 10),
            about="0 is thrifty, 10 is best",
            is_open=True,
        ),
        SettingSpec(
            name="tier",
            takes="auto, free, cheap or full",
            parse=values.to_tier,
            about="the tier that always answers here",
            is_open=True,
        ),
        SettingSpec(
            name="max_tier",
            takes="free, cheap or full",
            parse=values.to_tier_limit,
            about="the dearest tier allowed",
        ),
        SettingSpec(
            name="models",
            takes="aliases with commas, or all",
            parse=values.to_names,
            about="models allowed",
        ),
        SettingSpec(
            name="router",
            takes="local, rules or judge",
            parse=_one_of(RouterForm),
            about="who says how hard a prompt is; judge asks a small model",
        ),
        SettingSpec(
            name="check",
            takes="on or off",
            parse=values.to_switch,
            about="check a cheap answer that may be poor before it is shown",
        ),
        SettingSpec(
            name="learn",
            takes="on or off",
            parse=values.to_switch,
            about="let 👍, 👎 and Heavier teach the router, every night",
        ),
        SettingSpec(
            name="explore",
            takes="off, free or all",
            parse=_one_of(Exploration),
            about="while it learns: where a cheaper tier may be tried",
        ),
        SettingSpec(
            name="system_prompt",
            takes="up to 8,000 characters, or default",
            parse=values.to_prompt,
            about="what the models are told first",
        ),
        SettingSpec(
            name="threads",
            takes="on or off",
            parse=values.to_switch,
            about="answer in a new thread",
        ),
        SettingSpec(
            name="forums",
            takes="on or off",
            parse=values.to_switch,
            about="answer each new forum post",
        ),
        SettingSpec(
            name="footer",
            takes="off, short or full",
            parse=_one_of(FooterStyle),
            about="the small print under an answer",
            is_open=True,
        ),
        SettingSpec(
            name="max_parts",
            takes="1 to 20",
            parse=values.whole(1, 20),
            about="messages that one answer may take",
        ),
        SettingSpec(
            name="zone",
            takes="a time zone such as Europe/Berlin",
            parse=values.to_zone,
            about="when days, weeks and months begin",
        ),
        *(
            SettingSpec(name=name, takes=_CAP, parse=values.to_cap, about=cap.about)
            for name, cap in CAPS.items()
        ),
        SettingSpec(
            name="prompts_per_minute",
            takes="1 to 1000",
            parse=values.whole(1, 1000),
            about="prompts a person may send in a minute",
        ),
        SettingSpec(
            name="retention_days",
            takes="0 to 3650",
            parse=values.whole(0, 3650),
            about="days until what was said is forgotten; 0 keeps it",
        ),
        *(
            SettingSpec(name=name, takes=_IDS, parse=values.to_ids, about=about)
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
            parse=values.to_channel,
            about="where the week's spend is posted",
        ),
        SettingSpec(
            name="digest_weekday",
            takes="a day such as monday",
            parse=values.to_weekday,
            about="the day on which it is posted",
        ),
        SettingSpec(
            name="digest_time",
            takes="a time such as 9:00 or 17:30",
            parse=values.to_time,
            about="when on that day, in this place's zone",
        ),
        SettingSpec(
            name="digest_users",
            takes="on or off",
            parse=values.to_switch,
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


def resolve(layers: Iterable[Mapping[str, str]]) -> Settings:
    """The settings of a place: workspace first, then channel, then thread; the narrowest wins."""
    merged: dict[str, object] = {}
    for layer in layers:
        merged |= {name: parse_setting(name, text) for name, text in layer.items()}
    return Settings(**merged)  # type: ignore[arg-type]  # parse_setting returns each field's type
