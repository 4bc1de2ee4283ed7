"""Two hundred turns over three models and two restarts: each model is sent what its window takes,
and what was said early on is still known at the end. The providers check what they are sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.inline_queue import InlineQueue
from adapters.llm import Library, LiteLLMGateway
from bot.calls import Purpose
from bot.catalog import Catalog, ModelSpec, Tier
from bot.inbox import Inbox
from bot.ledger import CallStatus
from bot.messages import ConversationKey, IncomingMessage
from bot.replies import Reply as Answer
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn
from storage import SqlStore, open_store
from tests.fakes import FixedEstimator, RecordingDelivery
from tests.loopback.providers import ProviderServer, Reply, Seen

TURNS = 200
RESTARTS = (70, 140)
PLACE = ConversationKey(platform="test", workspace_id="w", channel_id="c", thread_id="t")
WINDOWS = {"small-1": 3_000, "middle-1": 12_000, "large-1": 100_000}
FILLER = "We spoke of herons, of the river, and of what they eat at dawn. " * 3
_FACT = re.compile(r"code (\d+) is (\w+)")
_ASKED = re.compile(r"What is code (\d+)\?")


def _checked(seen: Seen) -> Reply:
    """Answer from what is in the request and nothing else; refuse what a window does not take."""
    window = WINDOWS[seen.model]
    assert seen.input_tokens + (seen.max_output_tokens or 0) <= window
    roles = [message["role"] for message in seen.messages if message["role"] != "system"]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    known = dict(_FACT.findall(" ".join(message["content"] for message in seen.messages)))
    if "Summarise the conversation" in str(seen.body):
        return Reply(text=" ".join(f"code {n} is {value};" for n, value in known.items()))
    asked = _ASKED.findall(seen.prompt)
    answer = known.get(asked[-1], "unknown") if asked else "Noted."
    return Reply(text=f"{answer}. {FILLER}")


def _model(alias: str, tier: Tier, provider: str, server: ProviderServer) -> ModelSpec:
    name = f"{alias}-1"
    return ModelSpec(
        alias=alias,
        model_id=f"{provider}/{name}",
        provider=provider,
        tier=tier,
        context_tokens=WINDOWS[name],
        max_output_tokens=1_000,
        input_usd_per_mtok=Decimal(tier + 1),
        output_usd_per_mtok=Decimal(tier + 1),
        is_free_quota=tier is Tier.FREE,
        api_base=server.base(provider),
    )


@dataclass(slots=True)
class Process:
    """One run of the program: everything in it is made anew at each start."""

    store: SqlStore
    delivery: RecordingDelivery
    queue: InlineQueue
    inbox: Inbox

    async def say(self, number: int, text: str) -> Turn:
        """Send a message and wait for its answer."""
        turn = await self.send(number, text)
        await self.queue.join()
        kept = await self.store.turn(turn.turn_id)
        assert kept is not None
        return kept

    async def send(self, number: int, text: str) -> Turn:
        turn = await self.inbox.accept(
            IncomingMessage(
                key=PLACE,
                message_id=f"m{number}",
                author_id=f"user{number % 3}",
                author_name=("Ada", "Grace", "Edsger")[number % 3],
                text=text,
                sent_at=SystemClock().now(),
                is_admin=True,
            )
        )
        assert turn is not None
        return turn


@dataclass(slots=True)
class Program:
    """The program with its data folder, which outlives each process."""

    path: Path
    library: Library
    server: ProviderServer
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> Process:
        """Start, and take up what an earlier process left."""
        store = await self.stack.enter_async_context(open_store(self.path))
        gateway = LiteLLMGateway(lambda _: "key", library=self.library)
        self.stack.push_async_callback(gateway.close)
        models = Catalog(
            (
                _model("small", Tier.FREE, "groq", self.server),
                _model("middle", Tier.CHEAP, "openai", self.server),
                _model("large", Tier.FULL, "anthropic", self.server),
            )
        )
        clock, delivery = SystemClock(), RecordingDelivery()
        responder = Responder(
            store=store,
            gateway=gateway,
            delivery=delivery,
            router=Router(models, FixedEstimator()),
            clock=clock,
        )
        queue = InlineQueue(responder.answer)
        for turn in await store.unfinished():
            await queue.submit(turn)
        await queue.join()
        return Process(store, delivery, queue, Inbox(store, queue, clock))

    async def end(self) -> None:
        """End the process; everything in memory is gone."""
        await self.stack.aclose()
        self.stack = AsyncExitStack()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    library = Library()
    library.start()
    async with ProviderServer() as server:
        server.script(_checked)
        program = Program(tmp_path / "parley.db", library, server)
        yield program
        await program.end()


def _text(number: int) -> str:
    """A prompt: now and then a fact, often a question about one that came long before."""
    tag = ("@small", "@middle", "@large", "@small")[number % 4]
    if number % 10 == 1:
        return f"{tag} Remember: code {number} is heron{number}. {FILLER}"
    asked = (number * 7) % number // 10 * 10 + 1
    return f"{tag} {FILLER} What is code {asked}?"


def _expected(number: int) -> str:
    asked = _ASKED.findall(_text(number))
    return f"heron{asked[0]}." if asked else "Noted."


async def test_two_hundred_turns_stay_coherent_over_models_and_restarts(program: Program) -> None:
    process = await program.start()
    wrong: list[str] = []
    notes: list[str] = []
    for number in range(1, TURNS + 1):
        if number in RESTARTS:
            await program.end()
            process = await program.start()
        turn = await process.say(number, _text(number))
        answer = _reply_of(turn)
        notes += answer.notes
        if not answer.text.startswith(_expected(number)):
            wrong.append(f"{number}: {_text(number)[-20:]} → {answer.text[:20] or turn.notice}")

    assert wrong == []
    assert {request.model for request in program.server.requests} == set(WINDOWS)
    assert any("I read a summary" in note for note in notes)
    assert not any("left out" in note for note in notes)
    await _check_ledger(process.store)


async def test_a_turn_that_a_restart_interrupts_is_answered_once_with_its_history(
    program: Program,
) -> None:
    process = await program.start()
    await process.say(1, "Remember: code 1 is heron1.")
    program.server.script(Reply(text="half " * 200, chunk_delay_s=0.02))
    turn = await process.send(2, "What is code 1?")
    await program.server.wait_for_requests(2)
    for task in list(process.queue._running.values()):
        task.cancel()
    await asyncio.wait(process.queue._running.values())
    await program.end()
    program.server.script(_checked)

    process = await program.start()

    kept = await process.store.turn(turn.turn_id)
    assert kept is not None
    assert _reply_of(kept).text.startswith("heron1.")
    assert len(await process.store.turns(PLACE)) == 2


def _reply_of(turn: Turn) -> Answer:
    assert turn.reply is not None, turn.notice
    return turn.reply


async def _check_ledger(store: SqlStore) -> None:
    """Every call is there once and closed; summaries are few, and all on the free tier."""
    entries = [e for n in range(1, TURNS + 1) for e in await store.entries(f"test:m{n}")]
    assert all(entry.status is CallStatus.DONE for entry in entries)
    summaries = [entry for entry in entries if entry.purpose is Purpose.SUMMARISE]
    assert 0 < len(summaries) < TURNS / 4
    assert {entry.alias for entry in summaries} == {"small"}
    assert len(entries) == TURNS + len(summaries)
