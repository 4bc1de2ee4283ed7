"""The long form: python -m tests.chaos --kills 100 --database sqlite"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.ordeal import Plan, go_through
from tests.conftest import scrub
from tests.postgres import running_server


def main() -> None:
    """Read the arguments, go through it, print the report; the exit code is 1 if any broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--processes", type=int, help="default: 1 on SQLite, 2 on PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    clean = scrub(dict(os.environ))
    os.environ.clear()
    os.environ.update(clean)
    processes = options.processes or (1 if options.database == "sqlite" else 2)
    plan = Plan(kills=options.kills, seed=options.seed, processes=processes)
    with tempfile.TemporaryDirectory(prefix="chaos") as name:
        sys.exit(_run(plan, options.database, Path(name)))


def _run(plan: Plan, database: str, folder: Path) -> int:
    began_s = time.monotonic()
    if database == "sqlite":
        address = f"sqlite:///{folder / 'parley.db'}"
        report = asyncio.run(go_through(plan, address, folder))
    else:
        with running_server() as server:
            report = asyncio.run(go_through(plan, server.new_database(), folder))
    print(f"{plan}\n{database}, {time.monotonic() - began_s:.0f} s\n{report}")
    return 1 if report.broken.names else 0


if __name__ == "__main__":
    main()
