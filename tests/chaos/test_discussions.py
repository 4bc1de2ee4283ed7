"""Debates and ensembles while the program is killed: no finished step is paid twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import select

from bot.turns import TurnStatus
from storage import open_store
from storage.tables import BudgetRow
from tests.chaos.program import Program
from tests.loopback.providers import ProviderServer
from tests.loopback.providers.record import Outcome, Seen
from tests.loopback.providers.script import Reply
from tests.waiting import until

KILLS = 2
"""A call that is cut off more often than that is given up, and this is about going on."""
REVISED, JUDGED = "Revised." * 20, "Judged." * 20
ASKED = {
    **{f"debate{n}": f"debate rounds:2 [debate{n}] Which is it?" for n in range(4)},
    **{f"ensemble{n}": f"ensemble [ensemble{n}] Which is it?" for n in range(4)},
}
STEPS = {
    "You are the critic": "criticise",
    "A critic objects": "revise",
    "assistants have answered": "judge",
}


@pytest.mark.timeout(300)
async def test_kills_repeat_only_unfinished_steps(tmp_path: Path) -> None:
    database, dice = f"sqlite:///{tmp_path / 'parley.db'}", random.Random(3)
    async with ProviderServer() as provider, aiohttp.ClientSession() as session:
        provider.script(_answer)
        program = Program(tmp_path / "p", database, provider, "program")
        await program.start()
        try:
            for name, text in ASKED.items():
                await _ask(session, program, name, text)
            for _ in range(KILLS):
                finished = _finished(provider)
                await until(lambda: _finished(provider) > finished, limit_s=60)  # noqa: B023
                await asyncio.sleep(dice.uniform(0, 0.5))
                await program.kill()
                await program.start()
            await _all_over(database)
            assert await program.stop() == 0
        finally:
            await program.kill()
        requests = Counter((_name(seen), _step(seen)) for seen in provider.requests)
    async with open_store(database) as store:
        attempts: Counter[tuple[str, str]] = Counter()
        for name in ASKED:
            turn = await store.turn(f"web:{name}")
            assert turn is not None
            assert turn.status is TurnStatus.DONE, turn.notice
            assert turn.reply is not None
            assert turn.reply.text == (REVISED if name.startswith("debate") else JUDGED)
            for entry in await store.entries(turn.turn_id):
                attempts[name, entry.purpose.value] += entry.attempt
        async with store._db.read() as reading:
            budgets = (await reading.exec(select(BudgetRow))).all()
    paid_again = {key: n for key, n in requests.items() if n > attempts[key]}
    assert paid_again == {}
    assert [budget.held for budget in budgets] == [0] * len(budgets)


def _finished(provider: ProviderServer) -> int:
    return sum(seen.outcome is Outcome.FINISHED for seen in provider.requests)


def _answer(seen: Seen) -> Reply:
    text = {
        "criticise": "- [serious] It is not.",
        "revise": REVISED,
        "judge": JUDGED,
    }.get(_step(seen), "First. " * 20)
    return Reply(text=text, first_delay_s=0.2, chunk_delay_s=0.05)


def _step(seen: Seen) -> str:
    return next((step for words, step in STEPS.items() if words in seen.prompt), "propose")


def _name(seen: Seen) -> str:
    told = "\n".join(message["content"] for message in seen.messages)
    return next(name for name in ASKED if f"[{name}]" in told)


async def _ask(session: aiohttp.ClientSession, program: Program, name: str, text: str) -> None:
    body = {"text": text, "conversation": name, "message_id": name}
    async with session.post(f"{program.address}/api/ask", json=body) as response:
        await response.content.readline()  # the first event is the acknowledgement


async def _all_over(database: str) -> None:
    async with open_store(database) as store, asyncio.timeout(120):
        while await store.unfinished():
            await asyncio.sleep(0.3)
