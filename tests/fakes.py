"""Working fakes of the core's ports. They behave; nobody asserts on their wiring."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.calls import Completion, ModelCall, OnText, Usage, unheard
from bot.caps import InstanceCaps, Period
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.difficulty import Estimate, HistoryTurn
from bot.messages import ConversationKey, IncomingMessage
from bot.replies import Notice, Reply
from bot.turns import Turn

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLACE = ConversationKey(platform="test", workspace_id="w", channel_id="c", thread_id="t")


class FrozenClock:
    """Time that moves only when told to."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def elapsed_s(self) -> float:
        return self.at.timestamp()

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Hang:
    """A scripted answer that reasons, shows its text, then waits until it is cancelled."""

    text: str = ""
    reasoning: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Cut:
    """A scripted answer that reasons, shows its text, then fails."""

    text: str
    error: Exception
    reasoning: str = ""


Script = str | Exception | Hang | Cut | Completion


class ScriptedGateway:
    """Answers from a queue, else echoes the newest prompt. Keeps what it was asked."""

    def __init__(self, *script: Script) -> None:
        self.script = list(script)
        self.calls: list[ModelCall] = []
        self.cancelled: list[str] = []

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.calls.append(call)
        step = self.script.pop(0) if self.script else f"echo: {call.messages[-1].text}"
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Hang):
            on_reasoning(step.reasoning)
            await self._hang(step, call, on_text)
        if isinstance(step, Cut):
            on_reasoning(step.reasoning)
            on_text(step.text)
            raise step.error
        if isinstance(step, Completion):
            on_text(step.text)
            return step
        assert isinstance(step, str)
        for word in step.split(" "):
            on_text(word if step.startswith(word) else f" {word}")
        return completion(step, model_id=call.model.model_id)

    async def _hang(self, step: Hang, call: ModelCall, on_text: OnText) -> None:
        on_text(step.text)
        step.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.append(call.call_id)


class RecordingSink:
    """Writes down what it is told, in order; its branches by their names."""

    def __init__(self, label: str = "", *, is_brief: bool = False) -> None:
        self.events: list[tuple[str, object]] = []
        self.branches: dict[str, RecordingSink] = {}
        self.label = label
        self.is_brief = is_brief

    def status(self, text: str) -> None:
        self.events.append(("status", text))

    def append(self, text: str) -> None:
        self.events.append(("append", text))

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> RecordingSink:
        assert name not in self.branches, f"{name} is opened twice"
        self.branches[name] = RecordingSink(label, is_brief=is_brief)
        return self.branches[name]

    async def finish(self, reply: Reply) -> None:
        self.events.append(("finish", reply))

    async def fail(self, notice: Notice) -> None:
        self.events.append(("fail", notice))

    async def close(self) -> None:
        self.events.append(("close", ""))

    @property
    def reply(self) -> Reply:
        ended = [event for name, event in self.events if name == "finish"]
        assert len(ended) == 1, self.events
        assert isinstance(ended[0], Reply)
        return ended[0]

    @property
    def notice(self) -> Notice:
        ended = [event for name, event in self.events if name == "fail"]
        assert len(ended) == 1, self.events
        assert isinstance(ended[0], Notice)
        return ended[0]


class RecordingDelivery:
    """Opens recording sinks; the same turn may be opened again."""

    def __init__(self) -> None:
        self.sinks: list[RecordingSink] = []

    async def open(self, turn: Turn) -> RecordingSink:
        self.sinks.append(RecordingSink())
        return self.sinks[-1]

    @property
    def last(self) -> RecordingSink:
        return self.sinks[-1]


class RecordingQueue:
    """Remembers what it was given and runs nothing."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.cancelled: list[str] = []

    async def submit(self, turn: Turn) -> None:
        self.submitted.append(turn.turn_id)

    async def cancel(self, turn_id: str) -> None:
        self.cancelled.append(turn_id)


class FixedEstimator:
    """Says the same of every prompt."""

    version = "fixed"

    def __init__(self, p_free: float = 0.96, p_cheap: float = 0.98, p_full: float = 0.99) -> None:
        self.probabilities = (p_free, p_cheap, p_full)

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        free, cheap, full = self.probabilities
        return Estimate(
            p_free=free, p_cheap=cheap, p_full=full, reasons=("fixed",), version=self.version
        )


def completion(text: str, *, model_id: str = "p/m", output_tokens: int = 10) -> Completion:
    """What a gateway returns for a text."""
    return Completion(
        text=text,
        usage=Usage(input_tokens=20, output_tokens=output_tokens),
        finish_reason="stop",
        response_model_id=model_id.split("/", 1)[-1],
    )


def model(
    alias: str,
    tier: Tier = Tier.FREE,
    *,
    usd: str | None = "1",
    vision: bool = False,
    **more: object,
) -> ModelSpec:
    """A model whose input costs `usd` a million tokens, its output four times that."""
    price = None if usd is None else Decimal(usd)
    spec: dict[str, object] = {
        "alias": alias,
        "model_id": f"provider/{alias}",
        "provider": "provider",
        "tier": tier,
        "capabilities": frozenset({Capability.VISION}) if vision else frozenset(),
        "context_tokens": 100_000,
        "max_output_tokens": 4_000,
        "input_usd_per_mtok": price,
        "output_usd_per_mtok": None if price is None else price * 4,
    }
    return ModelSpec(**{**spec, **more})  # type: ignore[arg-type]  # test data


def catalog() -> Catalog:
    """One free model on a quota, one cheap, one full."""
    return Catalog(
        (
            model("free", Tier.FREE, usd="0.1", is_free_quota=True),
            model("cheap", Tier.CHEAP, usd="1"),
            model("full", Tier.FULL, usd="5", vision=True),
        )
    )


def incoming(text: str, message_id: str = "m1", **more: object) -> IncomingMessage:
    """A message from Ada in the test's place."""
    values: dict[str, object] = {
        "key": PLACE,
        "message_id": message_id,
        "author_id": "ada",
        "author_name": "Ada",
        "text": text,
        "sent_at": NOON,
    }
    return IncomingMessage(**{**values, **more})  # type: ignore[arg-type]  # test data


def turn(prompt: str = "Hello", turn_id: str = "test:m1", **more: object) -> Turn:
    """A turn of Ada's in the test's place."""
    values: dict[str, object] = {
        "turn_id": turn_id,
        "key": PLACE,
        "message_id": "m1",
        "user_id": "ada",
        "user_name": "Ada",
        "prompt": prompt,
        "created_at": NOON,
    }
    return Turn(**{**values, **more})  # type: ignore[arg-type]  # test data


def monthly(cap: int | None) -> InstanceCaps:
    """The whole instance's cap for a month alone."""
    return {} if cap is None else {Period.MONTH: cap}
