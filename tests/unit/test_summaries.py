"""What does not fit is summarised once, by the cheapest, and the summary is kept and paid for."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

from bot.calls import ModelCall, Purpose, estimate_input_tokens
from bot.catalog import Catalog, Tier
from bot.errors import ProviderUnavailableError
from bot.health import Health
from bot.ledger import CallStatus
from bot.messages import IncomingMessage, Message, Role
from bot.metering import Account, Meter
from bot.replies import Footer, Reply
from bot.summaries import Summaries, to_record
from bot.turns import TurnStatus
from tests.fakes import NOON, PLACE, Hang, ScriptedGateway, incoming, model, turn
from tests.unit.world import World

SMALL = model("small", Tier.FREE, is_free_quota=True, context_tokens=2_000, max_output_tokens=500)
LARGE = model("large", Tier.FULL, usd="5", context_tokens=100_000)
MODELS = Catalog((SMALL, LARGE))
YESTERDAY = NOON - timedelta(days=1)
WORDS = "lorem ipsum dolor " * 10


def _summaries(world: World) -> list[ModelCall]:
    return [call for call in world.gateway.calls if call.purpose is Purpose.SUMMARISE]


def _fitter(world: World) -> Summaries:
    return Summaries(
        Meter(world.gateway, world.store, world.clock),
        world.store,
        world.clock,
        catalog=lambda: MODELS,
        health=Health(world.clock),
    )


async def _talked(world: World, turns: int, start: int = 1, size: int = 1) -> None:
    """A conversation that was had before: kept, without asking anybody."""
    for number in range(start, start + turns):
        said: IncomingMessage = incoming(f"question {number} {WORDS * size}", f"old{number}")
        asked = turn(
            said.text, f"test:old{number}", message_id=said.message_id, created_at=YESTERDAY
        )
        await world.store.accept(said, asked)
        begun = await world.store.begin(asked.turn_id, NOON)
        assert begun is not None
        footer = Footer(tier=Tier.FULL, model="large", tokens=9, cost=9, latency_s=1.0)
        reply = Reply(text=f"answer {number} {WORDS * size}", footer=footer)
        await world.store.finish(
            replace(begun.turn, status=TurnStatus.DONE, reply=reply, finished_at=NOON)
        )


async def test_a_conversation_that_fits_is_sent_whole() -> None:
    world = World(ScriptedGateway(), MODELS)
    await _talked(world, 30)
    sink = await world.ask("@large And now?")
    assert sink.reply.notes == ()
    assert len(world.gateway.calls[0].messages) == 62
    assert await world.store.summaries(PLACE) == ()


async def test_what_does_not_fit_is_summarised_by_the_free_tier_and_it_is_said() -> None:
    world = World(ScriptedGateway("They counted to 30.", "Hello"), MODELS)
    await _talked(world, 30)
    sink = await world.ask("@small And now?")
    summary, answer = world.gateway.calls
    assert (summary.purpose, summary.model.alias) == (Purpose.SUMMARISE, "small")
    assert "They counted to 30." in answer.messages[1].text
    assert answer.messages[-1].text == "And now?"
    assert sink.reply.text == "Hello"
    assert sink.reply.notes[0].endswith("did not fit: I read a summary.")
    entries = await world.store.entries("test:m1")
    assert [e.purpose for e in entries] == [Purpose.SUMMARISE, Purpose.ANSWER]
    assert entries[0].call_id.startswith("test:m1:summary")


async def test_the_summary_is_used_again_and_later_goes_on_from_itself() -> None:
    world = World(ScriptedGateway("SUM-ONE"), MODELS)
    await _talked(world, 30)
    await world.ask("@small One", "m1")
    await world.ask("@small Two", "m2")
    assert len(_summaries(world)) == 1
    await _talked(world, 30, start=100)
    await world.ask("@small Three", "m3")
    assert len(_summaries(world)) == 2
    record = _summaries(world)[1].messages[-1].text
    assert record.startswith("Summary of what came before:\nSUM-ONE")
    assert "question 1 " not in record
    assert len(await world.store.summaries(PLACE)) == 2


async def test_a_model_with_room_gets_the_whole_even_where_a_summary_is_kept() -> None:
    world = World(ScriptedGateway("SUM", "A"), MODELS)
    await _talked(world, 30)
    await world.ask("@small One", "m1")
    sink = await world.ask("@large Two", "m2")
    sent = world.gateway.calls[-1].messages
    assert "question 1 " in sent[1].text
    assert "SUM" not in str(sent)
    assert sink.reply.notes == ()


async def test_without_a_summary_the_oldest_are_cut_and_it_is_said() -> None:
    down = ProviderUnavailableError()
    world = World(ScriptedGateway(down, down, "Hello"), MODELS)
    await _talked(world, 30)
    sink = await world.ask("@small And now?")
    assert sink.reply.text == "Hello"
    assert "were left out" in sink.reply.notes[0]
    entries = await world.store.entries("test:m1")
    assert [e.status for e in entries[:2]] == [CallStatus.FAILED] * 2
    assert await world.store.summaries(PLACE) == ()


async def test_without_a_budget_for_a_summary_the_oldest_are_cut() -> None:
    paid = model("paid", Tier.FREE, usd="1")
    models = Catalog((paid, replace(paid, alias="dear"), replace(SMALL, tier=Tier.CHEAP)))
    world = World(ScriptedGateway("Hello"), models, cap=1)
    await _talked(world, 30)
    sink = await world.ask("@small And now?")
    assert sink.reply.text == "Hello"
    assert "were left out" in sink.reply.notes[0]
    assert _summaries(world) == []


async def test_what_is_not_kept_is_left_out_without_a_summary() -> None:
    world = World(ScriptedGateway(), MODELS)
    asked = [
        Message(role=Role.USER, text="question " * 1_000),
        Message(role=Role.ASSISTANT, text="answer"),
        Message(role=Role.USER, text="Revise it."),
    ]
    fitted = await _fitter(world).fit(asked, SMALL, Account(turn=turn()))
    assert (fitted.messages, fitted.left_out) == ((asked[2],), 2)
    assert world.gateway.calls == []


async def test_an_empty_summary_is_none() -> None:
    world = World(ScriptedGateway("", "", "Hello"), MODELS)
    await _talked(world, 30)
    sink = await world.ask("@small And now?")
    assert "were left out" in sink.reply.notes[0]


async def test_only_models_that_are_allowed_here_summarise() -> None:
    world = World(ScriptedGateway(), Catalog((SMALL, replace(SMALL, alias="other"), LARGE)))
    await world.ask("settings models other", "m0", is_admin=True)
    await _talked(world, 30)
    await world.ask("Hi")
    assert {call.model.alias for call in world.gateway.calls} == {"other"}


async def test_a_turn_run_again_after_a_crash_does_not_pay_for_its_summary_twice() -> None:
    hang = Hang("Hel")
    world = World(ScriptedGateway("SUM", hang, "Hello"), MODELS)
    await _talked(world, 30)
    await world.inbox.accept(incoming("@small And now?"))
    task = asyncio.create_task(world.responder.answer("test:m1"))
    await hang.reached.wait()
    task.cancel()
    await asyncio.wait({task})
    await world.responder.answer("test:m1")
    assert world.delivery.last.reply.text == "Hello"
    assert len(_summaries(world)) == 1


async def test_a_prompt_that_does_not_fit_is_refused_without_any_call() -> None:
    world = World(ScriptedGateway(), Catalog((SMALL,)))
    await _talked(world, 30)
    sink = await world.ask("word " * 3_000)
    assert "longer than any model" in sink.notice.text
    assert world.gateway.calls == []


async def test_everything_that_is_sent_fits_its_model_and_ends_with_the_prompt() -> None:
    world = World(ScriptedGateway(), MODELS)
    for number in range(60):
        tag = "@large" if number % 7 == 0 else "@small"
        prompt = f"turn {number} " + "word " * (number * 7 % 300)
        world.gateway.script = []
        await world.ask(f"{tag} {prompt}", f"t{number}", is_admin=True)
    for call in world.gateway.calls:
        assert estimate_input_tokens(call.messages) + call.max_output_tokens <= (
            call.model.context_tokens
        )
    answers = [call for call in world.gateway.calls if call.purpose is Purpose.ANSWER]
    newest = [call.messages[-1].text.rpartition("turn ")[2].split()[0] for call in answers]
    assert newest == [str(number) for number in range(60)]
    assert len(_summaries(world)) < 40  # of 51 prompts to the small model


async def test_a_summary_that_is_too_long_is_cut() -> None:
    world = World(ScriptedGateway("SUM " * 5_000, "Hello"), MODELS)
    await _talked(world, 30)
    sink = await world.ask("@small And now?")
    assert sink.reply.notes[0].endswith("I read a summary.")


async def test_a_change_of_model_changes_nothing_but_the_model() -> None:
    sent = []
    for alias in ("large", "other"):
        world = World(ScriptedGateway(), Catalog((SMALL, LARGE, replace(LARGE, alias="other"))))
        await _talked(world, 30)
        await world.ask(f"@{alias} And now?")
        sent.append(world.gateway.calls[0])
    assert sent[0].model != sent[1].model
    assert sent[0].messages == sent[1].messages
    assert sent[0].max_output_tokens == sent[1].max_output_tokens


def test_a_record_is_shortened_before_anything_of_it_is_left_out() -> None:
    talk = [Message(role=Role.USER, text=f"{n} " + "x" * 900, position=n) for n in range(10)]
    lines = to_record(talk, 1_000)
    assert [line.split()[1] for line in lines] == [str(n) for n in range(10)]
    assert len(to_record(talk, 100)) < 10
    assert to_record(talk, 0) == []


async def test_ten_thousand_messages_are_fitted_in_a_moment() -> None:
    talk = [
        Message(role=Role.USER if n % 2 else Role.ASSISTANT, text=WORDS, position=n)
        for n in range(1, 10_001)
    ]
    world = World(ScriptedGateway("SUM"), MODELS)
    await world.store.accept(incoming("now"), turn("now"))
    asked = [*talk, Message(role=Role.USER, text="now")]
    began = time.process_time()
    fitted = await _fitter(world).fit(asked, LARGE, Account(turn=turn("now")))
    assert time.process_time() - began < 5  # a quadratic way takes minutes
    assert (fitted.messages[-1].text, fitted.summarised > 5_000) == ("now", True)
