"""Changing a setting by choosing it and filling in a form. Both outlive a restart: ids say all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import discord

from adapters.discord.slash import settings_line
from bot.settings import SETTINGS, SettingSpec

CHOOSE = "Choose a setting to change it:"
FORM = re.compile(r"parley:set:(?P<name>\w+):(?P<place>\w*)")
VALUE_ID = "value"
MOST_OPTIONS = 25
PAGES = -(-len(SETTINGS) // MOST_OPTIONS)
"""Discord takes so many options in one menu, so there are as many menus as it needs."""
Interaction = discord.Interaction[Any]


class SettingSelect(
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=r"parley:choose:(?P<place>\w*)(?::(?P<page>\d+))?",
):
    """A menu of settings; its page and the place where the change holds are in its id."""

    def __init__(self, place: str, page: int = 0) -> None:
        specs = _page(page)
        super().__init__(
            discord.ui.Select(
                placeholder=f"Which setting? From {specs[0].name} to {specs[-1].name}",
                custom_id=f"parley:choose:{place}:{page}",
                options=[
                    discord.SelectOption(label=spec.name, description=spec.about[:100])
                    for spec in specs
                ],
            )
        )
        self.place = place

    @classmethod
    async def from_custom_id(
        cls,
        interaction: Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> SettingSelect:
        """The menu that somebody used, whichever process had sent it."""
        return cls(match["place"], min(int(match["page"] or 0), PAGES - 1))

    async def callback(self, interaction: Interaction) -> None:
        """Open the form of the chosen setting."""
        await interaction.response.send_modal(to_form(chosen(interaction.data), self.place))


def to_select(place: str) -> discord.ui.View:
    """The menus of all settings as a view."""
    view = discord.ui.View(timeout=None)
    for page in range(PAGES):
        view.add_item(SettingSelect(place, page))
    return view


def _page(page: int) -> list[SettingSpec]:
    """The settings of one menu; the menus are of about the same length."""
    length = -(-len(SETTINGS) // PAGES)
    return list(SETTINGS.values())[page * length :][:length]


def to_form(name: str, place: str) -> discord.ui.Modal:
    """The form of one setting."""
    spec = SETTINGS[name]
    form = discord.ui.Modal(title=f"Set {spec.name}"[:45], custom_id=f"parley:set:{name}:{place}")
    form.add_item(
        discord.ui.Label(
            text=spec.about[:45],
            description=f"{spec.takes}. `default` takes it away here."[:100],
            component=discord.ui.TextInput(
                custom_id=VALUE_ID,
                style=discord.TextStyle.paragraph
                if name == "system_prompt"
                else discord.TextStyle.short,
                max_length=4000 if name == "system_prompt" else 200,
            ),
        )
    )
    return form


def filled_line(data: Mapping[str, Any]) -> str | None:
    """The line that a filled-in form is; None for a form that is none of ours."""
    match = FORM.fullmatch(str(data.get("custom_id", "")))
    if match is None or match["name"] not in SETTINGS:
        return None
    value = next(
        (value for key, value in _values(data.get("components", ())) if key == VALUE_ID), ""
    )
    return settings_line(match["name"], value, match["place"])


def chosen(data: Any) -> str:
    """What was chosen in a menu."""
    return str((data or {}).get("values", [""])[0])


def _values(components: Any) -> list[tuple[str, str]]:
    """The fields of a form, rows and labels opened."""
    found: list[tuple[str, str]] = []
    for part in components:
        if "value" in part:
            found.append((part["custom_id"], part["value"]))
        found += _values(part.get("components", ()))
        if "component" in part:
            found += _values((part["component"],))
    return found
