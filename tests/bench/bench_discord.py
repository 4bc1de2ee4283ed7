"""Many conversations streaming at once on one bot, against a loopback Discord of its own process.

Run: `python -m tests.bench.bench_discord [--streams 200] [--seconds 40]`. Prints how soon and how
evenly people see their answers. Everything is real but the model: discord.py, the engine and the
store on SQLite, the responder, the buckets with their 429s.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from adapters.active_models import ModelChoice
from adapters.clock import SystemClock
from adapters.discord import run_discord
from adapters.engine import DurableEngine
from adapters.parts import Deliveries, Parts
from adapters.settings import AppSettings
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.inbox import Inbox
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn
from storage import open_store
from tests.bench.figures import tell, tell_spread
from tests.fakes import FixedEstimator, catalog, completion

CHUNKS_A_SECOND = 10
EVENTS_A_SECOND = 10
NETWORK_S = 0.03


@dataclass(slots=True)
class Stream:
    """When each piece of one answer was written."""

    began_s: float
    pieces: list[tuple[float, int]] = field(default_factory=list)
    """(when, how long the text was then)"""


@dataclass(slots=True)
class SteadyGateway:
    """Writes ten pieces a second for a while, and notes when; never waits for a reader."""

    seconds: float
    random: random.Random
    streams: dict[str, Stream] = field(default_factory=dict)

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        stream = self.streams[call.call_id] = Stream(time.monotonic())
        text = ""
        for number in range(int(self.seconds * self.random.uniform(1.0, 1.5) * CHUNKS_A_SECOND)):
            await asyncio.sleep(1 / CHUNKS_A_SECOND)
            piece = f"{number % 10} "
            text += piece
            on_text(piece)
            stream.pieces.append((time.monotonic(), len(text.rstrip())))
        return completion(text, model_id=call.model.model_id)


class LateQueue:
    """The program's own engine, opened when all else is there; counts the turns it has ended."""

    def __init__(self) -> None:
        self.engine: DurableEngine | None = None
        self.answer: Callable[[str], Awaitable[None]] | None = None
        self.ended = 0

    async def run(self, turn_id: str) -> None:
        """What the engine calls."""
        assert self.answer is not None
        await self.answer(turn_id)
        self.ended += 1

    async def submit(self, turn: Turn) -> None:
        """Run a turn that the store has accepted."""
        assert self.engine is not None
        await self.engine.submit(turn)

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn."""
        assert self.engine is not None
        await self.engine.cancel(turn_id)

    async def join(self, turns: int) -> None:
        """Wait until so many turns have ended."""
        while self.ended < turns:
            await asyncio.sleep(0.1)


async def lag(samples: list[float]) -> None:
    """Note how late the event loop wakes a sleeper."""
    while True:
        before_s = time.monotonic()
        await asyncio.sleep(0.01)
        samples.append(time.monotonic() - before_s - 0.01)


async def measure(streams: int, seconds: float) -> None:
    """Run once and print."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.loopback.discord", "--latency", str(NETWORK_S)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        about = json.loads(await process.stdout.readline())
        with tempfile.TemporaryDirectory() as folder:
            await run(about, Path(folder) / "bench.db", streams, seconds)
    finally:
        process.terminate()
        await process.wait()


async def run(about: dict[str, str], database: Path, streams: int, seconds: float) -> None:
    """Ask, wait for the last answer, read what the server saw."""
    gateway = SteadyGateway(seconds, random.Random(1))
    lags: list[float] = []
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        store = await stack.enter_async_context(open_store(database))
        queue = await start(stack, about, gateway, store)
        await wait_until_connected(http, about)
        watch = asyncio.create_task(lag(lags))
        said = await ask_all(http, about, streams)
        await queue.join(streams)
        watch.cancel()
        async with http.get(f"{about['control']}/record") as response:
            record = await response.json()
        async with http.get(f"{about['control']}/state") as response:
            state = await response.json()
    report(gateway, said, record, state, lags)


async def start(
    stack: AsyncExitStack, about: dict[str, str], gateway: SteadyGateway, store: Any
) -> LateQueue:
    """The bot with all its parts."""
    deliveries, clock = Deliveries(), SystemClock()
    router = Router(catalog(), FixedEstimator())
    responder = Responder(
        store=store, gateway=gateway, delivery=deliveries, router=router, clock=clock
    )
    queue = LateQueue()
    queue.answer = responder.answer
    settings = AppSettings.model_construct(
        discord_token=SecretStr(about["token"]), discord_api_base=about["api_base"]
    )
    parts = Parts(
        settings=settings,
        models=ModelChoice(listed=catalog(), active=catalog()),
        router=router,
        gateway=gateway,
        store=store,
        inbox=Inbox(store, queue, clock),
        responder=responder,
        clock=clock,
    )
    await stack.enter_async_context(run_discord(parts, deliveries))
    queue.engine = await stack.enter_async_context(DurableEngine(store, queue.run, clock))
    return queue


