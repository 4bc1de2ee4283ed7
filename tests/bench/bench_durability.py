"""From an event to the request to the model, with everything durable on.

`python -m tests.bench.bench_durability [--database sqlite|postgres]`: 10 events a second on idle
conversations, then 200 at once, then nothing at all. Prints milliseconds; the provider is a
function of this process, so that only our own part is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from adapters.clock import SystemClock
from adapters.engine import DurableEngine
from bot.calls import Completion, ModelCall, OnText, Usage, unheard
from bot.catalog import Catalog, ModelSpec, Tier
from bot.difficulty import RulesEstimator
from bot.inbox import Inbox
from bot.messages import ConversationKey, IncomingMessage
from bot.money import NANOUSD
from bot.responder import Responder
from bot.router import Router
from storage import SqlStore, open_store
from tests.bench.figures import tell, tell_spread
from tests.fakes import RecordingDelivery, monthly
from tests.postgres import running_server
from tests.waiting import until

STEADY, PER_SECOND, BURST, IDLE_S = 200, 10, 200, 5.0
MODEL = ModelSpec(
    alias="bench",
    model_id="openai/bench",
    provider="openai",
    tier=Tier.CHEAP,
    input_usd_per_mtok=Decimal(1),
    output_usd_per_mtok=Decimal(5),
)


@dataclass
class Instant:
    """A provider that answers at once and notes when it was asked."""

    asked_s: dict[str, float] = field(default_factory=dict)
    ended: int = 0

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        self.asked_s[call.call_id.rsplit(":", 1)[0]] = time.perf_counter()
        on_text("Yes.")
        return Completion(
            text="Yes.",
            usage=Usage(input_tokens=20, output_tokens=2),
            finish_reason="stop",
            response_model_id="bench",
        )


@dataclass
class Bench:
    """The parts, and what is measured of them."""

    inbox: Inbox
    store: SqlStore
    provider: Instant
    acknowledged_ms: list[float] = field(default_factory=list)
    requested_ms: list[float] = field(default_factory=list)

    async def event(self, name: str) -> None:
        """One message in a conversation of its own, up to its acknowledgement."""
        began_s = time.perf_counter()
        turn = await self.inbox.accept(
            IncomingMessage(
                key=ConversationKey(
                    platform="bench", workspace_id="w", channel_id="c", thread_id=name
                ),
                message_id=name,
                author_id=name,
                author_name="Ann",
                text="Is this quick?",
                sent_at=SystemClock().now(),
            )
        )
        self.acknowledged_ms.append((time.perf_counter() - began_s) * 1_000)
        assert turn is not None
        await until(lambda: turn.turn_id in self.provider.asked_s, limit_s=60)
        self.requested_ms.append((self.provider.asked_s[turn.turn_id] - began_s) * 1_000)

    async def all_ended(self) -> None:
        async with asyncio.timeout(120):
            while await self.store.unfinished():
                await asyncio.sleep(0.1)

    def report(self, name: str, *, p50: float | None = None, p99: float | None = None) -> None:
        tell_spread(f"{name}: acknowledged", self.acknowledged_ms, "ms")
        tell_spread(f"{name}: asked the model", self.requested_ms, "ms", p50=p50, p99=p99)
        self.acknowledged_ms.clear()
        self.requested_ms.clear()


@asynccontextmanager
async def opened(location: str) -> AsyncIterator[Bench]:
    provider, clock = Instant(), SystemClock()
    async with open_store(location) as store:
        responder = Responder(
            store=store,
            gateway=provider,
            delivery=RecordingDelivery(),
            router=Router(Catalog((MODEL,)), RulesEstimator()),
            clock=clock,
            instance_caps=monthly(1_000 * NANOUSD),
        )
        async with DurableEngine(store, responder.answer, clock) as engine:
            yield Bench(Inbox(store, engine, clock), store, provider)


async def measure(location: str) -> None:
    async with opened(location) as bench:
        await bench.event("warm")
        bench.requested_ms.clear()
        bench.acknowledged_ms.clear()
        cpu_s = time.process_time()
        async with asyncio.TaskGroup() as group:
            for number in range(STEADY):
                group.create_task(bench.event(f"steady{number}"))
                await asyncio.sleep(1 / PER_SECOND)
        await bench.all_ended()
        bench.report(f"{PER_SECOND} events a second", p50=25, p99=100)
        cpu_ms = (time.process_time() - cpu_s) / STEADY * 1_000
        tell("CPU for each message, upkeep in", cpu_ms, "ms")
        began_s = time.perf_counter()
        await asyncio.gather(*(bench.event(f"burst{number}") for number in range(BURST)))
        bench.report(f"{BURST} at once")
        await bench.all_ended()
        tell(f"all {BURST} answered and kept after", time.perf_counter() - began_s, "s")
        cpu_s = time.process_time()
        await asyncio.sleep(IDLE_S)
        tell("CPU when idle", (time.process_time() - cpu_s) / IDLE_S * 100, "%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    if parser.parse_args().database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(str(Path(folder) / "parley.db")))
        return
    with running_server() as server:
        asyncio.run(measure(server.new_database()))


if __name__ == "__main__":
    main()
