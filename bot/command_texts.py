"""What commands are answered with: Markdown that every platform shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bot.budget import BudgetState
from bot.caps import CAPS, Scope
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.commands import COMMANDS, CommandSpec
from bot.money import format_price, format_usd
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
_COMMAND_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Ask several models": ("debate", "ensemble"),
        "This conversation": ("tier", "stop", "forget"),
        "Money": ("spend", "budget"),
        "How I am set up": ("models", "settings"),
    }
)
_CAPS_TITLE = "Caps"
_LISTS = tuple(name for name in SETTINGS if name.startswith(("allowed_", "blocked_")))
_SETTING_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Which model answers": (
            "dial", "tier", "max_tier", "models", "router", "check", "learn", "explore",
        ),
        "How it answers": ("system_prompt", "threads", "forums", "footer", "max_parts"),
        _CAPS_TITLE: tuple(CAPS),
        "Who may ask": (*_LISTS, "prompts_per_minute"),
        "Weekly digest": ("digest_channel", "digest_weekday", "digest_time", "digest_users"),
        "Time": ("zone", "retention_days"),
    }
)  # fmt: skip
_HOW_ADMINS = (
    "Change one for this channel with `settings dial 7`, elsewhere with `settings thread dial 7` "
    "or `settings workspace dial 7`; undo it with `settings reset dial`. `help settings` explains "
    "each, `settings history` says who changed what."
)
_OPEN = ", ".join(f"`{spec.name}`" for spec in SETTINGS.values() if spec.is_open)
_HOW_OTHERS = (
    f"For a thread you can set {_OPEN}, for example `settings dial 7`; the rest is for admins. "
    "`help settings` explains each."
)
WHOSE = {
    Scope.USER: "You",
    Scope.CHANNEL: "This channel",
    Scope.WORKSPACE: "This workspace",
    Scope.INSTANCE: "All of Parley",
}
"""Whose budget it is, as people read it."""


def help_text() -> str:
    """What can be typed, in short."""
    groups = "\n\n".join(
        f"**{title}**\n" + "\n".join(_command_line(COMMANDS[name]) for name in names)
        for title, names in _COMMAND_GROUPS.items()
    )
    return (
        "Ask me anything; I choose the cheapest model that can answer it well. In a thread that I "
        "take part in, you need not mention me again.\n\n"
        "**Choose yourself** with a tag anywhere in your prompt: `@fast` (free), `@cheap`, "
        "`@heavy` (the best), or `@` and the name of a model.\n\n"
        f"{groups}\n\n"
        "Type these as they are, or with a slash in front. `help budget` tells more of one."
    )


def _command_line(spec: CommandSpec) -> str:
    return f"- `{spec.examples[0]}`: {spec.about}"


def help_with(spec: CommandSpec) -> str:
    """One command: what it does, examples to copy, what else may stand in it."""
    examples = "\n".join(f"- `{example}`" for example in spec.examples)
    also = f"Also called {' and '.join(f'`{alias}`' for alias in spec.aliases)}."
    more = " ".join(part for part in (spec.more, also if spec.aliases else "") if part)
    parts = [f"**{spec.name}**: {spec.about}.", examples, more]
    if spec.name == "settings":
        parts += [_explained(title, names) for title, names in _SETTING_GROUPS.items()]
    return "\n\n".join(part for part in parts if part)


def _explained(title: str, names: Sequence[str]) -> str:
    """What the settings of a group take; the caps, which are alike, in one line."""
    if title == _CAPS_TITLE:
        caps = ", ".join(f"`{name}`" for name in names)
        lines = [f"- {caps} ({SETTINGS[names[0]].takes}); `budget` sets them more easily"]
    else:
        lines = [f"- `{n}` ({SETTINGS[n].takes}): {SETTINGS[n].about}" for n in names]
    return "\n".join((f"**{title}**", *lines))


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
    dollars = [format_price(p) for p in (model.input_usd_per_mtok, model.output_usd_per_mtok)]
    return f"{free}${dollars[0]} in, ${dollars[1]} out per million tokens"


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
    """What is set here and where, then all that is as it comes, and how it is changed."""
    changed = [name for name in SETTINGS if any(name in values for values in layers.values())]
    lines = [setting_line(name, settings, layers) for name in changed] or ["Nothing yet."]
    rest = [
        f"- {title}: {words}"
        for title, names in _SETTING_GROUPS.items()
        if (words := _unchanged(title, [n for n in names if n not in changed], settings))
    ]
    set_here, as_it_comes = "\n".join(lines), "\n".join(rest)
    how = _HOW_ADMINS if is_admin else _HOW_OTHERS
    return f"**Set here**\n{set_here}\n\n**As it comes**\n{as_it_comes}\n\n{how}"


def _unchanged(title: str, names: Sequence[str], settings: Settings) -> str:
    """Settings that nobody has set, with their values, on one line; many alike in words."""
    if title == _CAPS_TITLE:
        return "none; `budget` sets them" if len(names) == len(CAPS) else ""
    shown_each = [f"`{n}` {shown(n, getattr(settings, n))}" for n in names if n not in _LISTS]
    is_open = all(name in names for name in _LISTS)
    return " · ".join((*(["everybody, everywhere"] if is_open else []), *shown_each))


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
