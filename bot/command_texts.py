"""What commands are answered with: Markdown that every platform shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.budget import BudgetState
from bot.caps import Scope
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.commands import COMMANDS, CommandSpec
from bot.money import format_usd
from bot.setting_values import shown
from bot.settings import SETTINGS, SettingChange, Settings

MOST_CHANGES = 10
_SHOWN_CHARACTERS = 160
FORGOTTEN_THREAD = (
    "I have forgotten this conversation: prompts, answers, files and names. What it cost stays in "
    "the ledger, without a word of it. The messages that you see here belong to this platform; "
    "delete them here if they are to go, too."
)
FORGOTTEN_ALL = (
    "I have forgotten all that you wrote to me in this workspace, with its answers and files. What "
    "it cost stays in the ledger, without a word of it. Answers that I gave to others stay theirs."
)
STOPPED = "Whatever I was writing here is stopped. What was written stays."
_NO_CAPS = "No budget is set here."
WHOSE = {
    Scope.USER: "You",
    Scope.CHANNEL: "This channel",
    Scope.WORKSPACE: "This workspace",
    Scope.INSTANCE: "All of Parley",
}
"""Whose budget it is, as people read it."""


def help_text() -> str:
    """Everything that can be typed."""
    commands = "\n".join(
        f"- `{spec.usage}`: {spec.about}" for spec in COMMANDS.values() if spec.is_on
    )
    return (
        "Ask me anything. In a thread that I take part in, you need not mention me again.\n\n"
        "**Choose who answers** with a tag anywhere in your prompt: `@fast` free, `@cheap` cheap, "
        "`@heavy` the best, `@auto` I decide, `@NAME` that model.\n\n"
        f"**Commands**, as words or with a slash in front:\n{commands}"
    )


def help_with(spec: CommandSpec) -> str:
    """One command in full."""
    also = f"\nAlso: {', '.join(f'`{alias}`' for alias in spec.aliases)}" if spec.aliases else ""
    lines = [f"- `{s.name}` takes {s.takes}: {s.about}" for s in SETTINGS.values()]
    names = "\n\n" + "\n".join(lines) if spec.name == "settings" else ""
    return f"`{spec.usage}`\n{spec.about[0].upper()}{spec.about[1:]}.{also}{names}"


def models_text(catalog: Catalog, settings: Settings) -> str:
    """The models that are switched on, the cheapest tier first."""
    models = sorted(catalog, key=lambda model: model.tier)
    if not models:
        return "No model is switched on. `parley doctor` says what is missing."
    return "\n".join(_model_line(model, settings) for model in models)


def _model_line(model: ModelSpec, settings: Settings) -> str:
    parts = [
        f"- `@{model.alias}`",
        model.tier.label,
        _price(model),
        f"{model.context_tokens:,} tokens",
        "reads images" if Capability.VISION in model.capabilities else "",
        "" if settings.allows(model) else "**not allowed here**",
    ]
    return " · ".join(part for part in parts if part)


def _price(model: ModelSpec) -> str:
    if model.input_usd_per_mtok is None or model.output_usd_per_mtok is None:
        return "unpriced"
    free = "free, worth " if model.is_free_quota else ""
    dollars = [_usd(model.input_usd_per_mtok), _usd(model.output_usd_per_mtok)]
    return f"{free}{dollars[0]} in, {dollars[1]} out per million tokens"


def _usd(price: Decimal) -> str:
    return f"${price.normalize():f}"


def tier_text(value: str, place: str, settings: Settings) -> str:
    """What a change of tier means."""
    who = "I decide on the tier" if value == "auto" else f"the `{value}` tier answers"
    text = f"From now on {who} in this {place}. A tag such as `@auto` still wins for one prompt."
    if value != "auto" and Tier[value.upper()] > settings.max_tier:
        text += (
            f" The dearest tier allowed here is `{settings.max_tier.label}`, so it goes no further."
        )
    return text


def settings_text(
    settings: Settings, layers: Mapping[str, Mapping[str, str]], *, is_admin: bool
) -> str:
    """Every setting, where its value comes from, and how it is changed."""
    lines = [setting_line(name, settings, layers) for name in SETTINGS]
    opened = ", ".join(f"`{spec.name}`" for spec in SETTINGS.values() if spec.is_open)
    how = (
        "Change one: `settings NAME VALUE` for this channel, `settings thread NAME VALUE`, "
        "`settings workspace NAME VALUE`. Take it away: `settings reset NAME`. "
        "Who changed what: `settings history`. What they take: `help settings`."
    )
    limits = "" if is_admin else f"\n\nFor a thread you can set {opened}; the rest is for admins."
    return "\n".join(lines) + f"\n\n{how}{limits}"


def setting_line(name: str, settings: Settings, layers: Mapping[str, Mapping[str, str]]) -> str:
    """One setting: its value, and the place that it comes from."""
    places = [place for place, values in layers.items() if name in values]
    value = " ".join(shown(name, getattr(settings, name)).split())
    if len(value) > _SHOWN_CHARACTERS:
        value = f"{value[:_SHOWN_CHARACTERS]}…"
    source = f"set for this {places[-1]}" if places else "default"
    return f"- `{name}` **{_plain(value)}** ({source}): {SETTINGS[name].about}"


def history_text(changes: Sequence[tuple[str, SettingChange]]) -> str:
    """The last changes, the latest first; each with the place it was made at."""
    latest = sorted(changes, key=lambda pair: pair[1].at, reverse=True)[:MOST_CHANGES]
    if not latest:
        return "Nothing was changed here."
    return "\n".join(
        f"- {change.at:%-d %B %Y, %H:%M} UTC · `{_plain(change.user_id)}` · this {place} · "
        f"`{change.name}`: {_value(change.before)} → {_value(change.after)}"
        for place, change in latest
    )


def _value(value: str | None) -> str:
    if value is None:
        return "not set"
    line = " ".join(value.split())
    return _plain(line if len(line) <= 60 else f"{line[:60]}…")


def _plain(text: str) -> str:
    """Typed text that cannot end what it stands in."""
    return text.replace("*", "∗").replace("`", "ˋ")


def budget_text(states: Sequence[BudgetState], *, is_admin: bool) -> str:
    """The caps that count here and what is left of them."""
    lines = [_budget_line(state) for state in states] or [_NO_CAPS]
    how = (
        "\n\nSet one: `budget user 2`, `budget channel 20`, `budget workspace 100`; "
        "`none` takes it away. A person's counts by the day, the others by the month, "
        "unless you say so: `budget user 10 weekly`. All that are set hold at once."
    )
    return "\n".join(lines) + (how if is_admin else "")


def _budget_line(state: BudgetState) -> str:
    limit = state.limit
    held = f", {format_usd(state.held)} held for answers under way" if state.held else ""
    return (
        f"- **{WHOSE[limit.scope]}**, this {limit.window.period}: {format_usd(state.spent)} of "
        f"{format_usd(limit.cap)} spent ({state.used_percent} %){held}; "
        f"{format_usd(state.available)} left until {limit.window.ends_at:%-d %B, %H:%M} UTC"
    )
