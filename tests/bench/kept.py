"""Results: on which machine, when, and how one compares with another."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.figures import Figure

KEPT = Path(__file__).with_name("kept.json")
TIMES = ("s", "ms", "µs")
_ROUNDS, _STEPS = 9, 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where figures were taken. `yardstick_ms` is a fixed piece of plain Python, in CPU time."""

    date: str
    cores: int
    python: str
    load: float
    yardstick_ms: float

    def __str__(self) -> str:
        return (
            f"{self.date}, {self.cores} cores, Python {self.python}, load {self.load:.1f} at the "
            f"start, yardstick {self.yardstick_ms:.1f} ms"
        )


def this_machine() -> Machine:
    """Look at the machine; takes less than a second."""
    return Machine(
        date=time.strftime("%F"),
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load=os.getloadavg()[0],
        yardstick_ms=min(_yardstick_ms() for _ in range(_ROUNDS)),
    )


def _yardstick_ms() -> float:
    began_s, counts = time.process_time(), dict[int, int]()
    for number in range(_STEPS):
        counts[number % 997] = counts.get(number % 997, 0) + number
    return (time.process_time() - began_s) * 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run of some benches: their figures in the order in which they were told."""

    machine: Machine
    figures: Mapping[str, tuple[Figure, ...]]

    def to_json(self) -> str:
        """As it is kept."""
        told = {bench: [asdict(each) for each in some] for bench, some in self.figures.items()}
        return json.dumps(
            {"machine": asdict(self.machine), "figures": told}, indent=1, ensure_ascii=False
        )

    def find(self, bench: str, name: str) -> Figure | None:
        """One figure, if it was taken."""
        return next((f for f in self.figures.get(bench, ()) if f.name == name), None)

    def over(self, older: Result) -> Result:
        """This result, with what only the older one has."""
        return Result(machine=self.machine, figures={**older.figures, **self.figures})

    def best_of(self, again: Result) -> Result:
        """Each figure at its better value: what is slow twice is slow."""
        return Result(
            machine=self.machine,
            figures={
                bench: tuple(_better(f, again.find(bench, f.name)) for f in figures)
                for bench, figures in self.figures.items()
            },
        )


def _better(first: Figure, second: Figure | None) -> Figure:
    if second is None:
        return first
    return (max if first.is_more_better else min)(first, second, key=lambda f: f.value)


def to_result(text: str) -> Result:
    """Read what `to_json` wrote."""
    found = json.loads(text)
    return Result(
        machine=Machine(**found["machine"]),
        figures={
            bench: tuple(Figure(**fields) for fields in some)
            for bench, some in found["figures"].items()
        },
    )


def kept_result() -> Result | None:
    """The last result that was kept."""
    return to_result(KEPT.read_text("utf-8")) if KEPT.exists() else None


def worse_by(now: Figure, then: Figure, *, speed: float) -> float:
    """How many times worse than then; 1 is the same. `speed`: this machine's beside that one's."""
    if now.is_more_better:
        now, then = then, now
    if now.value == then.value:
        return 1.0
    ratio = now.value / then.value if then.value else float("inf")
    return ratio * speed if now.unit in TIMES else ratio


def is_worse(now: Figure, then: Figure, *, speed: float) -> bool:
    """Whether it is worse by more than the noise; a missed target that was met is worse."""
    if then.value == 0 and now.target is None:
        return False
    return worse_by(now, then, speed=speed) > 1 + now.noise or (then.is_met and not now.is_met)
