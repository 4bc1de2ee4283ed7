"""The queue that is there only after a while, or never."""

import asyncio

import pytest

from adapters.late_queue import LateQueue
from bot.errors import StoreError
from tests import fakes


async def test_who_comes_early_waits_for_the_queue() -> None:
    late, queue = LateQueue(), fakes.RecordingQueue()
    waiting = asyncio.create_task(late.until_open())
    await asyncio.sleep(0)
    assert not late.is_open
    late.open(queue)
    assert await waiting is queue
    assert late.is_open


async def test_who_waits_in_vain_is_told_so() -> None:
    late = LateQueue()
    waiting = asyncio.create_task(late.until_open())
    await asyncio.sleep(0)
    late.close()
    with pytest.raises(StoreError, match="Parley is stopping"):
        await waiting
    with pytest.raises(StoreError, match="Parley is stopping"):
        await late.until_open()
    assert not late.is_open


async def test_a_queue_that_was_there_stays_to_the_end() -> None:
    late, queue = LateQueue(), fakes.RecordingQueue()
    late.open(queue)
    late.close()
    assert await late.until_open() is queue
