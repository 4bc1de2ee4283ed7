"""A turn's end is shown once and kept, whatever the platform makes of it and whoever interrupts."""

import asyncio

import pytest

from bot.errors import DeliveryError
from bot.ledger import LedgerEntry
from bot.replies import Reply
from bot.turns import Turn, TurnStatus
from tests.fakes import RecordingDelivery, RecordingSink, ScriptedGateway, incoming
from tests.unit.world import World


async def test_a_stop_while_the_answer_is_shown_takes_nothing_of_it_away() -> None:
    world = World(ScriptedGateway("Whole"))
    world.delivery = delivery = _SlowDelivery()
    task = await _ending(world, delivery)
    await world.inbox.stop("test:m1")
    task.cancel()  # what the queue does when it is told to
    delivery.may_end.set()
    await task
    assert delivery.last.reply.text == "Whole"
    assert await world.status() is TurnStatus.DONE


async def test_an_end_that_is_interrupted_is_shown_by_the_next_start() -> None:
    world = World(ScriptedGateway("Whole"))
    world.delivery = delivery = _SlowDelivery()
    task = await _ending(world, delivery)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert delivery.last.events == [("status", "free · free"), ("append", "Whole")]
    assert await world.status() is TurnStatus.RUNNING
    delivery.may_end.set()
    await world.responder.answer("test:m1")
    assert delivery.last.reply.text == "Whole"


async def _ending(world: World, delivery: "_SlowDelivery") -> asyncio.Task[None]:
    """A turn whose answer is there, and is being shown."""
    await world.inbox.accept(incoming("Hi"))
    task = asyncio.create_task(world.responder.answer("test:m1"))
    await delivery.is_ending.wait()
    return task


async def test_a_platform_that_refuses_does_not_lose_the_answer() -> None:
    world = World(ScriptedGateway("Kept"))
    world.delivery = _RefusingDelivery()
    await world.ask("Hi")
    kept = await world.store.turn("test:m1")
    assert kept is not None
    assert kept.reply is not None
    assert kept.reply.text == "Kept"


async def test_a_platform_that_cannot_be_opened_fails_the_turn() -> None:
    world = World(ScriptedGateway())
    world.delivery = _ClosedDelivery()
    await world.inbox.accept(incoming("Hi"))
    await world.responder.answer("test:m1")
    assert await world.status() is TurnStatus.FAILED
    assert world.gateway.calls == []


class _SlowSink(RecordingSink):
    def __init__(self, delivery: "_SlowDelivery") -> None:
        super().__init__()
        self.delivery = delivery

    async def finish(self, reply: Reply) -> None:
        self.delivery.is_ending.set()
        await self.delivery.may_end.wait()
        await super().finish(reply)


class _SlowDelivery(RecordingDelivery):
    def __init__(self) -> None:
        super().__init__()
        self.is_ending, self.may_end = asyncio.Event(), asyncio.Event()

    async def open(self, turn: object) -> RecordingSink:
        self.sinks.append(_SlowSink(self))
        return self.sinks[-1]


class _RefusingSink(RecordingSink):
    async def finish(self, reply: Reply) -> None:
        raise DeliveryError


class _RefusingDelivery(RecordingDelivery):
    async def open(self, turn: object) -> RecordingSink:
        self.sinks.append(_RefusingSink())
        return self.sinks[-1]


class _ClosedDelivery(RecordingDelivery):
    async def open(self, turn: object) -> RecordingSink:
        raise DeliveryError("This channel is gone.")


class _Watching:
    def __init__(self) -> None:
        self.ended: list[tuple[str, TurnStatus, str]] = []

    def call_ended(self, entry: LedgerEntry) -> None:
        pass

    def turn_ended(self, turn: Turn, error: str) -> None:
        self.ended.append((turn.turn_id, turn.status, error))


async def test_whoever_watches_is_told_of_an_end_also_where_nobody_saw_it() -> None:
    watching = _Watching()
    world = World(ScriptedGateway("Whole"), observers=(watching,))
    await world.ask("Hi")
    world.delivery = _ClosedDelivery()
    await world.inbox.accept(incoming("Hi", "m2"))
    await world.responder.answer("test:m2")
    assert watching.ended == [
        ("test:m1", TurnStatus.DONE, ""),
        ("test:m2", TurnStatus.FAILED, "DeliveryError"),
    ]
