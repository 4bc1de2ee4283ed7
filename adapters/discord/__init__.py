"""Discord: mentions, threads, commands and buttons, answered at the pace that Discord allows."""

from adapters.discord.running import DiscordBot, run_discord

__all__ = ["DiscordBot", "run_discord"]
