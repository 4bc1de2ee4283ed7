"""Runs the benches, prints one table, and compares it with the last kept result."""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import RECORD, Figure
from tests.bench.kept import KEPT, Machine, Result, kept_result, this_machine
from tests.bench.table import lines, slower, write_docs
from tests.conftest import scrub

HERE = Path(__file__).parent
LIMIT_S = 3_600.0
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "discord": ("--seconds", "22"),
    "start": ("--runs", "3"),
    "strategies": ("--questions", "40"),
    "durability-postgres": ("durability", "--database", "postgres"),
    "spend-postgres": ("spend", "--postgres"),
    "spend-10m": ("spend", "--rows", "10000", "10000000"),
}
"""How a bench is run here; a first word without hyphens is the module of a variant."""
LONG = ("check", "durability-postgres", "learning", "scale", "spend-postgres", "spend-10m")
"""Run by name only."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One bench, or one with other arguments."""

    name: str
    module: str
    arguments: tuple[str, ...]

    @property
    def about(self) -> str:
        """The first paragraph of its module."""
        source = (HERE / f"bench_{self.module}.py").read_text("utf-8")
        return " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())

    def run(self) -> tuple[Figure, ...] | None:
        """Run it in a process of its own; None when it failed."""
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            record = Path(folder) / "figures.jsonl"
            record.touch()
            command = [sys.executable, "-m", f"tests.bench.bench_{self.module}", *self.arguments]
            environment = scrub(dict(os.environ)) | {RECORD: str(record)}
            ended = subprocess.run(command, env=environment, timeout=LIMIT_S, check=False)
            if ended.returncode:
                return None
            told = record.read_text("utf-8").splitlines()
            return tuple(Figure(**json.loads(line)) for line in told)


def benches() -> dict[str, Bench]:
    """All there are, by name."""
    found = {}
    modules = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    for name in [*modules, *(name for name in ARGUMENTS if name not in modules)]:
        arguments = ARGUMENTS.get(name, ())
        module = name if name in modules else arguments[0]
        found[name] = Bench(name, module, arguments[name not in modules :])
    return found


def main() -> int:
    """Read the arguments and run; 1 when a bench failed, or with --compare when one is slower."""
    known = benches()
    options = _parser(known).parse_args()
    if unknown := [name for name in options.names if name not in known]:
        print(f"There is no bench {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    chosen = [known[name] for name in options.names or _default(known)]
    began_s, machine, then = time.monotonic(), this_machine(), kept_result()
    now, failed = _run(chosen, machine)
    if again := {bench for bench, _ in slower(now, then)}:
        print(f"\nSlower than kept; once more, to be sure: {', '.join(sorted(again))}\n")
        now = now.best_of(_run([known[name] for name in sorted(again)], machine)[0])
    print("\n" + "\n".join(lines(now, then)))
    print(f"\n{len(chosen)} benches in {time.monotonic() - began_s:.0f} s.")
    worse = slower(now, then)
    _conclude(worse, failed, has_kept=then is not None)
    if options.keep and not failed:
        kept = now.over(then) if then else now
        KEPT.write_text(kept.to_json() + "\n", encoding="utf-8")
        write_docs(kept)
        print("Kept in tests/bench/kept.json and docs/benchmarks.md.")
    return 1 if failed or (options.compare and worse) else 0


def _run(chosen: list[Bench], machine: Machine) -> tuple[Result, list[str]]:
    figures, failed = {}, []
    for bench in chosen:
        print(f"== {bench.name}", flush=True)
        told = bench.run()
        if told is None:
            failed.append(bench.name)
        else:
            figures[bench.name] = told
    return Result(machine=machine, figures=figures), failed


def _conclude(worse: list[tuple[str, str]], failed: list[str], *, has_kept: bool) -> None:
    """Say in words what the table shows."""
    for bench, name in worse:
        print(f"Slower than kept, by more than the noise: {bench}: {name}")
    for name in failed:
        print(f"Failed: {name}. Run it alone: .venv/bin/python -m tests.bench.bench_{name}")
    if has_kept and not worse:
        print("Nothing is slower than kept by more than the noise.")
    if not has_kept:
        print("Nothing was kept before; --keep keeps this result.")


def _default(known: dict[str, Bench]) -> list[str]:
    return [name for name in known if name not in LONG]


def _parser(known: dict[str, Bench]) -> argparse.ArgumentParser:
    told = [
        f"  {bench.name}{' (by name only)' if bench.name in LONG else ''}\n"
        f"      {' '.join((bench.about, *bench.arguments))}"
        for bench in known.values()
    ]
    parser = argparse.ArgumentParser(
        prog="./parley bench",
        description=__doc__,
        epilog="\n".join(["benches:", *told]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="all but the long ones without")
    parser.add_argument("--keep", action="store_true", help="compare with this result from now on")
    parser.add_argument("--compare", action="store_true", help="exit code 1 when one got slower")
    return parser


if __name__ == "__main__":
    sys.exit(main())
