"""The durable engine on both databases: order, recovery, stops, failures, takeover."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

from adapters.clock import SystemClock
from adapters.engine import DurableEngine, QueueDoor
from adapters.engine.engine import MAX_FAILURES
from adapters.engine.ownership import AdvisoryOwnership
from adapters.engine.upkeep import Upkeep
from bot.errors import ConfigurationError, DeliveryError, StoreError
from bot.turns import Turn, TurnStatus
from storage import Place, SqlStore, open_store
from tests.contract.examples import ELSEWHERE, NOON, accepted
from tests.postgres import Server, running_server
from tests.waiting import until

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", POSTGRES])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "parley.db")
        return
    server: Server = request.getfixturevalue("postgres")
    address = server.new_database()
    yield address
    server.drop(address)


@pytest.fixture
async def store(location: str) -> AsyncIterator[SqlStore]:
    async with open_store(location) as opened:
        yield opened


@dataclass
class Answering:
    """Answers turns as told, and writes down when each began and ended."""

    store: SqlStore
    events: list[str] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    errors: dict[str, list[Exception]] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)

    def hold(self, turn: Turn | str) -> asyncio.Event:
        turn_id = turn if isinstance(turn, str) else turn.turn_id
        return self.held.setdefault(turn_id, asyncio.Event())

    async def __call__(self, turn_id: str) -> None:
        begun = await self.store.begin(turn_id, NOON)
        if begun is None:
            return
        turn = begun.turn
        self.attempts[turn_id] = turn.attempts
        self.events.append(f"begin {turn_id}")
        if waiting := self.errors.get(turn_id):
            raise waiting.pop(0)
        status = TurnStatus.DONE
        try:
            if turn_id in self.held:
                await self.held[turn_id].wait()
        except asyncio.CancelledError:
            if not await self.store.is_stopped(turn_id):
                self.events.append(f"park {turn_id}")
                raise
            status = TurnStatus.CANCELLED
        await self.store.finish(replace(turn, status=status, finished_at=NOON))
        self.events.append(f"end {turn_id}")


@asynccontextmanager
async def engine_on(
    store: SqlStore, answering: Answering, *, stop_limit_s: float = 0.2
) -> AsyncIterator[DurableEngine]:
    engine = DurableEngine(store, answering, SystemClock(), stop_limit_s=stop_limit_s)
    async with engine:
        yield engine


async def test_a_conversation_is_answered_in_order(store: SqlStore) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        first_may_end = answering.hold("test:m1")
        for number in (1, 2, 3):
            await engine.submit(await accepted(store, number))
        await until(lambda: answering.events == ["begin test:m1"])
        first_may_end.set()
        await until(lambda: answering.events[-1] == "end test:m3")

    assert answering.events == [
        f"{what} test:m{number}" for number in (1, 2, 3) for what in ("begin", "end")
    ]


async def test_conversations_do_not_wait_for_one_another(store: SqlStore) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        answering.hold("test:m1")
        await engine.submit(await accepted(store, 1))
        await engine.submit(await accepted(store, 2, key=ELSEWHERE))
        await until(lambda: "end test:m2" in answering.events)

    assert "end test:m1" not in answering.events


async def test_the_order_holds_when_the_clock_jumps_back(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        first_may_end = answering.hold("test:m1")
        await engine.submit(await accepted(store, 1))
        await until(lambda: answering.events == ["begin test:m1"])
        await engine.submit(await accepted(store, 2))
        real_time = time.time
        monkeypatch.setattr(time, "time", lambda: real_time() - 3_600)
        await engine.submit(await accepted(store, 3))
        first_may_end.set()
        await until(lambda: "end test:m3" in answering.events)

    assert answering.events[2:] == ["begin test:m2", "end test:m2", "begin test:m3", "end test:m3"]


async def test_a_turn_begins_long_before_the_queue_is_polled(store: SqlStore) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        took_s = []
        for number in range(1, 12):
            turn = await accepted(store, number, key=replace(ELSEWHERE, thread_id=str(number)))
            began_s = time.perf_counter()
            await engine.submit(turn)
            await until(lambda: len(answering.attempts) == number)  # noqa: B023  # awaited here
            took_s.append(time.perf_counter() - began_s)

    assert sorted(took_s)[5] < 0.4  # the poll comes once a second


@pytest.mark.postgres
async def test_nobody_is_taken_for_dead_because_the_server_was_started_again(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = make_url(postgres.new_database())
    one, other = AdvisoryOwnership(address), AdvisoryOwnership(address)
    await one.take()
    await other.take()
    alive = await one.dead_among([other.executor_id])
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)

    monkeypatch.setattr("adapters.engine.ownership.GRACE_S", 0.3)
    monkeypatch.setattr("adapters.engine.ownership.SUSPECTED_S", 0.1)
    await one.renew()
    early = await one.dead_among([other.executor_id])
    await other.renew()
    await asyncio.sleep(0.4)
    later = await one.dead_among([other.executor_id])
    await other.release()
    async with asyncio.timeout(5):
        while not await one.dead_among([other.executor_id]):  # the server drops the lock soon
            await asyncio.sleep(0.01)
    await one.release()

    assert (alive, early, later) == ((), (), ())


@pytest.mark.postgres
async def test_nobody_is_taken_for_dead_because_its_own_connection_was_cut(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.engine.ownership.SUSPECTED_S", 0.2)
    address = make_url(postgres.new_database())
    one, other = AdvisoryOwnership(address), AdvisoryOwnership(address)
    await one.take()
    await other.take()
    found: list[str] = []

    async def look(times: int) -> None:
        for _ in range(times):
            found.extend(await one.dead_among([other.executor_id]))
            await one.release_dead()
            await asyncio.sleep(0.05)

    assert other._connection is not None
    await other._connection.close()
    await look(2)
    await other.renew()
    await look(6)
    while_alive = tuple(found)
    await other.release()
    async with asyncio.timeout(5):
        while not found:
            await look(1)
    await one.release()

    assert (while_alive, found) == ((), [other.executor_id])


@pytest.mark.postgres
async def test_a_suspicion_from_before_a_pause_is_none(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.engine.ownership.SUSPECTED_S", 0.1)
    one = AdvisoryOwnership(make_url(postgres.new_database()))
    await one.take()

    first = await one.dead_among(["gone"])
    await asyncio.sleep(0.2)
    second = await one.dead_among(["gone"])
    await one.release()

    assert (first, second) == ((), ())


@pytest.mark.postgres
async def test_a_database_that_is_lost_during_the_start_ends_it_in_a_sentence() -> None:
    with running_server() as server:
        async with open_store(server.new_database()) as store:
            lost = pytest.raises(StoreError, match="database was lost while Parley started")
            await accepted(store, 1)

            def lose(_turn: Turn) -> bool:
                server.stop()
                return True

            with lost:  # once DBOS runs
                async with DurableEngine(store, Answering(store), SystemClock(), runs_here=lose):
                    raise AssertionError
            with lost:  # before
                async with engine_on(store, Answering(store)):
                    raise AssertionError
            server.start()


@pytest.mark.postgres
async def test_what_comes_in_at_another_process_begins_without_waiting_for_the_poll(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.engine.workflows.POLL_S", 60.0)
    address = postgres.new_database()
    async with open_store(address) as ears, open_store(address) as worker:
        answering = Answering(worker)
        async with QueueDoor(ears) as door, engine_on(worker, answering):
            await door.submit(await accepted(ears, 1))
            await until(lambda: answering.events == ["begin test:m1", "end test:m1"])
    postgres.drop(address)


async def test_a_stopped_process_parks_its_turns_and_the_next_goes_on(store: SqlStore) -> None:
    answering = Answering(store)
    answering.hold("test:m1")
    async with engine_on(store, answering) as engine:
        await engine.submit(await accepted(store, 1))
        await engine.submit(await accepted(store, 2))
        await until(lambda: answering.events == ["begin test:m1"])
    parked = list(answering.events)
    answering.held["test:m1"].set()
    async with engine_on(store, answering):
        await until(lambda: "end test:m2" in answering.events)

    assert parked == ["begin test:m1", "park test:m1"]
    assert answering.events[2:] == ["begin test:m1", "end test:m1", "begin test:m2", "end test:m2"]
    assert answering.attempts["test:m1"] == 2


async def test_a_graceful_stop_lets_running_turns_end(store: SqlStore) -> None:
    answering = Answering(store)
    may_end = answering.hold("test:m1")
    async with engine_on(store, answering, stop_limit_s=10) as engine:
        await engine.submit(await accepted(store, 1))
        await until(lambda: answering.events == ["begin test:m1"])
        asyncio.get_running_loop().call_later(0.2, may_end.set)

    assert answering.events == ["begin test:m1", "end test:m1"]


async def test_a_stop_reaches_the_turn_that_runs_here(store: SqlStore) -> None:
    answering = Answering(store)
    answering.hold("test:m1")
    async with engine_on(store, answering) as engine:
        await engine.submit(await accepted(store, 1))
        await until(lambda: answering.events == ["begin test:m1"])
        await store.request_stop("test:m1")
        await engine.cancel("test:m1")
        await until(lambda: "end test:m1" in answering.events)

    turn = await store.turn("test:m1")
    assert turn is not None
    assert turn.status is TurnStatus.CANCELLED


async def test_a_stop_asked_for_in_another_process_is_heard(store: SqlStore) -> None:
    answering = Answering(store)
    answering.hold("test:m1")
    async with engine_on(store, answering) as engine:
        await engine.submit(await accepted(store, 1))
        await until(lambda: answering.events == ["begin test:m1"])
        await store.request_stop("test:m1")
        await until(lambda: "end test:m1" in answering.events, limit_s=5)


async def test_what_was_accepted_without_a_queue_is_found_at_the_next_start(
    store: SqlStore,
) -> None:
    answering = Answering(store)
    for number in (1, 2):
        await accepted(store, number)
    async with engine_on(store, answering):
        await until(lambda: "end test:m2" in answering.events)

    assert answering.events[::2] == ["begin test:m1", "begin test:m2"]


async def test_what_was_accepted_without_a_queue_waits_for_all_that_came_before(
    store: SqlStore,
) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        for number in (1, 2, 3, 4):
            if number == 3:
                await until(lambda: "end test:m2" in answering.events)
                answering.hold("test:m3")
            await engine.submit(await accepted(store, number))
        await until(lambda: "begin test:m3" in answering.events)
    await accepted(store, 5)
    answering.held["test:m3"].set()
    answering.events.clear()
    async with engine_on(store, answering):
        await until(lambda: "end test:m5" in answering.events)

    assert answering.events[::2] == [f"begin test:m{number}" for number in (3, 4, 5)]


async def test_a_turn_is_tried_again_when_the_store_was_gone(store: SqlStore) -> None:
    answering = Answering(store, errors={"test:m1": [StoreError()]})
    async with engine_on(store, answering) as engine:
        await engine.submit(await accepted(store, 1))
        await until(lambda: "end test:m1" in answering.events)

    assert answering.attempts["test:m1"] == 2


async def test_a_turn_that_cannot_even_fail_is_given_up_and_the_next_goes_on(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.engine.engine._PAUSES_S", (0.01,) * MAX_FAILURES)
    errors: list[Exception] = [DeliveryError("the channel is gone") for _ in range(MAX_FAILURES)]
    answering = Answering(store, errors={"test:m1": errors})
    async with engine_on(store, answering) as engine:
        for number in (1, 2):
            await engine.submit(await accepted(store, number))
        await until(lambda: "end test:m2" in answering.events)

    turn = await store.turn("test:m1")
    assert turn is not None
    assert turn.status is TurnStatus.FAILED
    assert "ask again" in turn.notice


async def test_ended_workflows_are_deleted(store: SqlStore) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        first_may_end = answering.hold("test:m1")
        await engine.submit(await accepted(store, 1))
        await engine.submit(await accepted(store, 2))  # it waits in the queue, the first did not
        first_may_end.set()
        await until(lambda: "end test:m2" in answering.events)
        later = SystemClock().now() + timedelta(days=2)
        deleted = 0
        async with asyncio.timeout(5):
            while not deleted:  # its end is written just after the turn's
                deleted = await engine._workflows.purge(later)

        assert deleted == 1
        assert await engine._workflows.purge(later) == 0


async def test_a_turn_that_was_begun_as_it_was_accepted_leaves_nothing_behind(
    store: SqlStore,
) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        may_end = answering.hold("test:m1")
        turn = await accepted(store, 1)
        await until(lambda: answering.events == ["begin test:m1"])
        before = await engine._workflows.without_workflow([turn.turn_id])
        may_end.set()
        await until(lambda: "end test:m1" in answering.events)

        assert before == frozenset()
        assert await engine._workflows.without_workflow([turn.turn_id]) == {turn.turn_id}


@dataclass
class LosingConnection:
    """Joins the engine's line; that the commit took place is never heard of."""

    engine: DurableEngine

    def join(self, connection: Connection, turn: Turn, place: Place) -> Callable[[], None]:
        self.engine.join(connection, turn, place)
        return lambda: None

    def leave(self, connection: Connection, turn_id: str) -> None:
        self.engine.leave(connection, turn_id)


