"""What the tests of debates and ensembles share: players with parts, and a world to ask in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.calls import Completion, ModelCall, OnText, unheard
from bot.catalog import Catalog, Tier
from bot.inbox import Inbox
from bot.ledger import LedgerEntry
from bot.money import NANOUSD
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn
from storage import MemoryStore
from tests.fakes import (
    FixedEstimator,
    FrozenClock,
    RecordingDelivery,
    RecordingQueue,
    RecordingSink,
    completion,
    incoming,
    model,
    monthly,
)

Line = str | Exception | Completion | Callable[[ModelCall], str]
HANG = "…hangs"


def players() -> Catalog:
    """Two full models of different providers, and one cheap."""
    return Catalog(
        (
            model("ada", Tier.FULL, usd="5", provider="p1", model_id="p1/ada-9"),
            model("bob", Tier.FULL, usd="4", provider="p2", model_id="p2/bob-9"),
            model("eve", Tier.CHEAP, usd="1", provider="p3", model_id="p3/eve-9"),
        )
    )


class Playing:
    """A gateway whose models have parts: for each step its lines, whatever comes first."""

    def __init__(self, parts: dict[str, Line]) -> None:
        self.parts = parts
        self.calls: list[ModelCall] = []
        self.hanging = asyncio.Event()
        self.keeps_limits = False

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.calls.append(call)
        line = self.parts.get(call.call_id.rpartition(":")[2]) or self.parts[call.model.alias]
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Completion):
            on_text(line.text)
            return _within(line, call.max_output_tokens) if self.keeps_limits else line
        text = line if isinstance(line, str) else line(call)
        on_text(text.removesuffix(HANG))
        if text.endswith(HANG):
            self.hanging.set()
            await asyncio.Event().wait()
        return completion(text, model_id=call.model.model_id)

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Each call: its step and its model."""
        return [(call.call_id.rpartition(":")[2], call.model.alias) for call in self.calls]

    def said_to(self, step: str) -> str:
        """All that a step's model was told."""
        (call,) = [c for c in self.calls if c.call_id.endswith(f":{step}")]
        return "\n".join(message.text for message in call.messages)


def _within(answer: Completion, limit: int) -> Completion:
    """An answer of at most so many tokens, as providers keep to."""
    written = min(answer.usage.output_tokens, limit)
    return replace(answer, usage=replace(answer.usage, output_tokens=written))


@dataclass(slots=True)
class World:
    """A responder with players."""

    gateway: Playing
    models: Catalog = field(default_factory=players)
    cap: int | None = 20 * NANOUSD
    store: MemoryStore = field(default_factory=MemoryStore)
    delivery: RecordingDelivery = field(default_factory=RecordingDelivery)
    clock: FrozenClock = field(default_factory=FrozenClock)
    queue: RecordingQueue = field(default_factory=RecordingQueue)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.store, self.queue, self.clock)

    @property
    def responder(self) -> Responder:
        return Responder(
            store=self.store,
            gateway=self.gateway,
            delivery=self.delivery,
            router=Router(self.models, FixedEstimator()),
            clock=self.clock,
            instance_caps=monthly(self.cap),
        )

    async def ask(self, text: str, message_id: str = "m1", **more: object) -> RecordingSink:
        await self.inbox.accept(incoming(text, message_id, **more))
        await self.responder.answer(f"test:{message_id}")
        return self.delivery.last

    async def entries(self, message_id: str = "m1") -> tuple[LedgerEntry, ...]:
        return await self.store.entries(f"test:{message_id}")

    async def turn(self, message_id: str = "m1") -> Turn:
        kept = await self.store.turn(f"test:{message_id}")
        assert kept is not None
        return kept

    async def stopped_at(self, text: str) -> RecordingSink:
        """Ask, and stop when a player hangs."""
        await self.inbox.accept(incoming(text))
        task = asyncio.create_task(self.responder.answer("test:m1"))
        await self.gateway.hanging.wait()
        await self.inbox.stop("test:m1")
        task.cancel()  # what the queue does when it is told to
        await task
        return self.delivery.last

    async def killed_at(self, text: str) -> None:
        """Ask, and end the process when a player hangs: the turn stays as it is."""
        await self.inbox.accept(incoming(text))
        await self.end(await self.going("test:m1"))

    async def going(self, turn_id: str) -> asyncio.Task[None]:
        """Run a turn until a player hangs."""
        task = asyncio.create_task(self.responder.answer(turn_id))
        await self.gateway.hanging.wait()
        return task

    async def end(self, task: asyncio.Task[None]) -> None:
        """End the process that runs it."""
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def labels(sink: RecordingSink) -> list[str]:
    """The headings of the messages beside the answer, in order."""
    return [branch.label for branch in sink.branches.values()]
