"""Slash commands in Discord's form, each turned into the line that it is in words.

What the line means is the core's business; here are only names, options and choices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import discord
from discord import app_commands

from bot.caps import Period
from bot.command_grammar import GROUPS, SCOPES
from bot.commands import COMMANDS
from bot.question_grammar import MODES
from bot.settings import SETTINGS

if TYPE_CHECKING:
    from adapters.discord.client import ParleyClient

TIERS = ("free", "cheap", "full", "auto")
PLACES = ("thread", "channel", "server")
PERIODS = ("today", "week", "month", "year", "all")
Interaction = discord.Interaction[Any]
Choice = app_commands.Choice[str]


class Take(Protocol):
    """Takes a line that somebody wrote as a slash command."""

    async def __call__(self, interaction: Interaction, line: str, *, is_private: bool) -> None:
        """Answer it: for all to see, or for the person alone."""


def choices(words: Iterable[str]) -> list[Choice]:
    """Words to choose from."""
    return [app_commands.Choice(name=word, value=word) for word in words][:25]


def to_line(name: str, *words: str | None, text: str = "", **options: str | int | None) -> str:
    """A slash command in words: `/name words option:value text`."""
    parts = [f"/{name}", *(word for word in words if word)]
    parts += [f"{key}:{value}" for key, value in options.items() if value is not None]
    return " ".join([*parts, text] if text else parts)


def add_core_commands(client: ParleyClient, take: Take) -> None:
    """Add the commands of every feature that there is."""
    add_of = {
        "help": _add_help,
        "models": _add_models,
        "tier": _add_tier,
        "settings": _add_settings,
        "budget": _add_budget,
        "spend": _add_spend,
        "forget": _add_forget,
        "stop": _add_stop,
        "debate": _add_debate,
        "ensemble": _add_ensemble,
    }
    for name, spec in COMMANDS.items():
        if spec.is_on and name in add_of:
            add_of[name](client.tree, take)


Tree = app_commands.CommandTree[Any]


def _about(name: str) -> str:
    about = COMMANDS[name].about
    return (about[:1].upper() + about[1:])[:100]


def _add_help(tree: Tree, take: Take) -> None:
    @tree.command(name="help", description=_about("help"))
    @app_commands.describe(command="One command, explained")
    @app_commands.choices(command=choices(name for name, s in COMMANDS.items() if s.is_on))
    async def show_help(interaction: Interaction, command: Choice | None = None) -> None:
        line = to_line("help", command.value if command else None)
        await take(interaction, line, is_private=True)


def _add_models(tree: Tree, take: Take) -> None:
    @tree.command(name="models", description=_about("models"))
    async def models(interaction: Interaction) -> None:
        await take(interaction, "/models", is_private=True)


def _add_tier(tree: Tree, take: Take) -> None:
    @tree.command(name="tier", description=_about("tier"))
    @app_commands.describe(tier="Which one; left out, I tell which it is", place="Where it holds")
    @app_commands.choices(tier=choices(TIERS), place=choices(PLACES))
    async def tier(
        interaction: Interaction, tier: Choice | None = None, place: Choice | None = None
    ) -> None:
        line = to_line(
            "tier", tier.value if tier else None, place.value if tier and place else None
        )
        await take(interaction, line, is_private=tier is None)


def _add_settings(tree: Tree, take: Take) -> None:
    @tree.command(name="settings", description=_about("settings"))
    @app_commands.describe(
        name="Which setting; left out, I list them and you choose",
        value="What it shall be; `default` takes the setting away here",
        place="Where it shall hold",
    )
    @app_commands.choices(place=choices(PLACES))
    async def settings(
        interaction: Interaction,
        name: str | None = None,
        value: str | None = None,
        place: Choice | None = None,
    ) -> None:
        line = settings_line(name or "", value or "", place.value if place else "")
        await take(interaction, line, is_private=True)

    @settings.autocomplete("name")
    async def names(_: Interaction, typed: str) -> list[Choice]:
        return choices(name for name in SETTINGS if typed.lower() in name)

    @settings.autocomplete("value")
    async def values(interaction: Interaction, typed: str) -> list[Choice]:
        return choices(to_values(str(interaction.namespace.name or ""), typed[:100]))


def to_values(name: str, typed: str) -> list[str]:
    """What is offered while somebody types a setting's value: that, then the words it takes."""
    spec = SETTINGS.get(name)
    words = re.split(r", | or ", spec.takes) if spec else []
    known = words if all(re.fullmatch(r"\w+", word) for word in words) else []
    fitting = [word for word in (*known, "default") if word.startswith(typed.lower())]
    return list(dict.fromkeys([*([typed] if typed else []), *fitting]))


