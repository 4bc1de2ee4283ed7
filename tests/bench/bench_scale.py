"""Messages a second of 1, 2 and 4 worker processes on one PostgreSQL, and the CPU of each.

`python -m tests.bench.bench_scale [--workers 1 2 4] [--messages 400] [--lanes 64]`. This process
accepts messages for so many conversations at once, as a process that only hears people does, and
`parley up --only worker` answers them; the next message of a conversation comes when the last one
is answered. The provider answers at once, in this process. CPU is counted for each
process, since the processes of a small machine take it from one another: with fewer cores than
processes, messages a second say little, and CPU for each message says where the next limit is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psycopg

from adapters.clock import SystemClock
from adapters.engine import QueueDoor
from bot.inbox import Inbox
from bot.messages import ConversationKey, IncomingMessage
from bot.turns import TurnStatus
from storage import SqlStore, open_store
from tests.bench.figures import tell
from tests.chaos.program import Program
from tests.loopback.providers import ProviderServer
from tests.postgres import Server, running_server

LIMIT_S = 600.0
LOOK_EVERY_S = 0.05
WARM_UP = 32
TICKS = os.sysconf("SC_CLK_TCK")


class Lanes:
    """Conversations that each ask anew as soon as they were answered."""

    def __init__(self, store: SqlStore, inbox: Inbox, lanes: int) -> None:
        self._store = store
        self._inbox = inbox
        self._lanes = lanes
        self._waiting: dict[str, asyncio.Event] = {}
        self._asked = 0

    async def ask(self, count: int) -> None:
        """Ask so many questions, and wait until all are answered."""
        numbers = iter(range(self._asked, self._asked + count))
        self._asked += count
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
            looking = group.create_task(self._look())
            asking = [
                asyncio.create_task(self._keep_asking(lane, numbers)) for lane in range(self._lanes)
            ]
            await asyncio.gather(*asking)
            looking.cancel()

    async def _keep_asking(self, lane: int, numbers: Iterator[int]) -> None:
        for number in numbers:
            answered = asyncio.Event()
            turn_id = f"web:scale-{number}"
            self._waiting[turn_id] = answered
            await self._inbox.accept(_to_incoming(lane, number))
            await answered.wait()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            asked = set(self._waiting)
            open_ids = {turn.turn_id for turn in await self._store.unfinished()}
            for turn_id in asked - open_ids:
                turn = await self._store.turn(turn_id)
                if turn is not None and turn.status.is_over:
                    assert turn.status is TurnStatus.DONE, turn.notice
                    self._waiting.pop(turn_id).set()


def _to_incoming(lane: int, number: int) -> IncomingMessage:
    return IncomingMessage(
        key=ConversationKey(
            platform="web", workspace_id="local", channel_id="chat", thread_id=f"lane-{lane}"
        ),
        message_id=f"scale-{number}",
        author_id=f"person-{number}",
        author_name="Ann",
        text="What is two and two?",
        sent_at=SystemClock().now(),
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used up to a moment."""

    workers_s: float
    database_s: float
    at_s: float


def cpu_s(pid: int) -> float:
    """The CPU that a process has used, and those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended just now, and is its parent's
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def family(pid: int) -> list[int]:
    """A process and its children that live."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, found)]


def spent(server: Server, workers: Iterable[Program]) -> Spent:
    """Look at everybody's CPU."""
    postmaster = int((Path(str(server.server.pgdata)) / "postmaster.pid").read_text().split()[0])
    return Spent(
        workers_s=sum(cpu_s(worker.pid) for worker in workers),
        database_s=sum(map(cpu_s, family(postmaster))),
        at_s=time.monotonic(),
    )


async def commits(address: str) -> int:
    """How many there were in a database; its count comes a second late."""
    await asyncio.sleep(1.5)
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        row = await cursor.fetchone()
    return int(row[0]) if row else 0


@asynccontextmanager
async def working(
    folder: Path, address: str, provider: ProviderServer, count: int
) -> AsyncIterator[list[Program]]:
    """So many workers, each ready."""
    workers = [
        Program(folder / str(number), address, provider, f"worker{number}")
        for number in range(count)
    ]
    async with AsyncExitStack() as stack:
        for worker in workers:
            stack.push_async_callback(worker.stop)
            await worker.start("--only", "worker")
        async with aiohttp.ClientSession() as http, asyncio.timeout(LIMIT_S):
            for worker in workers:
                while not await _is_ready(http, worker.address):
                    await asyncio.sleep(0.2)
        yield workers


async def _is_ready(http: aiohttp.ClientSession, address: str) -> bool:
    async with http.get(f"{address}/readyz") as response:
        await response.read()
        return response.status == 200


async def measure(server: Server, provider: ProviderServer, count: int, ask: int, at: int) -> None:
    """One number of workers, on a database of its own."""
    address = server.new_database()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_store(address) as store,
            QueueDoor(store) as door,
            working(Path(folder), address, provider, count) as workers,
        ):
            lanes = Lanes(store, Inbox(store, door, SystemClock()), at)
            await lanes.ask(WARM_UP * count)
            committed = await commits(address)
            before = spent(server, workers)
            await lanes.ask(ask)
            after = spent(server, workers)
            committed = await commits(address) - committed
    name = f"{count} worker{'s' if count > 1 else ''}"
    rate = ask / (after.at_s - before.at_s)
    tell(f"{name}: messages a second", rate, "/s", is_more_better=True)
    workers_ms = (after.workers_s - before.workers_s) / ask * 1_000
    database_ms = (after.database_s - before.database_s) / ask * 1_000
    tell(f"{name}: their CPU for each message", workers_ms, "ms")
    tell(f"{name}: the database's CPU for each message", database_ms, "ms")
    tell(f"{name}: commits for each message", committed / ask, "", noise=0.1)
    server.drop(address)


async def measure_all(options: argparse.Namespace) -> None:
    """Every number of workers, on one server."""
    with running_server() as server:
        server.stop()
        server.start()  # more connections than the usual hundred are for the next start only
        async with ProviderServer() as provider:
            provider.script(text="Four.")
            for count in options.workers:
                await measure(server, provider, count, options.messages, options.lanes)
    print(f"{os.cpu_count()} cores; fsync is off, as nobody pulls the plug in a bench", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--lanes", type=int, default=64)
    asyncio.run(measure_all(parser.parse_args()))


if __name__ == "__main__":
    main()
