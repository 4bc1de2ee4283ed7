"""What `doctor` asks Discord: is the token good, is the intent switched on, is it in a server."""

from __future__ import annotations

import asyncio
from functools import partial

import aiohttp
import discord
from discord.http import Route

from adapters.discord.inbound import PLATFORM
from adapters.discord.threads import invite_url
from adapters.parts import PlatformCheck
from adapters.settings import AppSettings

PORTAL = "https://discord.com/developers/applications"
WITHIN_S = 15.0
_check = partial(PlatformCheck, platform=PLATFORM)


async def check_discord(settings: AppSettings) -> tuple[PlatformCheck, ...]:
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
        return (_check(is_well=False, says="Discord refuses DISCORD_TOKEN", remedy=remedy),)
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        remedy = "Check the network, and https://discordstatus.com."
        says = f"Discord cannot be reached ({type(error).__name__})"
        return (_check(is_well=False, says=says, remedy=remedy),)
    finally:
        await client.close()
    return _findings(application, len(servers))


def _findings(application: discord.AppInfo, servers: int) -> tuple[PlatformCheck, ...]:
    flags = application.flags
    hears_all = flags.gateway_message_content or flags.gateway_message_content_limited
    return (
        _check(is_well=True, says=f"the token is {application.name}'s"),
        _check(
            is_well=hears_all,
            says=f"the Message Content Intent is {'on' if hears_all else 'off'}",
            remedy=""
            if hears_all
            else f"Switch it on at {PORTAL}, page Bot: without it only mentions are heard.",
        ),
        _check(
            is_well=servers > 0,
            says=f"the bot is in {servers} server{'' if servers == 1 else 's'}",
            remedy="" if servers else f"Invite it: {invite_url(application.id)}",
        ),
    )
