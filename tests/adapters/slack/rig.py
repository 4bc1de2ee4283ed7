"""Parley on the loopback Slack: the real core, the real clients, a scripted model."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.active_models import ModelChoice
from adapters.clock import SystemClock
from adapters.parts import Deliveries, Parts
from adapters.settings import AppSettings
from adapters.slack.preview import PreviewLimits
from adapters.slack.running import SlackBot
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.errors import GatewayError
from bot.inbox import Inbox
from bot.messages import ConversationKey
from bot.ports import Store
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn
from storage import MemoryStore
from tests.fakes import FixedEstimator, catalog, completion
from tests.loopback.slack import APP_TOKEN, LoopbackSlack

NO_CHANGES: Mapping[str, str] = {}
FAST = PreviewLimits(
    flush_s=0.05, flush_per_stream_s=0.0, edit_s=0.05, edit_per_message_s=0.0, look_again_s=0.02
)


@dataclass
class Paced:
    """An answer that comes in pieces, with a pause before each; it may end in an error."""

    pieces: list[str]
    pause_s: float = 0.01
    error: GatewayError | None = None
    gate: asyncio.Event | None = None
    """The last piece waits for it."""


@dataclass
class PacedGateway:
    """Streams its script at the pace it names; then echoes. Keeps what it was asked, and when."""

    script: list[Paced | Exception] = field(default_factory=list)
    calls: list[ModelCall] = field(default_factory=list)
    called_at_s: list[float] = field(default_factory=list)
    ended_at_s: dict[str, float] = field(default_factory=dict)
    make: Callable[[ModelCall], Paced] = lambda call: Paced([f"echo: {call.messages[-1].text}"])

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.calls.append(call)
        loop = asyncio.get_running_loop()
        self.called_at_s.append(loop.time())
        step = self.script.pop(0) if self.script else self.make(call)
        if isinstance(step, Exception):
            raise step
        for index, piece in enumerate(step.pieces):
            await asyncio.sleep(step.pause_s)
            if step.gate is not None and index == len(step.pieces) - 1:
                await step.gate.wait()
            on_text(piece)
        if step.error is not None:
            raise step.error
        self.ended_at_s[call.call_id] = loop.time()
        return completion("".join(step.pieces), model_id=call.model.model_id)


class TaskQueue:
    """Runs turns as tasks, one at a time for each conversation."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Any] | None = None
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[ConversationKey, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def submit(self, turn: Turn) -> None:
        if turn.turn_id not in self.tasks:
            self.tasks[turn.turn_id] = asyncio.create_task(self._run(turn))

    async def cancel(self, turn_id: str) -> None:
        if task := self.tasks.get(turn_id):
            task.cancel()

    async def _run(self, turn: Turn) -> None:
        assert self.answer is not None
        async with self._locks[turn.key]:
            await self.answer(turn.turn_id)

    def over(self) -> int:
        """How many turns have ended."""
        return sum(task.done() for task in self.tasks.values())

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@dataclass
class Rig:
    """A running Parley with everything a test looks at."""

    slack: LoopbackSlack
    gateway: PacedGateway
    store: Store
    queue: TaskQueue
    bot: SlackBot
    parts: Parts

    async def answered(self, count: int = 1, *, within_s: float = 10.0) -> None:
        """Wait until this many turns are over."""

        await self.slack.until(lambda: self.queue.over() >= count, within_s=within_s)


@asynccontextmanager
async def running(
    slack: LoopbackSlack,
    *,
    store: Store | None = None,
    gateway: PacedGateway | None = None,
    limits: PreviewLimits = FAST,
    settings: Mapping[str, str] = NO_CHANGES,
    sockets: bool = True,
    queue: TaskQueue | None = None,
) -> AsyncIterator[Rig]:
    """Parley on this Slack until the block ends; by Socket Mode unless the settings say else.

    `sockets`: wait for both of them, which is possible when the server is in this process.
    """
    store = store or MemoryStore()
    gateway, queue = gateway or PacedGateway(), queue or TaskQueue()
    clock, deliveries = SystemClock(), Deliveries()
    router = Router(catalog(), FixedEstimator())
    responder = Responder(
        store=store, gateway=gateway, delivery=deliveries, router=router, clock=clock
    )
    queue.answer = responder.answer
    parts = Parts(
        settings=to_settings(slack, settings),
        models=ModelChoice(listed=catalog(), active=catalog()),
        router=router,
        gateway=gateway,
        store=store,
        inbox=Inbox(store, queue, clock),
        responder=responder,
        clock=clock,
    )
    bot = SlackBot(parts, limits)
    deliveries.by_platform["slack"] = bot
    task = asyncio.create_task(bot.run())
    try:
        await asyncio.wait(
            {asyncio.create_task(bot.is_ready.wait()), task},
            timeout=10,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if sockets and not bot.is_http:
            await slack.until(lambda: len(slack.outbox.sockets) == 2 or task.done())
        yield Rig(slack, gateway, store, queue, bot, parts)
    finally:
        await queue.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def to_settings(slack: LoopbackSlack, more: Mapping[str, str]) -> AppSettings:
    """Settings that point at the loopback server."""
    values = {
        "slack_bot_token": slack.space.bot_token,
        "slack_app_token": APP_TOKEN,
        "slack_api_base": slack.base_url,
    }
    return AppSettings.model_validate({**values, **more})
