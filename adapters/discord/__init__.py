"""Discord: mentions, threads, commands and buttons, answered at the pace that Discord allows."""

from adapters.discord.checks import check_discord
from adapters.discord.running import DiscordBot, run_discord

__all__ = ["DiscordBot", "check_discord", "run_discord"]
