"""What the gateway costs beside plain HTTP: CPU of a stream, first text, stalls of the loop.

Run: python -m tests.bench.bench_gateway
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import cycle, islice
from statistics import median, quantiles

import aiohttp

from adapters.llm import LiteLLMGateway
from bot.calls import ModelCall, Purpose
from bot.catalog import ModelSpec, Tier
from bot.messages import Message, Role
from tests.bench.figures import tell

CHUNKS = 200
STREAMS = 40
AT_ONCE = (40, 200)
MODEL_IDS = {
    "openai": "openai/gpt-6-luna",
    "anthropic": "anthropic/claude-haiku-4-5",
    "gemini": "gemini/gemini-3.8-flash",
}
Stream = Callable[[], Awaitable[float]]  # gives the seconds to the first text


async def main() -> None:
    """Measure and print."""
    gateway = LiteLLMGateway(lambda _model: "k")
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    gateway.start()
    stall_ms = max(await _lags_ms(gateway.ready()))
    tell("import and warm-up in their thread", time.perf_counter() - began_s, "s")
    tell("import and warm-up, CPU", time.process_time() - began_cpu_s, "s")
    tell("import and warm-up, worst stall of the loop", stall_ms, "ms", noise=1.0)
    async with _server(0.0) as bases, aiohttp.ClientSession() as session:
        raw = await _measure("plain aiohttp", lambda: _raw(session, bases["openai"]))
        for name in MODEL_IDS:
            ours = await _measure(name, _through(gateway, name, bases))
            tell(f"{name}, beside plain aiohttp", ours / raw, "×")
    async with _server(0.1) as bases:
        for count in AT_ONCE:
            await _at_once(gateway, bases, count)
    await gateway.close()


async def _at_once(gateway: LiteLLMGateway, bases: dict[str, str], count: int) -> None:
    streams = [_through(gateway, name, bases) for name in islice(cycle(MODEL_IDS), count)]
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    lags_ms = await _lags_ms(asyncio.gather(*(stream() for stream in streams)))
    share = (time.process_time() - began_cpu_s) / (time.perf_counter() - began_s)
    tell(f"{count} streams of 10 chunks a second", share, "core")
    lag_ms = quantiles(lags_ms, n=100)[98]
    tell(f"{count} streams, event-loop lag, p99", lag_ms, "ms", target=50, noise=0.6)


async def _measure(name: str, stream: Stream) -> float:
    for _ in range(3):
        await stream()
    began_cpu_s = time.process_time()
    firsts_s = [await stream() for _ in range(STREAMS)]
    cpu_ms = (time.process_time() - began_cpu_s) / STREAMS * 1e3
    tell(f"{name}, CPU for {CHUNKS} chunks", cpu_ms, "ms")
    tell(f"{name}, first text", median(firsts_s) * 1e3, "ms")
    return cpu_ms


async def _raw(session: aiohttp.ClientSession, base: str) -> float:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    began_s, first_s = time.perf_counter(), 0.0
    async with session.post(f"{base}/chat/completions", json=body) as response:
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            delta = json.loads(line[6:])["choices"][0]["delta"]
            if delta.get("content") and not first_s:
                first_s = time.perf_counter() - began_s
    return first_s


def _through(gateway: LiteLLMGateway, name: str, bases: dict[str, str]) -> Stream:
    model = ModelSpec(
        alias=name,
        model_id=MODEL_IDS[name],
        provider=name,
        tier=Tier.CHEAP,
        api_base=bases[name],
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(5),
    )
    call = ModelCall(
        call_id="bench:1",
        purpose=Purpose.ANSWER,
        model=model,
        messages=(Message(role=Role.USER, text="Hello"),),
        max_output_tokens=4_096,
    )

    async def stream() -> float:
        completion = await gateway.complete(call, lambda _text: None)
        return completion.first_token_s or 0.0

    return stream


async def _lags_ms(work: Awaitable[object]) -> list[float]:
    """How late the event loop was, each 5 ms while this was done."""
    lags: list[float] = []
    doing = asyncio.ensure_future(work)
    while not doing.done():
        before_s = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - before_s - 0.005) * 1e3)
    await doing
    return lags


@asynccontextmanager
async def _server(chunk_delay_s: float) -> AsyncIterator[dict[str, str]]:
    """The loopback providers in a process of their own, so that their CPU is not counted."""
    reply = {"text": "word" * CHUNKS, "chunk_delay_s": chunk_delay_s}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.loopback.providers",
        "--script",
        json.dumps({"reply": reply}),
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())["bases"]
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main())