def settings_line(name: str, value: str, place: str) -> str:
    """The line that shows or changes a setting; the value `default` takes it away."""
    if name and value.strip().lower() == "default" and name != "system_prompt":
        return to_line("settings", place, "reset", name)
    return to_line("settings", place, name, text=value.strip() if name else "")


def _add_budget(tree: Tree, take: Take) -> None:
    @tree.command(name="budget", description=_about("budget"))
    @app_commands.describe(
        whose="Whose cap",
        dollars="Dollars such as 5 or 2.50, or none",
        period="For how long; left out, a person's day, else the month",
    )
    @app_commands.choices(whose=choices(SCOPES), period=choices(period.adverb for period in Period))
    async def budget(
        interaction: Interaction,
        whose: Choice | None = None,
        dollars: str | None = None,
        period: Choice | None = None,
    ) -> None:
        often = period.value if period else None
        line = to_line("budget", whose.value, dollars or "?", often) if whose else "/budget"
        await take(interaction, line, is_private=True)


def _add_spend(tree: Tree, take: Take) -> None:
    @tree.command(name="spend", description=_about("spend"))
    @app_commands.describe(period="Which time", by="How to break it down")
    @app_commands.choices(period=choices(PERIODS), by=choices(GROUPS))
    async def spend(
        interaction: Interaction, period: Choice | None = None, by: Choice | None = None
    ) -> None:
        words = (period.value if period else None, *(("by", by.value) if by else ()))
        await take(interaction, to_line("spend", *words), is_private=True)


def _add_stop(tree: Tree, take: Take) -> None:
    @tree.command(name="stop", description=_about("stop"))
    async def stop(interaction: Interaction) -> None:
        await take(interaction, "/stop", is_private=True)


def _add_forget(tree: Tree, take: Take) -> None:
    @tree.command(name="forget", description=_about("forget"))
    @app_commands.describe(what="This conversation, or all that you asked in this server")
    @app_commands.choices(what=choices(("thread", "all")))
    async def forget(interaction: Interaction, what: Choice) -> None:
        await take(interaction, to_line("forget", what.value), is_private=True)


def _add_debate(tree: Tree, take: Take) -> None:
    @tree.command(name="debate", description=_about("debate"))
    @app_commands.describe(
        question="What shall be debated",
        models="Two models by their names, with a comma",
        rounds="How often the other objects, at most",
    )
    async def debate(
        interaction: Interaction,
        question: str,
        models: str | None = None,
        rounds: app_commands.Range[int, 1, 3] | None = None,
    ) -> None:
        options = {"models": _list(models), "rounds": rounds}
        line = to_line("debate", text=question, **options)
        await take(interaction, line, is_private=False)

    debate.autocomplete("models")(_offer_models)


def _add_ensemble(tree: Tree, take: Take) -> None:
    @tree.command(name="ensemble", description=_about("ensemble"))
    @app_commands.describe(
        question="What several models shall answer",
        models="Models by their names, with commas",
        n="How many models, when none are named",
        mode="One answer made of them, all of them, or the most frequent",
    )
    @app_commands.choices(mode=choices(MODES))
    async def ensemble(
        interaction: Interaction,
        question: str,
        models: str | None = None,
        n: app_commands.Range[int, 2, 6] | None = None,
        mode: Choice | None = None,
    ) -> None:
        options = {"models": _list(models), "n": n, "mode": mode.value if mode else None}
        line = to_line("ensemble", text=question, **options)
        await take(interaction, line, is_private=False)

    ensemble.autocomplete("models")(_offer_models)


async def _offer_models(interaction: Interaction, typed: str) -> list[Choice]:
    """What the last name of a list may become, the names before it kept."""
    client: Any = interaction.client
    given = [name.strip() for name in typed.split(",")]
    before = [name for name in given[:-1] if name]
    word = given[-1].lower()
    aliases = [alias for alias in client.parts.router.catalog.aliases() if alias not in before]
    found = [alias for alias in aliases if alias.startswith(word)]
    found += [alias for alias in aliases if word in alias and alias not in found]
    return [
        choice
        for choice in choices(",".join([*before, a]) for a in found)
        if len(choice.name) <= 100
    ]


def _list(names: str | None) -> str | None:
    """Names with commas and no spaces, as one option."""
    return None if names is None else ",".join(n.strip() for n in names.split(",") if n.strip())
