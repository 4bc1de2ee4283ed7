"""What a process uses, read from outside, and whether a figure grows."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np

MEMORY = re.compile(r"^RssAnon:\s+(\d+) kB", re.MULTILINE)
THREADS = re.compile(r"^Threads:\s+(\d+)", re.MULTILINE)
TASKS = re.compile(r"^parley_asyncio_tasks (\S+)", re.MULTILINE)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """One look at the program."""

    at_s: float
    memory_mb: float
    """Its own memory, without what it shares with files."""
    handles: int
    threads: int
    tasks: int
    cpu_s: float
    is_quiet: bool
    """Nothing was asked of it for a while and all was answered."""


async def look(
    pid: int, address: str, http: aiohttp.ClientSession, *, at_s: float, is_quiet: bool
) -> Vitals:
    """Read the kernel's figures, and the program's own metrics."""
    folder = Path("/proc") / str(pid)
    status = (folder / "status").read_text()
    async with http.get(f"{address}/metrics") as response:
        tasks = TASKS.search(await response.text())
    assert tasks is not None, "the metrics have no parley_asyncio_tasks"
    ticks = (folder / "stat").read_text().rpartition(") ")[2].split()
    return Vitals(
        at_s=at_s,
        memory_mb=_number(MEMORY, status) / 1024,
        handles=len(list((folder / "fd").iterdir())),
        threads=_number(THREADS, status),
        tasks=int(float(tasks[1])),
        cpu_s=(int(ticks[11]) + int(ticks[12])) / TICKS,
        is_quiet=is_quiet,
    )


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    assert found is not None, f"{pattern.pattern} is not in {text}"
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through what was measured."""

    growth: float
    """From the first moment to the last, along the line."""
    uncertainty: float
    """Two standard errors of that growth."""

    @property
    def at_least(self) -> float:
        """The growth that is hardly chance."""
        return self.growth - self.uncertainty


def trend(times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """Least squares; fewer than three moments have no trend."""
    if len(times_s) < 3:
        return Trend(0.0, math.inf)
    times, figures = np.array(times_s), np.array(values)
    slope, start = np.polyfit(times, figures, 1)
    rest = figures - (start + slope * times)
    spread = math.sqrt(float((rest**2).sum()) / (len(times) - 2))
    error = spread / math.sqrt(float(((times - times.mean()) ** 2).sum()))
    length_s = float(times[-1] - times[0])
    return Trend(float(slope) * length_s, 2 * error * length_s)
