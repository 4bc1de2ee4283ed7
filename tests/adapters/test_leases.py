"""Leases: one holder each, gone with their process, and told from one another."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from adapters.leases import AdvisoryLeases, SoleLeases, leases_on
from bot.errors import StoreError
from storage.database import to_url
from tests.postgres import Server, running_server

KIND, OTHER_KIND = 7, 8
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
async def two(server: Server) -> AsyncIterator[tuple[AdvisoryLeases, AdvisoryLeases]]:
    url = to_url(server.new_database())
    first, second = AdvisoryLeases(url), AdvisoryLeases(url)
    assert await first.renew()
    assert await second.renew()
    yield first, second
    await first.close()
    await second.close()


async def test_what_one_has_another_does_not_get(
    two: tuple[AdvisoryLeases, AdvisoryLeases],
) -> None:
    first, second = two
    assert await first.take(KIND, 3)
    assert not await second.take(KIND, 3)
    assert await second.take(OTHER_KIND, 3)
    assert await second.take(KIND, 4)
    assert await second.held(KIND) == {first.me: {3}, second.me: {4}}
    await first.drop(KIND, 3)
    assert await second.take(KIND, 3)


async def test_what_is_shared_several_have(two: tuple[AdvisoryLeases, AdvisoryLeases]) -> None:
    first, second = two
    assert await first.take(KIND, 3, is_shared=True)
    assert await second.take(KIND, 3, is_shared=True)
    assert await first.held(KIND) == {first.me: {3}, second.me: {3}}


async def test_a_lost_connection_loses_every_lease_and_says_so(
    two: tuple[AdvisoryLeases, AdvisoryLeases], server: Server
) -> None:
    first, second = two
    await first.take(KIND, 3)
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (first.me,))
    taken: list[bool] = []
    while not any(taken):
        taken.append(await second.take(KIND, 3))
    with pytest.raises(StoreError):
        await first.take(KIND, 4)
    assert await first.renew()
    assert not await first.renew()
    assert not await first.take(KIND, 3)


async def test_alone_there_is_no_competition() -> None:
    leases = leases_on("sqlite:///parley.db")
    assert isinstance(leases, SoleLeases)
    assert not await leases.renew()
    assert await leases.take(KIND, 3)
    assert await leases.held(KIND) == {leases.me: {3}}
    await leases.drop(KIND, 3)
    assert await leases.held(KIND) == {leases.me: frozenset()}