async def wait_until_connected(http: aiohttp.ClientSession, about: dict[str, str]) -> None:
    """Wait until the gateway has a session, and its ready time is over."""
    while True:
        async with http.get(f"{about['control']}/state") as response:
            if (await response.json())["connected"]:
                break
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)


async def post(http: aiohttp.ClientSession, url: str, **body: str) -> dict[str, Any]:
    """Use a verb of the loopback server."""
    async with http.post(url, json=body) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def ask_all(
    http: aiohttp.ClientSession, about: dict[str, str], streams: int
) -> dict[str, float]:
    """Ten people a second mention the bot; when each message was sent, by its id."""
    control, said = about["control"], {}
    people = [await post(http, f"{control}/world/add_user", name=f"p{n}") for n in range(streams)]
    for number, person in enumerate(people):
        at_s = time.monotonic()
        message = await post(
            http,
            f"{control}/people/ask",
            channel_id=about["channel_id"],
            user_id=person["id"],
            text=f"question {number}",
        )
        said[message["id"]] = at_s
        await asyncio.sleep(max(0.0, at_s + 1 / EVENTS_A_SECOND - time.monotonic()))
    return said


def report(
    gateway: SteadyGateway,
    said: dict[str, float],
    record: dict[str, Any],
    state: dict[str, Any],
    lags: Sequence[float],
) -> None:
    """Print what people saw, in seconds."""
    to_model, to_first, behind, last, gaps, wrong = [], [], [], [], [], 0
    for message_id, at_s in said.items():
        stream = gateway.streams[f"discord:{message_id}:answer1"]
        messages = [m for m in state["messages"][message_id].values() if m["author"]["bot"]]
        versions = [
            (v["at_s"], v["content"].split("\n-# ")[0])
            for v in record["versions"][messages[0]["id"]]
        ]
        to_model.append(stream.began_s - at_s)
        to_first.append(versions[0][0] - stream.pieces[0][0])
        last.append(versions[-1][0] - stream.pieces[-1][0])
        gaps += [b[0] - a[0] for a, b in pairwise(versions)]
        behind.append(staleness(stream, versions))
        wrong += len(messages) != 1 or len(versions[-1][1]) != stream.pieces[-1][1]
    calls = record["calls"]
    edits = [c for c in calls if c["method"] == "PATCH" and "/messages/" in c["path"]]
    print(f"{len(said)} streams")
    tell_spread("event to request to the model", to_model, "s")
    tell_spread("model's first text to visible", to_first, "s")
    tell_spread("text to visible, worst of each", behind, "s", p99=max(1.5, len(said) / 25))
    tell_spread("between two edits", gaps, "s")
    tell_spread("model's end to the last edit", last, "s", p99=2)
    tell_spread("event loop lag", [lag_s * 1_000 for lag_s in lags], "ms", p99=50)
    tell("answers that are not exact", wrong, "", target=0)
    tell("largest memory", peak_mb(), "MB", target=400)
    print(f"{len(edits)} edits, at most {busiest(edits)} in a second")
    print(f"{len(calls)} requests, at most {busiest(calls)} in a second")
    limited = [f"{c['method']} {c['path']}" for c in calls if c["status"] == 429]
    tell("429s", len(limited), "", noise=1.0)
    print(f"{limited[:3]}")


def staleness(stream: Stream, versions: Sequence[tuple[float, str]]) -> float:
    """The longest that any piece of an answer waited to be seen."""
    worst, index = 0.0, 0
    for written_s, length in stream.pieces:
        while index < len(versions) and len(versions[index][1]) < length:
            index += 1
        shown_s = versions[min(index, len(versions) - 1)][0]
        worst = max(worst, shown_s - written_s)
    return worst


def busiest(calls: Sequence[dict[str, Any]]) -> int:
    """The most calls in any clock second."""
    seconds = [int(call["at_s"]) for call in calls]
    return max((seconds.count(second) for second in set(seconds)), default=0)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=40.0, help="shortest answer")
    options = parser.parse_args()
    asyncio.run(measure(options.streams, options.seconds))


if __name__ == "__main__":
    main()
