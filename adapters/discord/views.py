"""The buttons under an answer. Their ids name the turn, so that they outlive a restart."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Sequence
from typing import Protocol

import discord

from bot.errors import BotError
from bot.replies import Action

MAX_ID = 100
logger = logging.getLogger(__name__)

_LOOKS: dict[Action, tuple[str, str | None, discord.ButtonStyle]] = {
    Action.STOP: ("Stop", None, discord.ButtonStyle.danger),
    Action.HEAVIER: ("Heavier", None, discord.ButtonStyle.primary),
    Action.AGAIN: ("Again", None, discord.ButtonStyle.secondary),
    Action.GOOD: ("", "👍", discord.ButtonStyle.secondary),
    Action.BAD: ("", "👎", discord.ButtonStyle.secondary),
    Action.WHY: ("Why?", None, discord.ButtonStyle.secondary),
}
_ACTIONS = "|".join(action.value for action in Action)


class Presses(Protocol):
    """Whoever acts when a button is pressed."""

    async def press(self, interaction: discord.Interaction, action: Action, turn_id: str) -> None:
        """Do what the button says and answer the interaction."""


class ActionButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"parley:(?P<action>{_ACTIONS}):(?P<turn_id>.+)",
):
    """One button; the turn it belongs to is in its id."""

    def __init__(self, action: Action, turn_id: str) -> None:
        label, emoji, style = _LOOKS[action]
        super().__init__(
            discord.ui.Button(
                label=label or None,
                emoji=emoji,
                style=style,
                custom_id=f"parley:{action.value}:{turn_id}"[:MAX_ID],
            )
        )
        self.action = action
        self.turn_id = turn_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> ActionButton:
        """The button that a person pressed, whichever process had sent it."""
        return cls(Action(match["action"]), match["turn_id"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Pass the press on; a refusal is told to the person who pressed."""
        presses: Presses = interaction.client  # type: ignore[assignment]  # our own client
        await guarded(interaction, presses.press(interaction, self.action, self.turn_id))


def to_view(turn_id: str, actions: Sequence[Action]) -> discord.ui.View | None:
    """The row of buttons; None when there are none."""
    if not actions:
        return None
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(ActionButton(action, turn_id))
    return view


async def guarded(interaction: discord.Interaction, work: Awaitable[None]) -> None:
    """The edge of an interaction: whatever goes wrong is noted, and told to the person."""
    try:
        await work
    except BotError as error:
        await tell(interaction, str(error))
    except discord.NotFound as error:
        note_late(error)
    except Exception:
        logger.exception("an interaction failed")
        await tell(interaction, "Something went wrong on my side. Please try again.")


async def tell(interaction: discord.Interaction, text: str) -> None:
    """Say something that only the person who acted can see."""
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except discord.NotFound as error:
        note_late(error)


def note_late(error: discord.NotFound) -> None:
    """Discord waits three seconds for an answer and tells the person itself that it failed."""
    logger.warning("an interaction was answered too late", extra={"code": error.code})
