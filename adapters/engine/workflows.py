"""DBOS Transact behind a few verbs: a workflow a turn, a partition a conversation, ids only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos._core import execute_dequeued_workflow
from dbos._serialization import DBOSPortableJSONSerializer
from sqlalchemy import URL, Connection, Engine, bindparam, create_engine, event
from sqlalchemy.exc import DBAPIError

from bot.turns import Turn
from storage import Place
from storage.old_sqlite import teach_subseconds

QUEUE = "turns"
WORKFLOW = "answer_turn"
VERSION = "1"
"""Pinned: by default it is a hash of the code, and each new release would strand the last one's."""
POLL_S = 1.0
"""How often the queue is looked at without a cause; a turn that comes in here is a cause."""
MAX_THREADS = 16
_PURGE_BATCH = 200
_MAX_PRIORITY = 2**31 - 1
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
logger = logging.getLogger(__name__)

Run = Callable[[str], Coroutine[Any, Any, None]]
_runs: dict[str, Run] = {}
"""What the one registered workflow does: the engine that is open puts it here."""


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
async def _answer_turn(turn_id: str) -> None:
    await _runs[WORKFLOW](turn_id)


class Entrance:
    """Where a turn gets its place in the queue; any process may use it, also one that runs none."""

    def __init__(self, url: URL) -> None:
        self.engine = _to_engine(url)
        self.client = DBOSClient(
            system_database_engine=self.engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=WORKFLOW,
            lazy=True,
        )

    def join(self, connection: Connection, turn: Turn, place: Place) -> Callable[[], None]:
        """Put a turn in the queue; whoever runs the queue sees it there."""
        self.client.enqueue_in_transaction(
            connection, _to_options(turn, place.number), turn.turn_id
        )
        return lambda: None

    def leave(self, connection: Connection, turn_id: str) -> None:
        """The queue sees by itself how a turn ended that it has begun."""

    def join_running(
        self, connection: Connection, turn: Turn, place: Place, executor_id: str
    ) -> str:
        """Put in a turn as one that an executor runs already; the token says that it is its own.

        This is how the queue itself keeps what it has begun, without the steps up to there.
        """
        options, token = _to_options(turn, place.number), uuid4().hex
        _, status = self.client._build_enqueue_status(options, turn.turn_id)
        status["status"], status["executor_id"] = "PENDING", executor_id
        self._queue.init_workflow_with_connection(status, connection, creator_xid=token)
        return token

    def leave_running(self, connection: Connection, turn_id: str, token: str) -> None:
        """Take out a turn that was put in as running, unless somebody has taken it over."""
        own = {"turn": turn_id, "token": token}
        self._queue._apply_caller_schema(connection)
        if connection.execute(self._leave, own).rowcount:
            connection.execute(self._leave_input, {"turn": turn_id})

    @cached_property
    def _leave(self) -> Any:
        rows = self._queue.tables.workflow_status
        return rows.delete().where(
            rows.c.workflow_uuid == bindparam("turn"), rows.c.owner_xid == bindparam("token")
        )

    @cached_property
    def _leave_input(self) -> Any:
        rows = self._queue.tables.workflow_input
        return rows.delete().where(rows.c.workflow_uuid == bindparam("turn"))

    @property
    def _queue(self) -> Any:
        return self.client._sys_db

    def close(self) -> None:
        """Let go of the database."""
        self.client.destroy()
        self.engine.dispose()


def make_tables(url: URL) -> None:
    """Bring the queue's own tables up to date; blocks."""
    _quiet_logs()
    kind = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
    DBOS.migrate(url.set(drivername=kind).render_as_string(hide_password=False))


