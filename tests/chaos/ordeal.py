"""One ordeal: people write, the program is killed again and again, and then it is all counted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from storage import open_store
from tests.chaos.checks import Report, answered_tags, check, step_of, tag_of, to_answer
from tests.chaos.people import Patience, People
from tests.chaos.program import Program
from tests.loopback.providers import ProviderServer
from tests.loopback.providers.record import Seen
from tests.loopback.providers.script import Reply
from tests.waiting import until

_SETTLE_LIMIT_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad it gets."""

    kills: int
    seed: int = 1
    processes: int = 1
    conversations: int = 8


async def go_through(plan: Plan, database: str, folder: Path) -> Report:
    """Run the program through a plan; the report says what broke."""
    dice = random.Random(plan.seed)
    async with ProviderServer() as provider, aiohttp.ClientSession() as session:
        provider.script(_answer)
        programs = [
            Program(folder / f"p{n}", database, provider, f"program{n}")
            for n in range(plan.processes)
        ]
        people = People(programs, dice, session)
        async with _running(programs):
            await _kill_while_people_talk(plan, people, provider, dice)
            await people.settle()
            await _all_answered(database)
        return await check(
            database,
            people.acknowledged,
            provider.requests,
            kills=plan.kills,
            deliveries=people.deliveries,
        )


def _answer(seen: Seen) -> Reply:
    return Reply(
        text=to_answer(tag_of(seen), step_of(seen)), first_delay_s=0.05, chunk_delay_s=0.01
    )


@asynccontextmanager
async def _running(programs: list[Program]) -> AsyncIterator[None]:
    try:
        await asyncio.gather(*(program.start() for program in programs))
        yield
        codes = [await program.stop() for program in programs]
        assert codes == [0] * len(programs), f"a program ended with {codes}"
    finally:
        for program in programs:
            await program.kill()


async def _kill_while_people_talk(
    plan: Plan, people: People, provider: ProviderServer, dice: random.Random
) -> None:
    goes_on = True

    def answered(conversation: str) -> int:
        return len(
            {t for t in answered_tags(provider.requests) if t.startswith(f"{conversation}-")}
        )

    patience = Patience(answered=answered)
    async with asyncio.TaskGroup() as group:
        for n in range(plan.conversations):
            group.create_task(people.talk(f"c{n}", lambda: goes_on, patience))
        for _ in range(plan.kills):
            await _kill_one(people.programs, provider, dice)
        goes_on = False


async def _kill_one(programs: list[Program], provider: ProviderServer, dice: random.Random) -> None:
    """Kill at a random moment: mostly while it answers, now and then while it starts."""
    program = dice.choice(programs)
    if dice.random() < 0.2:
        await asyncio.sleep(dice.uniform(0, 1))
    else:
        wanted = len(answered_tags(provider.requests)) + dice.randint(1, 8)
        await until(lambda: len(answered_tags(provider.requests)) >= wanted, limit_s=120)
        await asyncio.sleep(dice.uniform(0, 1))
    await program.kill()
    await program.start()


async def _all_answered(database: str) -> None:
    """Wait until no turn is left, as long as there is progress to hope for."""
    async with open_store(database) as store, asyncio.timeout(_SETTLE_LIMIT_S):
        while await store.unfinished():
            await asyncio.sleep(0.5)
