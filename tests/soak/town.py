"""Everything the program meets: providers, Discord, Slack, people on the web, and their diary."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.chaos.program import Program
from tests.e2e.program import environment
from tests.loopback.discord import DiscordServer
from tests.loopback.providers import ProviderServer, Reply
from tests.loopback.providers.record import Seen
from tests.loopback.slack import APP_TOKEN, LoopbackSlack
from tests.soak.diary import Diary
from tests.waiting import until

Act = Callable[[], Awaitable[None]]
READY_S = 60.0
CODE = (
    "Here it is:\n\n```python\n" + "print('a line of code that is long enough')\n" * 120 + "```\n"
)


@dataclass(frozen=True, slots=True)
class Town:
    """The servers, the program and the diary."""

    program: Program
    provider: ProviderServer
    discord: DiscordServer
    slack: LoopbackSlack
    http: aiohttp.ClientSession
    dice: random.Random
    diary: Diary
    database: str

    async def ready(self) -> None:
        """Wait until the program hears both platforms."""
        await until(lambda: self.discord.gateway.live(), limit_s=READY_S)
        await until(lambda: self.discord.world.commands.get(""), limit_s=READY_S)
        await until(lambda: self.slack.outbox.sockets, limit_s=READY_S)


def answer(seen: Seen) -> Reply:
    """An answer as models write them: the same for the same prompt; some are long, some slow."""
    number = hashlib.sha256(seen.prompt.encode()).digest()[0]
    text = CODE if number < 16 else f"About {seen.prompt[-40:]} " + "a word or two " * (number // 4)
    pace = 0.02 if number % 2 else 0.05
    first_delay_s = 4.0 if number % 32 == 31 else 0.1
    tokens = max(2, len(text) // 4 // 40)
    return Reply(
        text=text, first_delay_s=first_delay_s, chunk_delay_s=pace, tokens_per_chunk=tokens
    )


@asynccontextmanager
async def open_town(database: str, folder: Path, seed: int) -> AsyncIterator[Town]:
    """Start the servers and the program; stop them at the end, as an operator does."""
    dice = random.Random(seed)
    async with (
        ProviderServer() as provider,
        DiscordServer() as discord,
        LoopbackSlack(time_scale=30) as slack,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as http,
    ):
        provider.script(answer)
        discord.gateway.identify_every_s = 0.0
        discord.gateway.heartbeat_ms = 9_000
        tokens = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_BASE": discord.api_base,
            "SLACK_BOT_TOKEN": slack.space.bot_token,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_BASE": slack.base_url,
        }
        settings = folder / "settings"
        settings.mkdir()
        more = environment(settings, provider, **tokens)
        program = Program(folder, database, provider, "program", more=more)
        town = Town(program, provider, discord, slack, http, dice, Diary(dice), database)
        await program.start()
        try:
            yield town
        finally:
            await program.kill()
