"""A responder with all that it works with, for the tests of what a turn comes to."""

from dataclasses import dataclass, field

from bot.catalog import Catalog
from bot.errors import StoreError
from bot.inbox import Inbox
from bot.ledger import LedgerEntry
from bot.money import NANOUSD
from bot.ports import Observer
from bot.responder import Responder
from bot.router import Router
from bot.turns import TurnStatus
from storage import MemoryStore
from tests.fakes import (
    FixedEstimator,
    FrozenClock,
    RecordingDelivery,
    RecordingQueue,
    RecordingSink,
    ScriptedGateway,
    catalog,
    incoming,
    monthly,
)


class OvertakenStore(MemoryStore):
    """A store in which another process always settles first."""

    async def close(self, entry: LedgerEntry) -> bool:
        return False


class LostStore(MemoryStore):
    """A store that is gone when a turn's entries are asked for, `times` times."""

    times = 1

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        if self.times:
            self.times -= 1
            raise StoreError
        return await super().entries(turn_id)


@dataclass(slots=True)
class World:
    """A responder and all that it works with."""

    gateway: ScriptedGateway
    models: Catalog = field(default_factory=catalog)
    estimator: FixedEstimator = field(default_factory=FixedEstimator)
    store: MemoryStore = field(default_factory=MemoryStore)
    delivery: RecordingDelivery = field(default_factory=RecordingDelivery)
    clock: FrozenClock = field(default_factory=FrozenClock)
    queue: RecordingQueue = field(default_factory=RecordingQueue)
    cap: int | None = 20 * NANOUSD
    admins: frozenset[str] = frozenset()
    observers: tuple[Observer, ...] = ()

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.store, self.queue, self.clock)

    @property
    def responder(self) -> Responder:
        return Responder(
            store=self.store,
            gateway=self.gateway,
            delivery=self.delivery,
            router=Router(self.models, self.estimator),
            clock=self.clock,
            instance_caps=monthly(self.cap),
            admins=self.admins,
            observers=self.observers,
        )

    async def ask(self, text: str, message_id: str = "m1", **more: object) -> RecordingSink:
        await self.inbox.accept(incoming(text, message_id, **more))
        await self.responder.answer(f"test:{message_id}")
        return self.delivery.last

    async def status(self, message_id: str = "m1") -> TurnStatus:
        kept = await self.store.turn(f"test:{message_id}")
        assert kept is not None
        return kept.status