class Workflows:
    """Starts, orders and recovers the workflows of one process."""

    def __init__(self, url: URL, executor_id: str, run: Run) -> None:
        """`run` is called on the loop that `launch` was awaited in."""
        self.executor_id = executor_id
        self._run = run
        self.entrance = Entrance(url)
        self._claims = ThreadPoolExecutor(1, thread_name_prefix="claims")
        self._dbos: DBOS | None = None
        self._queue: Any = None

    async def launch(self) -> None:
        """Start taking turns from the queue; what this executor left is taken up again."""
        loop = asyncio.get_running_loop()

        async def run_on_our_loop(turn_id: str) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._run(turn_id), loop))

        _runs[WORKFLOW] = run_on_our_loop
        await asyncio.to_thread(self._launch)

    def _launch(self) -> None:
        _quiet_logs()
        config: DBOSConfig = {
            "name": WORKFLOW,
            "system_database_engine": self.entrance.engine,
            "application_version": VERSION,
            "executor_id": self.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "max_executor_threads": MAX_THREADS,
            "use_listen_notify": False,
            "enable_otlp": False,
            "log_level": "ERROR",
        }
        self._dbos = DBOS(config=config)
        DBOS.launch()
        self._queue = DBOS.register_queue(
            QUEUE, partition_concurrency=1, polling_interval_sec=POLL_S
        )

    async def claim(self) -> None:
        """Take what may run now, at once: the very step that the queue's poll takes."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._claims, self._claim)

    def _claim(self) -> None:
        if self._dbos is None:
            return
        database, owner = self._dbos._sys_db, uuid4().hex
        try:
            claimed = database.start_queued_partitioned_workflows(
                self._queue, self.executor_id, VERSION, owner_xid=owner
            )
            for status in database.get_workflow_statuses(claimed):
                execute_dequeued_workflow(self._dbos, status, owner)
        except DBAPIError:
            # Another worker was faster or the database is gone; the poll tries again.
            logger.warning("a turn was not started at once", exc_info=True)

    async def pending_elsewhere(self) -> frozenset[str]:
        """The executors, other than this one, that have work in hand."""
        pending = await DBOS.list_workflows_async(
            status="PENDING", queue_name=QUEUE, load_input=False, load_output=False
        )
        ids = (status.executor_id for status in pending)
        return frozenset(e for e in ids if e and e != self.executor_id)

    async def take_over(self, executor_id: str) -> int:
        """Queue again what a dead executor had in hand; its order is kept."""
        return await self.queue_again(await self.pending_of(executor_id))

    async def pending_of(self, executor_id: str) -> frozenset[str]:
        """The turns that an executor has in hand."""
        pending = await DBOS.list_workflows_async(
            status="PENDING",
            queue_name=QUEUE,
            executor_id=executor_id,
            load_input=False,
            load_output=False,
        )
        return frozenset(status.workflow_id for status in pending)

    async def queue_again(self, turn_ids: Collection[str]) -> int:
        """Let turns be begun anew, each at its old place. Returns how many."""
        if turn_ids:
            await DBOS.resume_workflows_async(list(turn_ids), queue_name=QUEUE)
        return len(turn_ids)

    async def without_workflow(self, turn_ids: Sequence[str]) -> frozenset[str]:
        """Those turns that no workflow runs or is going to run."""
        found = await DBOS.list_workflows_async(
            workflow_ids=list(turn_ids), load_input=False, load_output=False
        )
        alive = {status.workflow_id for status in found if status.status not in _ENDED}
        return frozenset(turn_ids) - alive

    async def requeue(self, turn: Turn, position: int) -> None:
        """Queue a turn that has no workflow, or one that ended without it."""
        await DBOS.delete_workflows_async([turn.turn_id])
        await self.entrance.client.enqueue_async(_to_options(turn, position), turn.turn_id)

    async def purge(self, before: datetime) -> int:
        """Delete the rows of workflows that ended before then. Returns how many."""
        count = 0
        while True:
            ended = await DBOS.list_workflows_async(
                status=_ENDED,
                completed_before=before.isoformat(),
                limit=_PURGE_BATCH,
                load_input=False,
                load_output=False,
            )
            if not ended:
                return count
            await DBOS.delete_workflows_async([status.workflow_id for status in ended])
            count += len(ended)

    async def stop(self) -> None:
        """Take no more; what still runs here stays pending, for whoever comes next."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._claims.shutdown(wait=True, cancel_futures=True)
        DBOS.destroy(workflow_completion_timeout_sec=0)
        self._dbos = None
        self.entrance.close()


def _to_options(turn: Turn, position: int) -> EnqueueOptions:
    """A turn's place: behind those before it in its conversation, whatever the clock says."""
    return {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": turn.turn_id,
        "queue_partition_key": str(turn.key),
        "priority": min(position, _MAX_PRIORITY),
        "app_version": VERSION,
    }


def _quiet_logs() -> None:
    """DBOS's log goes where ours goes, and only what matters of it."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else it adds a console of its own
    log.propagate = True


def _to_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=5,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10},
        )
    engine = create_engine(
        url.set(drivername="sqlite"), pool_size=1, max_overflow=0, pool_timeout=60
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        teach_subseconds(connection)
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine
