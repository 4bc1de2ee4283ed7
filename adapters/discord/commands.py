"""Slash commands and context menus: they become prompts like any other, or answer at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.http import Route

from adapters.discord import inbound
from adapters.discord.forms import CHOOSE, filled_line, to_select
from adapters.discord.inbound import PLATFORM
from adapters.discord.localisation import CommandTranslator
from adapters.discord.slash import PLACES, add_core_commands
from adapters.discord.views import note_late, tell
from bot.catalog import Catalog
from bot.errors import BotError
from bot.messages import ConversationKey, IncomingMessage
from bot.quotes import quoted
from bot.tags import with_tag

if TYPE_CHECKING:
    from adapters.discord.client import ParleyClient

EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
INSTALLS = app_commands.AppInstallationType(guild=True, user=True)
CHOICES_AT_MOST = 25
_LOCALISED = ("name", "description")
SETTINGS_ALONE = [["/settings", *place] for place in ([], *([p] for p in PLACES))]
logger = logging.getLogger(__name__)
Interaction = discord.Interaction[Any]


def add_commands(client: ParleyClient) -> None:
    """Put every command into the client's tree."""
    tree = client.tree
    tree.error(_on_error)
    if tree.get_commands():
        return
    _add_ask(client)
    add_core_commands(client, partial(take, client))
    for name, tag in (("Ask Parley", ""), ("Ask heavier", "@heavy")):
        tree.add_command(_context_menu(client, name, tag))
    for command in tree.get_commands():
        command.allowed_contexts = EVERYWHERE
        command.allowed_installs = INSTALLS


async def sync_commands(client: ParleyClient) -> None:
    """Register the commands if they differ from those that Discord knows; it counts each time."""
    await client.tree.set_translator(translator := CommandTranslator())
    application_id = client.application_id or 0
    # discord.py's own call leaves out what the commands are called in other languages.
    known = await client.http.request(
        Route("GET", "/applications/{application_id}/commands", application_id=application_id),
        params={"with_localizations": "true"},
    )
    wanted = [
        await command.get_translated_payload(client.tree, translator)
        for command in client.tree.get_commands()
    ]
    if sorted(map(_shape, known)) != sorted(map(_shape, wanted)):
        await client.tree.sync()
        logger.info("Discord: commands registered", extra={"commands": len(wanted)})


def _shape(command: Mapping[str, Any]) -> str:
    """What is compared: everything that a person would notice."""
    options = [
        (
            option["name"],
            option["type"],
            option.get("description"),
            bool(option.get("required")),
            bool(option.get("autocomplete")),
            [(choice["name"], choice["value"]) for choice in option.get("choices") or ()],
        )
        for option in command.get("options") or ()
    ]
    names = (int(command.get("type", 1)), command["name"], command.get("description") or "")
    words = [sorted((command.get(f"{of}_localizations") or {}).items()) for of in _LOCALISED]
    return repr((*names, options, words, sorted(command.get("contexts") or ())))


def _add_ask(client: ParleyClient) -> None:
    @client.tree.command(name="ask", description="Ask a question")
    @app_commands.describe(
        question="What you would like to know",
        tier="How strong a model; left out, I choose",
        model="One model by its name",
    )
    @app_commands.choices(
        tier=[
            app_commands.Choice(name="fast (free)", value="fast"),
            app_commands.Choice(name="cheap", value="cheap"),
            app_commands.Choice(name="heavy (full)", value="heavy"),
        ]
    )
    async def ask(
        interaction: Interaction,
        question: str,
        tier: app_commands.Choice[str] | None = None,
        model: str | None = None,
    ) -> None:
        tag = f"@model:{model}" if model else f"@{tier.value}" if tier else ""
        response = await interaction.response.defer(thinking=True)
        original_id = str(response.message_id) if response is not None else ""
        await client.accept(to_asked(client, interaction, with_tag(question, tag), original_id))

    @ask.autocomplete("model")
    async def models(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return model_choices(client.parts.router.catalog, typed)


async def take(
    client: ParleyClient, interaction: Interaction, line: str, *, is_private: bool
) -> None:
    """Take a slash command as the line that it is; its answer is the command's own reply."""
    original_id = ""
    if line.split() in SETTINGS_ALONE:
        # The menu is the reply; the list of settings follows it.
        view = to_select("".join(line.split()[1:]))
        await interaction.response.send_message(CHOOSE, view=view, ephemeral=True)
    else:
        response = await interaction.response.defer(thinking=True, ephemeral=is_private)
        original_id = str(response.message_id) if response is not None else ""
    incoming = to_asked(client, interaction, line, original_id, is_private=is_private)
    await client.accept(incoming)


async def take_form(client: ParleyClient, interaction: Interaction) -> None:
    """Take a form that somebody filled in; nothing for what is no form of ours."""
    line = filled_line(interaction.data or {})
    if line is not None:
        await take(client, interaction, line, is_private=True)


def _context_menu(client: ParleyClient, name: str, tag: str) -> app_commands.ContextMenu:
    async def ask_about(interaction: Interaction, message: discord.Message) -> None:
        spot = inbound.to_spot(message.channel)
        is_away = spot is inbound.Spot.CHANNEL and may_post(interaction)
        if not is_away:
            response = await interaction.response.defer(thinking=True)
            original_id = str(response.message_id) if response is not None else ""
            incoming = to_asked(client, interaction, _about(client, tag, message), original_id)
        else:
            await tell(interaction, f"I answer in a thread: <#{message.id}>")
            incoming = _to_thread(client, interaction, message, _about(client, tag, message))
        files = tuple(inbound.to_attachment(each) for each in message.attachments)
        await client.accept(replace(incoming, attachments=files))

    return app_commands.ContextMenu(name=name, callback=ask_about)


def _about(client: ParleyClient, tag: str, message: discord.Message) -> str:
    """A message that somebody points at, as a prompt."""
    quote = quoted(message.author.display_name, inbound.plain_text(message, client.me))
    return with_tag(quote, tag)


def to_asked(
    client: ParleyClient,
    interaction: Interaction,
    text: str,
    original_id: str,
    *,
    is_private: bool = False,
) -> IncomingMessage:
    """A command's question; its answer is the command's own reply."""
    anchor = interaction_anchor(interaction, original_id, is_private=is_private)
    return _incoming(interaction, text, _key_of(interaction), anchor)


def interaction_anchor(
    interaction: Interaction, original_id: str = "", *, is_private: bool = False
) -> Mapping[str, str]:
    """Where an answer to an interaction goes: into its own reply, if it has one to fill."""
    return {
        "private": "1" if is_private else "",
        "channel_id": str(interaction.channel_id),
        "token": interaction.token,
        "interaction_id": str(interaction.id),
        "original_id": original_id,
        "reply_to": original_id,
        "may_post": "1" if may_post(interaction) else "",
    }


def _to_thread(
    client: ParleyClient, interaction: Interaction, message: discord.Message, text: str
) -> IncomingMessage:
    """A question about a message in a channel; its answer is a thread on that message."""
    key = inbound.guild_key(str(interaction.guild_id), str(interaction.channel_id), str(message.id))
    anchor = {"channel_id": str(interaction.channel_id), "thread_on": str(message.id)}
    return _incoming(interaction, text, key, anchor)


def _incoming(
    interaction: Interaction, text: str, key: ConversationKey, anchor: Mapping[str, str]
) -> IncomingMessage:
    user = interaction.user
    return IncomingMessage(
        key=key,
        message_id=str(interaction.id),
        author_id=str(user.id),
        author_name=user.display_name,
        text=text,
        sent_at=interaction.created_at,
        is_admin=interaction.guild_id is None or interaction.permissions.manage_guild,
        role_ids=inbound.role_ids(user),
        workspace_name=interaction.guild.name if interaction.guild else inbound.DIRECT_NAME,
        channel_name=inbound.to_channel_name(interaction.channel),
        anchor=anchor,
    )


def _key_of(interaction: Interaction) -> ConversationKey:
    """In a thread or a direct chat its conversation; elsewhere one of its own."""
    channel_id, user_id = str(interaction.channel_id), str(interaction.user.id)
    channel = interaction.channel
    if not may_post(interaction):
        return ConversationKey(
            platform=PLATFORM,
            workspace_id=f"{inbound.DIRECT}{user_id}",
            channel_id=channel_id,
            thread_id=str(interaction.id),
        )
    if interaction.guild_id is None:
        return inbound.direct_key(user_id, channel_id)
    if isinstance(channel, discord.Thread):
        return inbound.thread_key(channel)
    return inbound.guild_key(str(interaction.guild_id), channel_id, str(interaction.id))


def may_post(interaction: Interaction) -> bool:
    """Whether the bot is there itself, so that it can write without the interaction."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    return interaction.is_guild_integration()


def model_choices(catalog: Catalog, typed: str) -> list[app_commands.Choice[str]]:
    """The models whose name holds what was typed, the cheapest tier first."""
    word = typed.strip().lower()
    found = [m for m in catalog.models if word in m.alias.lower()]
    found.sort(key=lambda m: (not m.alias.lower().startswith(word), m.tier))
    return [
        app_commands.Choice(name=f"{m.alias} · {m.tier.label}"[:100], value=m.alias)
        for m in found[:CHOICES_AT_MOST]
    ]


async def _on_error(interaction: Interaction, error: app_commands.AppCommandError) -> None:
    """The edge of a command: whatever goes wrong is noted and told."""
    cause = error.__cause__ or error
    if isinstance(cause, discord.NotFound):
        note_late(cause)
        return
    if isinstance(cause, BotError):
        text = str(cause)
    else:
        logger.error("a command failed", exc_info=cause)
        text = "Something went wrong on my side. It has been noted; please try again."
    try:
        await tell(interaction, text)
    except discord.HTTPException:
        logger.warning("an apology could not be posted", exc_info=True)
