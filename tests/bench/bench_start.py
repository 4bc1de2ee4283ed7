"""From `parley up` to the page, and to the first answer of a prompt asked at once.

    python -m tests.bench.bench_start [--runs 5]

Prints seconds and, since machines differ, the ratio to starting Python with nothing but the web
server. The demo model answers; the data folder is new for the first run and kept for the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import aiohttp

from tests.bench.figures import tell
from tests.e2e.program import up

_BARE = "import starlette.applications, uvicorn"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        results = [asyncio.run(_start(home)) for _ in range(runs)]
        bare = [asyncio.run(_bare()) for _ in range(runs)]
    base = statistics.median(bare)
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"{runs} starts, {os.cpu_count()} cores, {load}, {time.strftime('%F')}")
    for name, pick in _COLUMNS.items():
        values = [pick(result) for result in results]
        median = statistics.median(values)
        tell(f"{name}, median", median, "s", target=_TARGETS_S.get(name))
        tell(f"{name}, worst", max(values), "s", noise=0.6)
        tell(f"{name}, beside a bare web server's start", median / base, "×")


async def _start(home: str) -> tuple[float, float]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began_s = time.perf_counter()
    settings = {**env, "PARLEY_HOME": home, "PARLEY_PORT": "0"}
    async with up(settings) as program, aiohttp.ClientSession() as session:
        async with session.get(program.address) as response:
            assert response.status == 200, response.status
            page_s = time.perf_counter() - began_s
        question = {"text": "What is the capital of France?"}
        headers = {"accept": "application/json"}
        url = f"{program.address}/api/ask"
        async with session.post(url, json=question, headers=headers) as response:
            answer = json.loads(await response.text())
            assert answer["status"] == "done", answer
            return page_s, time.perf_counter() - began_s


async def _bare() -> float:
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _BARE)
    await process.wait()
    return time.perf_counter() - began_s


_COLUMNS: dict[str, Callable[[tuple[float, float]], float]] = {
    "page shown": lambda result: result[0],
    "prompt asked at once, answered": lambda result: result[1],
}

_TARGETS_S = {"page shown": 1.0}

if __name__ == "__main__":
    main()
