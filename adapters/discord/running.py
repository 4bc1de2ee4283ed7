"""Runs the Discord side: connects, stays connected, and says what to do when it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
from discord.http import Route

from adapters.discord.announcer import DiscordAnnouncer
from adapters.discord.client import ParleyClient
from adapters.discord.inbound import PLATFORM
from adapters.discord.shards import Shards
from adapters.discord.sharing import ShardShares
from adapters.leases import leases_on
from adapters.parts import Deliveries, Parts, tell_end
from bot.errors import DeliveryError, StoreError
from bot.ports import Sink
from bot.turns import Turn

RETRY_S = (1, 2, 5, 10, 30, 60)
CONNECT_WITHIN_S = 30.0
NO_CONTENT = (
    "The Message Content Intent is switched off for this bot, so it hears only messages that "
    "mention it. Switch it on at https://discord.com/developers/applications, page Bot."
)
BAD_TOKEN = (
    "Discord refused DISCORD_TOKEN. Reset it at https://discord.com/developers/applications, page "
    "Bot, put the new one into .env, and start again."
)
logger = logging.getLogger(__name__)


class DiscordBot:
    """The running Discord side. It delivers what was asked on Discord."""

    def __init__(self, parts: Parts, shards: Shards, *, hears: bool = True) -> None:
        self._parts = parts
        self._shards = shards
        self._hears = hears
        self._logged_in = asyncio.Event()
        self.client = self._new_client(content=True)

    @property
    def invite_url(self) -> str:
        """The link that puts the bot into a server."""
        return self.client.invite_url

    @property
    def is_connected(self) -> bool:
        """Whether every shard of this process hears Discord."""
        return self.client.is_hearing

    @property
    def announcer(self) -> DiscordAnnouncer | None:
        """What posts where nobody has asked; None until the connection stands."""
        if not self._logged_in.is_set():
            return None
        return DiscordAnnouncer(self.client, self._parts.store, self._parts.clock)

    async def open(self, turn: Turn) -> Sink:
        """A sink for a turn, as soon as the connection stands."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._logged_in.wait()
        except TimeoutError as error:
            raise DeliveryError("Discord is not connected at the moment.") from error
        return await self.client.delivery.open(turn)

    async def run(self) -> None:
        """Stay connected; ends only when that is hopeless, and says why in the log."""
        attempt = 0
        while True:
            try:
                await self._connect()
                return
            except discord.PrivilegedIntentsRequired:
                logger.warning(NO_CONTENT)
                self._renew(content=False)
                continue
            except discord.LoginFailure:
                logger.error(BAD_TOKEN)
                return
            except (aiohttp.ClientError, OSError, discord.DiscordException, StoreError) as error:
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                why = {"error": type(error).__name__, "reason": str(error)}
                logger.warning("Discord cannot be reached", extra={"again_in_s": wait_s, **why})
            await asyncio.sleep(wait_s)
            attempt += 1
            self._renew(content=self.client.has_content)

    def _renew(self, *, content: bool) -> None:
        """Begin again with another client; until it is logged in, new answers wait."""
        self._logged_in.clear()
        self.client = self._new_client(content=content)

    async def close(self) -> None:
        """Stop the previews, then the connection."""
        await self.client.delivery.close()
        await self.client.close()

    async def _connect(self) -> None:
        # discord.py keeps the address of REST in one place for all clients.
        base = self._parts.settings.discord_api_base.rstrip("/")
        if base:
            Route.BASE = base
        try:
            await self.client.stay(self._parts.settings.discord_token.get_secret_value())
        finally:
            await self.client.close()

    def _new_client(self, *, content: bool) -> ParleyClient:
        return ParleyClient(
            self._parts,
            content=content,
            shares=ShardShares(leases_on(self._parts.settings.store_url), self._shards),
            hears=self._hears,
            on_login=self._logged_in.set,
        )


@asynccontextmanager
async def run_discord(
    parts: Parts, deliveries: Deliveries, *, hears: bool = True
) -> AsyncIterator[DiscordBot]:
    """Run the Discord side beside everything else, for as long as the context lasts.

    Without `hears` it answers what other processes have heard, and has no gateway connection.
    Needs `DISCORD_TOKEN`; raises ConfigurationError for faulty settings. A fault of the
    connection is logged and tried again, and never ends the rest of the program.
    """
    bot = DiscordBot(parts, Shards.parse(parts.settings.discord_shards), hears=hears)
    deliveries.by_platform[PLATFORM] = bot
    task = asyncio.create_task(bot.run(), name=PLATFORM)
    task.add_done_callback(tell_end)
    try:
        yield bot
    finally:
        await bot.close()
        task.cancel()
        await asyncio.wait({task})
        deliveries.by_platform.pop(PLATFORM, None)
