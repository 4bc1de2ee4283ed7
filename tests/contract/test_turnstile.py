"""Who may write when many want to."""

from __future__ import annotations

import asyncio

from storage.turnstile import Turnstile


async def test_the_urgent_go_first_and_each_kind_in_order_of_arrival() -> None:
    gate, passed = Turnstile(1), list[str]()

    async def write(name: str) -> None:
        async with gate.pass_through(is_urgent=name.startswith("urgent")):
            await asyncio.sleep(0)
            passed.append(name)

    async with asyncio.TaskGroup() as group:
        for name in ("first", "a", "b", "urgent a", "urgent b"):
            group.create_task(write(name))

    assert passed == ["first", "urgent a", "urgent b", "a", "b"]
    assert gate.urgent == 0


async def test_only_so_many_are_in_at_once() -> None:
    gate, inside, most = Turnstile(3), 0, 0

    async def write() -> None:
        nonlocal inside, most
        async with gate.pass_through(is_urgent=False):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(write() for _ in range(20)))

    assert most == 3


async def test_one_who_leaves_while_waiting_blocks_nobody() -> None:
    gate = Turnstile(1)
    passed = []

    async def write(name: str) -> None:
        async with gate.pass_through(is_urgent=False):
            await asyncio.sleep(0.01)
            passed.append(name)

    first, leaves, last = (asyncio.create_task(write(name)) for name in ("a", "b", "c"))
    await asyncio.sleep(0)
    leaves.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(first, last)

    assert passed == ["a", "c"]
