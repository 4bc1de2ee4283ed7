"""An hour, or as long as you say, of mixed load with faults: python -m tests.soak --minutes 60"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.conftest import scrub
from tests.postgres import running_server
from tests.soak.run import Plan, soak
from tests.soak.verdict import is_well, to_table


def main() -> None:
    """Read the arguments, run, print the table; the exit code is 1 when anything is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--acts", type=float, default=60.0, help="how much is done in a minute")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="write the table to this file as well")
    parser.add_argument("--log", type=Path, help="keep the program's log in this file")
    options = parser.parse_args()
    clean = scrub(dict(os.environ))
    os.environ.clear()
    os.environ.update(clean)
    # A soak that is told to end takes the program that it started with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="soak") as name:
        sys.exit(_run(options, Path(name)))


def _run(options: argparse.Namespace, folder: Path) -> int:
    plan = Plan(minutes=options.minutes, acts_a_minute=options.acts, seed=options.seed)
    try:
        if options.database == "sqlite":
            return _soaked(options, plan, f"sqlite:///{folder / 'parley.db'}", folder)
        with running_server() as server:
            return _soaked(options, plan, server.new_database(), folder)
    finally:
        if options.log is not None:
            shutil.copy(folder / "program.log", options.log)


def _soaked(options: argparse.Namespace, plan: Plan, database: str, folder: Path) -> int:
    course, kept, town = asyncio.run(soak(plan, database, folder, _say))
    table = to_table(course, kept, town.diary)
    print(table)
    if options.report is not None:
        options.report.write_text(f"{table}\n", encoding="utf-8")
    return 0 if is_well(course, kept, town.diary) else 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
