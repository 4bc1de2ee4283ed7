"""Slack under load, on the loopback server in a process of its own.

`python -m tests.bench.bench_slack`: events at 10 a second, then 200 threads at once.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from adapters.clock import SystemClock
from adapters.engine.engine import DurableEngine
from adapters.slack.preview import PreviewLimits
from bot.turns import Turn
from storage import open_store
from tests.adapters.slack.rig import Paced, Rig, TaskQueue, running
from tests.bench.figures import tell, tell_spread
from tests.loopback.slack import LoopbackSlack

CHANNELS = 100
STEADY = 100
THREADS = 200
CHUNKS = 80
CHUNK_S = 0.1
ANSWER = [f"chunk {n} " for n in range(CHUNKS)]


class Elsewhere(LoopbackSlack):
    """Stands for the server in the other process, as far as the rig needs one."""

    def __init__(self, facts: dict[str, str]):
        super().__init__()
        self.origin = facts["control"].removesuffix("/control/")
        self.control = facts["control"]


class DurableQueue(TaskQueue):
    """The program's own engine, with what it has ended counted."""

    def __init__(self) -> None:
        super().__init__()
        self.engine: DurableEngine | None = None
        self.ended = 0

    async def submit(self, turn: Turn) -> None:
        assert self.engine is not None
        await self.engine.submit(turn)

    async def run(self, turn_id: str) -> None:
        """What the engine calls."""
        assert self.answer is not None
        await self.answer(turn_id)
        self.ended += 1

    def over(self) -> int:
        return self.ended


@asynccontextmanager
async def server() -> AsyncIterator[Elsewhere]:
    """The loopback Slack in its own process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.loopback.slack",
        "--channels",
        str(CHANNELS),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield Elsewhere(json.loads(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()


class Control:
    """Drives the other process."""

    def __init__(self, http: aiohttp.ClientSession, base: str):
        self._http = http
        self._base = base

    async def say(self, number: int) -> tuple[str, str, float]:
        """Ask in a thread of its own; channel, timestamp and when it was asked."""
        channel = f"CX{number % CHANNELS}"
        body = {"text": f"<@UPARLEY> question {number}", "channel": channel}
        asked_s = time.monotonic()
        async with self._http.post(f"{self._base}say", json=body) as response:
            return channel, (await response.json())["ts"], asked_s

    async def look(self, what: str) -> Any:
        """Read what the server has seen."""
        async with self._http.get(f"{self._base}{what}") as response:
            return await response.json()


def in_ms(values_s: Sequence[float]) -> list[float]:
    """Seconds as milliseconds."""
    return [value * 1_000 for value in values_s]


async def lag(samples: list[float]) -> None:
    """How late the event loop wakes up."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        samples.append(time.monotonic() - before - 0.01)


async def steady(rig: Rig, control: Control) -> None:
    """Ten events a second: how long until the model is asked."""
    asked, cpu_s = list[float](), time.process_time()
    for number in range(STEADY):
        asked.append((await control.say(number))[2])
        await asyncio.sleep(0.1)
    await rig.answered(STEADY, within_s=60)
    waits = [called - at for called, at in zip(rig.gateway.called_at_s, asked, strict=True)]
    tell_spread("10 a second: event to model request", in_ms(waits), "ms", p50=25, p99=100)
    tell("CPU for one question", (time.process_time() - cpu_s) / STEADY * 1_000, "ms")


async def burst(rig: Rig, control: Control) -> None:
    """All threads at once, each answer 8 seconds long."""
    rig.gateway.make = lambda call: Paced(list(ANSWER), pause_s=CHUNK_S)
    before, samples = rig.queue.over(), list[float]()
    seen = len(await control.look("calls"))
    sent_before = len(await control.look("sent"))
    watching = asyncio.create_task(lag(samples))
    asked = await asyncio.gather(*(control.say(number) for number in range(THREADS)))
    await rig.answered(before + THREADS, within_s=300)
    watching.cancel()
    report_burst(rig, asked, (await control.look("calls"))[seen:], samples)
    sent = (await control.look("sent"))[sent_before:]
    prompt = [s for s in sent if len(s["attempts"]) == 1 and s["acked_at_s"] is not None]
    waits = [s["acked_at_s"] - s["first_at_s"] for s in prompt]
    tell_spread(f"{THREADS} at once: acknowledgement", in_ms(waits), "ms")
    tell("not acknowledged within 3 s, so sent again", len(sent) - len(prompt), "", target=0)


def report_burst(
    rig: Rig, asked: list[tuple[str, str, float]], calls: list[Any], samples: list[float]
) -> None:
    """How late the whole text was, and whether every tier was kept."""
    shown = complete_at(calls)
    late = []
    for channel, ts, _ in asked:
        ended = rig.gateway.ended_at_s[f"slack:{channel}:{ts}:answer1"]
        late.append(shown[channel, ts] - ended)
    limited = [call["method"] for call in calls if call["status"] == 429]
    counts = {m: sum(c["method"] == m for c in calls) for m in sorted({c["method"] for c in calls})}
    tell_spread("whole text after the model's end", late, "s", p99=5)
    tell_spread("event-loop lag", in_ms(samples), "ms", p99=50)
    tell("refused with 429", len(limited), "", target=0)
    print(f"calls: {counts}")


def complete_at(calls: list[Any]) -> dict[tuple[str, str], float]:
    """When the whole answer stood in each thread."""
    whole, streams, done = "".join(ANSWER), dict[str, list[str]](), dict[tuple[str, str], float]()
    threads: dict[str, str] = {}
    for call in calls:
        args, method = call["args"], call["method"]
        if call["status"] != 200 or call["error"]:
            continue
        if method == "chat.startStream":
            threads[call["answer"]["ts"]] = args["thread_ts"]
            streams[call["answer"]["ts"]] = [args["markdown_text"]]
        elif method in ("chat.appendStream", "chat.stopStream"):
            streams[args["ts"]].append(args.get("markdown_text") or "")
            if "".join(streams[args["ts"]]) == whole:
                done.setdefault((args["channel"], threads[args["ts"]]), call["at_s"])
        elif method == "chat.postMessage" and args["blocks"][0].get("text") == whole:
            done[args["channel"], args["thread_ts"]] = call["at_s"]
    return done


async def main() -> None:
    """Run both and print."""
    with tempfile.TemporaryDirectory() as folder:
        url, queue = f"sqlite:///{Path(folder) / 'parley.db'}", DurableQueue()
        async with (
            server() as slack,
            open_store(url) as store,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as http,
            running(slack, store=store, limits=PreviewLimits(), sockets=False, queue=queue) as rig,
            DurableEngine(store, queue.run, SystemClock()) as queue.engine,
        ):
            control = Control(http, slack.control)
            await steady(rig, control)
            await burst(rig, control)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tell("peak memory", peak_mb, "MB", target=400)


if __name__ == "__main__":
    asyncio.run(main())