async def test_a_turn_that_was_kept_and_never_begun_is_found_at_the_second_look(
    store: SqlStore,
) -> None:
    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        store.line = LosingConnection(engine)
        await accepted(store, 1)
        upkeep = Upkeep(
            store,
            engine._workflows,
            engine._ownership,
            SystemClock(),
            lambda _turn: True,
            running=lambda: engine._running,
        )
        await upkeep.find_astray()
        assert answering.events == []
        await upkeep.find_astray()
        await until(lambda: "end test:m1" in answering.events)


async def test_a_fault_in_one_look_does_not_end_the_looking(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adapters.engine.upkeep.TAKE_OVER_EVERY_S", 0.01)
    monkeypatch.setattr("adapters.engine.upkeep.RESTORE_EVERY_S", 0.0)
    looked: list[Turn] = []

    def runs_here(turn: Turn) -> bool:
        looked.append(turn)
        raise KeyError(turn.key.platform)

    answering = Answering(store)
    async with engine_on(store, answering) as engine:
        store.line = None
        await accepted(store, 1)
        upkeep = Upkeep(
            store,
            engine._workflows,
            engine._ownership,
            SystemClock(),
            runs_here,
            running=lambda: engine._running,
        )
        looking = asyncio.create_task(upkeep.run())
        await until(lambda: len(looked) > 1)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking

    assert "what the engine does now and then failed" in caplog.messages


async def test_a_second_process_on_one_file_is_refused_in_words(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store, engine_on(store, Answering(store)):
        second = DurableEngine(store, Answering(store), SystemClock())
        with pytest.raises(ConfigurationError, match="running already"):
            await second.__aenter__()
