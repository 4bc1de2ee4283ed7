"""Shares the bot's shards out among the processes that hear Discord, and moves a dead one's.

Every process has as many as the others, give or take one. Which process has which is known from
the leases alone; no process leads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from adapters.discord.shards import Shards
from adapters.leases import Leases
from bot.errors import StoreError

COUNT, SHARD, IDENTIFY, JOINING = 0x70617201, 0x70617202, 0x70617203, 0x70617204
"""Kinds of leases. Whoever takes part shares that of the number of shards."""
LOOK_EVERY_S = 1.0
GIVE_AFTER_S = 20.0
"""How long shards must be unevenly shared before one is moved: a restart does not take as long."""
IDENTIFY_EVERY_S = 5.5
"""Discord says 5; from the leave to the identify itself it takes a moment."""
_WAIT_S = 0.2
logger = logging.getLogger(__name__)

Act = Callable[[int], Awaitable[None]]


def to_take(wanted: Sequence[int], held: Mapping[int, frozenset[int]], me: int) -> int | None:
    """A shard that nobody serves and that this process has room for."""
    share = -(-len(wanted) // max(1, len(held)))
    if len(held.get(me, ())) >= share:
        return None
    taken = frozenset[int]().union(*held.values())
    return next((shard for shard in wanted if shard not in taken), None)


def to_give(held: Mapping[int, frozenset[int]], me: int) -> int | None:
    """A shard that another process should rather have, since it serves two fewer, or less."""
    mine = held.get(me, frozenset())
    least = min(map(len, held.values()), default=0)
    return max(mine) if len(mine) - least >= 2 else None


class ShardShares:
    """This process's part of the shards."""

    def __init__(self, leases: Leases, shards: Shards) -> None:
        self.is_settled = False
        """Whether all shards were served once; what is taken from then on, another has left."""
        self._leases = leases
        self._shards = shards
        self._count = 0
        self._buckets = 1
        self._mine: set[int] = set()
        self._uneven_since_s: float | None = None
        self._identifying: dict[int, asyncio.Lock] = {}
        self._resting: set[asyncio.Task[None]] = set()

    @property
    def mine(self) -> frozenset[int]:
        """The shards that this process is to serve; none where others serve them all."""
        return frozenset(self._mine)

    async def join(self, recommended: int, buckets: int) -> int:
        """Take part; returns how many shards there are, which all processes agree on.

        `recommended` and `buckets` (`max_concurrency`) are what Discord says.
        """
        self._buckets = max(1, buckets)
        await self._leases.renew()
        await self._wait_for(JOINING, 0)
        counts = frozenset[int]().union(*(await self._leases.held(COUNT)).values())
        self._count = self._shards.count or max(counts, default=recommended)
        await self._leases.take(COUNT, self._count, is_shared=True)
        await self._leases.drop(JOINING, 0)
        return self._count

    async def keep(self, begin: Act, end: Act) -> None:
        """Begin and end shards as they come and go, until cancelled."""
        while True:
            try:
                await self._look(begin, end)
            except StoreError:
                logger.warning("the database is gone; Discord's shards stay as they are")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, begin: Act, end: Act) -> None:
        if await self._leases.renew():
            await self._claim_again(end)
        while (shard := await self._take()) is not None:
            await begin(shard)
        self.is_settled = True
        if (surplus := await self._surplus()) is not None:
            await self._end(surplus, end)
            await self._leases.drop(SHARD, surplus)

    async def _take(self) -> int | None:
        """Lease one more shard, if there is one for us."""
        while (shard := to_take(self._wanted, await self._held(), self._leases.me)) is not None:
            if await self._leases.take(SHARD, shard):
                self._mine.add(shard)
                logger.info("took a shard of Discord's", extra={"shard_id": shard})
                return shard
        return None

    async def _surplus(self) -> int | None:
        """A shard to give up, once it has been one too many for a while."""
        shard = None if self._shards.ids else to_give(await self._held(), self._leases.me)
        now_s = asyncio.get_running_loop().time()
        if shard is None or self._uneven_since_s is None:
            self._uneven_since_s = None if shard is None else now_s
            return None
        if now_s - self._uneven_since_s < GIVE_AFTER_S:
            return None
        self._uneven_since_s = None
        return shard

    async def _claim_again(self, end: Act) -> None:
        """The connection was lost, and all leases with it: end what somebody else has now."""
        await self._leases.take(COUNT, self._count, is_shared=True)
        for shard in sorted(self._mine):
            if not await self._leases.take(SHARD, shard):
                await self._end(shard, end)

    async def _end(self, shard: int, end: Act) -> None:
        logger.info("gave up a shard of Discord's", extra={"shard_id": shard})
        self._mine.discard(shard)
        await end(shard)

    @property
    def _wanted(self) -> Sequence[int]:
        return self._shards.ids or range(self._count)

    async def _held(self) -> Mapping[int, frozenset[int]]:
        """The shards of each process that takes part; of this one alone where they are fixed."""
        if self._shards.ids:
            return {self._leases.me: frozenset(self._mine)}
        held = await self._leases.held(SHARD)
        members = await self._leases.held(COUNT)
        return {each: held.get(each, frozenset()) for each in {*members, *held}}

    async def may_identify(self, shard_id: int) -> None:
        """Wait for the one identify in five seconds that Discord allows a bucket of shards."""
        bucket = shard_id % self._buckets
        lock = self._identifying.setdefault(bucket, asyncio.Lock())
        await lock.acquire()  # an advisory lock keeps no connection from locking twice
        try:
            await self._wait_for(IDENTIFY, bucket)
        except StoreError:
            logger.warning("the database is gone; only this process's identifies are counted")
        except BaseException:
            lock.release()
            raise
        task = asyncio.create_task(self._rest(bucket, lock))
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    async def _wait_for(self, kind: int, number: int) -> None:
        while True:
            if await self._leases.take(kind, number):
                return
            await asyncio.sleep(_WAIT_S)

    async def _rest(self, bucket: int, lock: asyncio.Lock) -> None:
        try:
            await asyncio.sleep(IDENTIFY_EVERY_S)
            await self._leases.drop(IDENTIFY, bucket)
        except StoreError:
            logger.info("the database is gone, and the lease with it")
        finally:
            lock.release()

    async def close(self) -> None:
        """Give up all shards; others take them."""
        for task in self._resting:
            task.cancel()
        await asyncio.gather(*self._resting, return_exceptions=True)
        self._mine.clear()
        await self._leases.close()
