"""The demo model alone: start, first token, tokens a second, memory.

Run: python -m tests.bench.bench_demo
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp

from adapters.local_model.assets import worker_threads
from adapters.local_model.demo import DemoModel
from adapters.local_model.prompting import SAMPLING, SERVED_NAME, preamble
from tests.bench.figures import tell

STARTS = 3
MAX_TOKENS = 96
PROMPTS = (
    "What is the capital of France?",
    "Write a Python function that adds two numbers.",
    "What is a database index?",
    "How do I boil an egg?",
)
"""Prompts that it can do."""


@dataclass(frozen=True)
class Answer:
    """How long one answer took."""

    first_token_s: float
    tokens: int
    whole_s: float

    @property
    def tokens_per_s(self) -> float:
        """How fast it wrote once it had begun."""
        return (self.tokens - 1) / (self.whole_s - self.first_token_s)


async def main() -> None:
    """Measure and print."""
    starts = [await _start() for _ in range(STARTS - 1)]
    async with DemoModel() as demo, aiohttp.ClientSession() as session:
        base_url = await demo.ready()
        starts.append(demo.start_s or 0.0)
        ask = _Asker(session, f"{base_url}/chat/completions", demo.api_key)
        cold = await ask(PROMPTS[0])
        alone = [await ask(prompt) for prompt in PROMPTS]
        began = time.perf_counter()
        together = await asyncio.gather(*(ask(prompt) for prompt in PROMPTS))
        together_s = time.perf_counter() - began
        memory_mb = _resident_mb(demo.pid) or (demo.memory_bytes or 0) / 1e6
    print(f"{worker_threads()} threads")
    tell(f"start, median of {STARTS}", median(starts), "s")
    tell("first token, at once", cold.first_token_s, "s")
    tell("first token, later", median(a.first_token_s for a in alone), "s")
    speed, tokens = median(a.tokens_per_s for a in alone), sum(a.tokens for a in together)
    tell("tokens a second, one answer", speed, "tok/s", is_more_better=True)
    many = len(PROMPTS)
    tell(f"tokens a second, {many} at once", tokens / together_s, "tok/s", is_more_better=True)
    tell(f"slowest first token of {many}", max(a.first_token_s for a in together), "s")
    tell("memory", memory_mb, "MB")


async def _start() -> float:
    async with DemoModel() as demo:
        await demo.ready()
        return demo.start_s or 0.0


class _Asker:
    def __init__(self, session: aiohttp.ClientSession, url: str, api_key: str) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {api_key}", "Connection": "close"}

    async def __call__(self, prompt: str) -> Answer:
        messages = [{"role": m.role.value, "content": m.text} for m in preamble()]
        body = {
            "model": SERVED_NAME,
            "messages": [*messages, {"role": "user", "content": prompt}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": MAX_TOKENS,
            **SAMPLING,
        }
        began = time.perf_counter()
        first_s, tokens = 0.0, 0
        async with self._session.post(self._url, json=body, headers=self._headers) as response:
            response.raise_for_status()
            async for line in response.content:
                event = line.decode().strip().removeprefix("data: ")
                chunk = json.loads(event) if event.startswith("{") else {}
                if not first_s and any(c["delta"].get("content") for c in chunk.get("choices", ())):
                    first_s = time.perf_counter() - began
                tokens = (chunk.get("usage") or {}).get("completion_tokens", tokens)
        return Answer(first_s, tokens, time.perf_counter() - began)


def _resident_mb(pid: int | None) -> float | None:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    asyncio.run(main())
