"""What `doctor` asks Discord: is the token good, is the intent switched on, is it in a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import discord
from discord.http import Route

from adapters.discord.threads import invite_url
from adapters.settings import AppSettings

PORTAL = "https://discord.com/developers/applications"
WITHIN_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `remedy` says what to do when it is not well."""

    is_well: bool
    says: str
    remedy: str = ""


async def check_discord(settings: AppSettings) -> tuple[Check, ...]:
    """Look at the bot's account without connecting to the gateway."""
    if settings.discord_api_base:
        Route.BASE = settings.discord_api_base.rstrip("/")
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with asyncio.timeout(WITHIN_S):
            await client.login(settings.discord_token.get_secret_value())
            application = await client.application_info()
            servers = [guild async for guild in client.fetch_guilds(limit=200)]
    except discord.LoginFailure:
        remedy = f"Reset it at {PORTAL}, page Bot, and put the new one into .env."
        return (Check(is_well=False, says="Discord refuses DISCORD_TOKEN", remedy=remedy),)
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        remedy = "Check the network, and https://discordstatus.com."
        says = f"Discord cannot be reached ({type(error).__name__})"
        return (Check(is_well=False, says=says, remedy=remedy),)
    finally:
        await client.close()
    return _findings(application, len(servers))


def _findings(application: discord.AppInfo, servers: int) -> tuple[Check, ...]:
    flags = application.flags
    hears_all = flags.gateway_message_content or flags.gateway_message_content_limited
    return (
        Check(is_well=True, says=f"the token is {application.name}'s"),
        Check(
            is_well=hears_all,
            says=f"the Message Content Intent is {'on' if hears_all else 'off'}",
            remedy=""
            if hears_all
            else f"Switch it on at {PORTAL}, page Bot: without it only mentions are heard.",
        ),
        Check(
            is_well=servers > 0,
            says=f"the bot is in {servers} server{'' if servers == 1 else 's'}",
            remedy="" if servers else f"Invite it: {invite_url(application.id)}",
        ),
    )
