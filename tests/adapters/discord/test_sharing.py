"""Sharing the shards out: evenly, each to one process, and to the others when one dies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import sharing
from adapters.discord.shards import Shards
from adapters.discord.sharing import ShardShares, to_give, to_take
from adapters.leases import AdvisoryLeases
from storage.database import to_url
from tests.adapters.discord.conftest import Stage
from tests.postgres import Server, running_server
from tests.waiting import until


@given(count=st.integers(1, 40), members=st.integers(1, 9), order=st.randoms())
def test_whoever_looks_first_all_shards_are_served_once_and_evenly(
    count: int, members: int, order: Random
) -> None:
    held = {member: frozenset[int]() for member in range(members)}
    wanted = range(count)
    for _ in range(3 * count * members):
        me = order.randrange(members)
        if (shard := to_take(wanted, held, me)) is not None:
            held[me] |= {shard}
        elif (surplus := to_give(held, me)) is not None:
            held[me] -= {surplus}
    while moves := [(m, s) for m in held if (s := to_take(wanted, held, m)) is not None]:
        held[moves[0][0]] |= {moves[0][1]}
    assert sorted(shard for mine in held.values() for shard in mine) == list(wanted)
    assert max(map(len, held.values())) <= -(-count // members)


def test_a_process_that_comes_later_is_given_its_part() -> None:
    held = {1: frozenset({0, 1}), 2: frozenset({2, 3}), 3: frozenset[int]()}
    assert to_take(range(4), held, 3) is None
    assert (to_give(held, 1), to_give(held, 2), to_give(held, 3)) == (1, 3, None)


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    with running_server() as server:
        yield server


class Process:
    """What one process serves, as its client would."""

    def __init__(self, address: str, shards: str = "") -> None:
        self.leases = AdvisoryLeases(to_url(address))
        self.shares = ShardShares(self.leases, Shards.parse(shards))
        self.serves: set[int] = set()
        self.identified_s: list[float] = []

    async def begin(self, shard: int) -> None:
        await self.shares.may_identify(shard)
        self.identified_s.append(asyncio.get_running_loop().time())
        self.serves.add(shard)

    async def end(self, shard: int) -> None:
        self.serves.discard(shard)


@asynccontextmanager
async def running(
    address: str, *, recommended: int = 4, buckets: int = 16, shards: str = ""
) -> AsyncIterator[Process]:
    process = Process(address, shards)
    await process.shares.join(recommended, buckets)
    task = asyncio.create_task(process.shares.keep(process.begin, process.end))
    try:
        yield process
    finally:
        task.cancel()
        await asyncio.wait({task})
        await process.shares.close()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(sharing, "GIVE_AFTER_S", 0.2)
    monkeypatch.setattr(sharing, "IDENTIFY_EVERY_S", 0.3)


@pytest.mark.postgres
async def test_a_newcomer_gets_its_part_and_leaves_it_to_the_others(database: Server) -> None:
    address = database.new_database()
    async with running(address) as first:
        await until(lambda: first.serves == {0, 1, 2, 3})
        async with running(address, recommended=9) as second:
            await until(lambda: len(first.serves) == len(second.serves) == 2)
            assert first.serves | second.serves == {0, 1, 2, 3}
        await until(lambda: first.serves == {0, 1, 2, 3})


@pytest.mark.postgres
async def test_who_serves_some_shards_or_none_while_others_do_is_connected(
    database: Server, offstage: Stage
) -> None:
    gateway, token = offstage.server.gateway, offstage.server.token
    gateway.shards, gateway.max_concurrency, gateway.identify_every_s = 2, 16, 0.1
    offstage.database_url = database.new_database()
    async with offstage.running(token=token) as first:
        await until(lambda: first.is_connected)
        assert first.client.shares.mine == {0, 1}
        async with (
            replace(offstage).running(token=token) as second,
            replace(offstage).running(token=token) as third,
        ):
            bots = (first, second, third)
            await until(lambda: sorted(len(bot.client.shares.mine) for bot in bots) == [0, 1, 1])
            await until(lambda: all(bot.is_connected for bot in bots))


@pytest.mark.postgres
async def test_a_database_that_comes_back_leaves_each_shard_with_one_process(
    database: Server,
) -> None:
    address = database.new_database()
    async with running(address) as first, running(address) as second:
        await until(lambda: len(first.serves) == len(second.serves) == 2)
        await first.leases.close()
        await until(
            lambda: (
                first.serves | second.serves == {0, 1, 2, 3} and not first.serves & second.serves
            )
        )


@pytest.mark.postgres
async def test_identifies_of_a_bucket_are_kept_apart_across_processes(database: Server) -> None:
    address = database.new_database()
    async with (
        running(address, buckets=1) as first,
        running(address, buckets=1) as second,
    ):
        await until(lambda: len(first.serves | second.serves) == 4)
        times = sorted(first.identified_s + second.identified_s)
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.29


@pytest.mark.postgres
async def test_shards_that_are_set_are_neither_given_nor_taken(database: Server) -> None:
    address = database.new_database()
    async with (
        running(address, shards="0-2/4") as first,
        running(address, shards="3/4") as second,
    ):
        await until(lambda: len(first.serves | second.serves) == 4)
        await asyncio.sleep(0.5)
        assert (first.serves, second.serves) == ({0, 1, 2}, {3})
