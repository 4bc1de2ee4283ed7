"""The fakes and the stores are what the ports ask for; mypy checks the rest."""

from bot.ports import Clock, Delivery, Gateway, Queue, Store
from storage import MemoryStore
from tests.fakes import FrozenClock, RecordingDelivery, RecordingQueue, ScriptedGateway


def test_every_port_has_a_working_fake() -> None:
    clock: Clock = FrozenClock()
    gateway: Gateway = ScriptedGateway()
    delivery: Delivery = RecordingDelivery()
    queue: Queue = RecordingQueue()
    store: Store = MemoryStore()
    assert all((clock, gateway, delivery, queue, store))
