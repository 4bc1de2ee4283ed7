"""The real discord.py client against the loopback Discord, on a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import discord
import pytest
from discord.gateway import DiscordWebSocket
from pydantic import SecretStr

from adapters.active_models import ModelChoice
from adapters.clock import SystemClock
from adapters.discord import DiscordBot, run_discord
from adapters.discord.client import ParleyClient
from adapters.inline_queue import InlineQueue
from adapters.parts import Deliveries, Parts
from adapters.settings import AppSettings
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.inbox import Inbox
from bot.responder import Responder
from bot.router import Router
from storage import MemoryStore
from tests.fakes import FixedEstimator, catalog, completion
from tests.loopback.discord import DiscordServer
from tests.loopback.discord.world import Payload

Step = str | float | Exception
"""A piece of text, a pause in seconds, or what goes wrong."""


@dataclass(slots=True)
class PacedGateway:
    """Streams scripts at their own pace; without one it echoes the newest prompt."""

    scripts: list[list[Step]] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    ended_s: dict[str, float] = field(default_factory=dict)

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.calls.append(call)
        steps = self.scripts.pop(0) if self.scripts else [f"echo: {call.messages[-1].text}"]
        text = ""
        try:
            for step in steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    text += step
                    on_text(step)
        except asyncio.CancelledError:
            self.cancelled.append(call.call_id)
            raise
        finally:
            self.ended_s[call.call_id] = asyncio.get_running_loop().time()
        return completion(text, model_id=call.model.model_id)

    @property
    def prompts(self) -> list[str]:
        """The newest message of each call."""
        return [call.messages[-1].text for call in self.calls]


@dataclass(slots=True)
class Stage:
    """A server with a channel and two people, and everything behind the bot."""

    server: DiscordServer
    gateway: PacedGateway
    store: MemoryStore
    guild: Payload
    channel: Payload
    ada: Payload
    bob: Payload
    bot: DiscordBot | None = None
    shards: str = ""
    database_url: str = ""
    """Where it shares the shards with others; its words stay in the store in memory."""
    is_one_at_a_time: bool = False
    """Whether a conversation's turns wait for each other, as the engine's do."""

    @property
    def client(self) -> ParleyClient:
        assert self.bot is not None
        return self.bot.client

    @property
    def channel_id(self) -> str:
        return str(self.channel["id"])

    def ask(self, text: str, channel_id: str = "") -> Payload:
        """Ada mentions the bot."""
        return self.server.people.ask(channel_id or self.channel_id, self.ada["id"], text)

    def say(self, text: str, channel_id: str = "", reply_to: str | None = None) -> Payload:
        """Ada writes without a mention."""
        place = channel_id or self.channel_id
        return self.server.people.say(place, self.ada["id"], text, reply_to=reply_to)

    async def answered(self, channel_id: str, count: int = 1) -> list[Payload]:
        """Wait until so many answers in a place have their last form."""
        await until(lambda: len(self.finished(channel_id)) >= count)
        return self.finished(channel_id)

    def finished(self, channel_id: str) -> list[Payload]:
        """The bot's messages that carry the buttons of an ended answer."""
        return [
            message
            for message in self.server.messages(channel_id)
            if {"Again", "Heavier"} & set(self.server.people.buttons(message))
        ]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Stage]:
        """Run the bot until the block ends, and begin when it is there; the store outlives it."""
        async with self.running(token=self.server.token):
            await until(lambda: self.client.get_channel(int(self.channel_id)))
            yield self

    @asynccontextmanager
    async def running(self, *, token: str) -> AsyncIterator[DiscordBot]:
        """Run the bot, whether or not it gets anywhere."""
        async with AsyncExitStack() as stack:
            deliveries, clock = Deliveries(), SystemClock()
            router = Router(catalog(), FixedEstimator())
            responder = Responder(
                store=self.store,
                gateway=self.gateway,
                delivery=deliveries,
                router=router,
                clock=clock,
            )
            lock = asyncio.Lock()

            async def answer(turn_id: str) -> None:
                async with lock if self.is_one_at_a_time else nullcontext():
                    await responder.answer(turn_id)

            queue = InlineQueue(answer)
            settings = AppSettings.model_construct(
                discord_token=SecretStr(token),
                discord_api_base=self.server.api_base,
                discord_shards=self.shards,
                database_url=SecretStr(self.database_url),
            )
            parts = Parts(
                settings=settings,
                models=ModelChoice(listed=catalog(), active=catalog()),
                router=router,
                gateway=self.gateway,
                store=self.store,
                inbox=Inbox(self.store, queue, clock),
                responder=responder,
                clock=clock,
            )
            self.bot = await stack.enter_async_context(run_discord(parts, deliveries))
            stack.push_async_callback(_end, queue)
            yield self.bot


async def _end(queue: InlineQueue) -> None:
    """What a process does with its turns when it stops: those that are almost over may end."""
    tasks = list(queue._running.values())
    if tasks:
        await asyncio.wait(tasks, timeout=0.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)


async def until_async(condition: Callable[[], Awaitable[object]], limit_s: float = 10.0) -> None:
    """Wait for a condition that has to be asked for."""
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordServer() as running:
        yield running
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
def offstage(server: DiscordServer) -> Stage:
    """Everything set up, the bot not running yet."""
    guild = server.world.add_guild("Test")
    return Stage(
        server=server,
        gateway=PacedGateway(),
        store=MemoryStore(),
        guild=guild,
        channel=server.world.add_channel(guild["id"], "general"),
        ada=server.world.add_user("Ada"),
        bob=server.world.add_user("Bob"),
    )


@pytest.fixture
async def stage(offstage: Stage) -> AsyncIterator[Stage]:
    """The bot running."""
    async with offstage.connected():
        yield offstage
