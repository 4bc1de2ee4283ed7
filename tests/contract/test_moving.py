"""Moving from one database to another keeps everything, and goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from storage import open_store
from storage.moving import move
from tests.contract.examples import PLACE, accepted, answered, done, entry, limit

pytestmark = pytest.mark.postgres


async def test_everything_is_there_after_the_move_and_ids_go_on(
    tmp_path: Path, location: str
) -> None:
    old = str(tmp_path / "old.db")
    async with open_store(old) as store:
        for number in range(1, 4):
            await answered(store, number)
        opened = await store.open(entry(), [limit()])
        await store.close(done(opened))
        going = await accepted(store, 4, "ünïcode 🙂")
        turns, entries = await store.turns(PLACE), await store.entries("test:m1")
        states = await store.states([limit()])

    counts = await move(old, location)

    assert (counts["turn"], counts["message"], counts["llm_call"]) == (4, 4, 1)
    async with open_store(location) as store:
        assert await store.turns(PLACE) == turns
        assert await store.entries("test:m1") == entries
        assert await store.states([limit()]) == states
        assert await store.unfinished() == (going,)
        await accepted(store, 5)
        assert len(await store.history((await store.turns(PLACE))[-1])) == 7


async def test_a_database_with_rows_is_not_moved_into(tmp_path: Path, location: str) -> None:
    old = str(tmp_path / "old.db")
    for place in (old, location):
        async with open_store(place) as store:
            await accepted(store, 1)

    with pytest.raises(ConfigurationError, match="not empty"):
        await move(old, location)


async def test_a_database_is_not_moved_onto_itself(location: str) -> None:
    with pytest.raises(ConfigurationError, match="same database"):
        await move(location, location)
