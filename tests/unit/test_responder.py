"""A turn is answered to its end: whatever happens, the person is told, and it is kept once."""

import asyncio
from dataclasses import replace

import pytest

from bot.catalog import Catalog, Tier
from bot.errors import (
    AuthenticationError,
    ProviderUnavailableError,
    StoreError,
    StreamCutError,
)
from bot.ledger import CallStatus
from bot.messages import Attachment, Role
from bot.money import NANOUSD
from bot.replies import Action, Notice, Reply
from bot.responder import APOLOGY, MAX_ATTEMPTS
from bot.settings import SettingChange
from bot.turns import TurnStatus
from tests.fakes import (
    PLACE,
    Cut,
    FixedEstimator,
    Hang,
    RecordingDelivery,
    RecordingSink,
    ScriptedGateway,
    catalog,
    completion,
    incoming,
    model,
)
from tests.unit.world import LostStore, OvertakenStore, World


async def test_a_prompt_is_routed_streamed_answered_and_kept() -> None:
    world = World(ScriptedGateway("Hello Ada"))
    sink = await world.ask("Hi")
    assert sink.events[:3] == [
        ("status", "free · free"),
        ("append", "Hello"),
        ("append", " Ada"),
    ]
    assert sink.reply.text == "Hello Ada"
    assert sink.reply.footer is not None
    assert (sink.reply.footer.tier, sink.reply.footer.model) == (Tier.FREE, "free")
    assert await world.status() is TurnStatus.DONE


async def test_a_tag_chooses_the_tier_and_is_not_sent() -> None:
    world = World(ScriptedGateway())
    sink = await world.ask("@heavy Prove it")
    assert sink.reply.footer is not None
    assert sink.reply.footer.tier is Tier.FULL
    assert world.gateway.calls[0].messages[-1].text == "Prove it"


async def test_the_system_prompt_comes_first_with_the_date() -> None:
    world = World(ScriptedGateway())
    await world.ask("Hi")
    first = world.gateway.calls[0].messages[0]
    assert first.role is Role.SYSTEM
    assert first.text.endswith("Today is Monday, 23 November 2026.")


async def test_the_next_prompt_carries_the_history_to_another_model() -> None:
    world = World(ScriptedGateway("I am fine.", "Because."))
    await world.ask("How are you?")
    await world.ask("@heavy Why?", "m2")
    assert [m.text for m in world.gateway.calls[1].messages[1:]] == [
        "How are you?",
        "I am fine.",
        "Why?",
    ]


async def test_an_unknown_model_is_answered_with_what_exists_and_costs_nothing() -> None:
    world = World(ScriptedGateway())
    sink = await world.ask("@model:nope hi")
    assert "no model `nope`" in sink.notice.text
    assert world.gateway.calls == []
    assert await world.status() is TurnStatus.FAILED


@pytest.mark.parametrize("text", ["@opus Hi", "debate @opus Tea?", "debate models:opus,free Tea?"])
async def test_a_model_that_is_not_switched_on_is_answered_with_its_key(text: str) -> None:
    models = replace(catalog(), inactive=(model("opus", Tier.FULL, api_key_env="OPUS_API_KEY"),))
    world = World(ScriptedGateway(), models)
    sink = await world.ask(text)
    assert "OPUS_API_KEY, is missing" in sink.notice.text
    assert world.gateway.calls == []


@pytest.mark.parametrize(
    "text",
    ["/setings dial 7", "settings dail 7", "settings dial 70", "budget user", "@fast", "debate",
     "@model:nope hi", "debate models:nope Tea?", "settings threads off"],
)  # fmt: skip
async def test_a_refusal_offers_no_button_that_would_only_repeat_it(text: str) -> None:
    world = World(ScriptedGateway())
    sink = await world.ask(text)
    assert (sink.notice.is_refusal, sink.notice.actions) == (True, ())
    kept = await world.store.turn("test:m1")
    assert kept is not None
    assert (kept.status, kept.is_refused) == (TurnStatus.FAILED, True)
    assert world.gateway.calls == []


async def test_an_empty_prompt_gets_a_sentence() -> None:
    sink = await World(ScriptedGateway()).ask("@fast  ")
    assert sink.notice.text.startswith("There is no question")


async def test_a_model_that_fails_is_followed_by_the_next_and_it_is_said() -> None:
    world = World(ScriptedGateway(AuthenticationError(), "Hello"))
    sink = await world.ask("Hi")
    assert sink.reply.text == "Hello"
    assert sink.reply.notes == ("free did not answer, so cheap did.",)
    assert sink.reply.footer is not None
    assert sink.reply.footer.tier is Tier.CHEAP


async def test_a_model_that_failed_is_passed_over_for_the_next_prompt() -> None:
    world = World(ScriptedGateway(ProviderUnavailableError(), "One", "Two"))
    responder = world.responder
    for message_id in ("m1", "m2"):
        await world.inbox.accept(incoming("@cheap Hi", message_id))
        await responder.answer(f"test:{message_id}")
    assert [call.model.alias for call in world.gateway.calls] == ["cheap", "full", "cheap"]


async def test_when_all_fail_the_first_fault_is_told() -> None:
    world = World(ScriptedGateway(AuthenticationError(), StreamCutError(), StreamCutError()))
    sink = await world.ask("Hi")
    assert sink.notice == Notice(text=str(AuthenticationError()), actions=(Action.AGAIN,))
    kept = await world.store.turn("test:m1")
    assert kept is not None
    assert not kept.is_refused


async def test_does_not_fall_back_once_text_was_shown() -> None:
    world = World(ScriptedGateway(Cut("Half an ans", StreamCutError())))
    sink = await world.ask("Hi")
    assert sink.reply.text == "Half an ans"
    assert sink.reply.notes == ("The answer was cut off by the provider. Ask again for a new one.",)
    assert Action.AGAIN in sink.reply.actions
    assert len(world.gateway.calls) == 1
    assert await world.status() is TurnStatus.DONE


async def test_an_empty_answer_goes_to_the_next_model() -> None:
    sink = await World(ScriptedGateway(completion(""), "Hello")).ask("Hi")
    assert sink.reply.text == "Hello"


async def test_stop_keeps_the_text_and_bills_what_was_used() -> None:
    hang = Hang("Once upon a time")
    world = World(ScriptedGateway(hang))
    await world.inbox.accept(incoming("@heavy A story"))
    task = asyncio.create_task(world.responder.answer("test:m1"))
    await hang.reached.wait()
    await world.inbox.stop("test:m1")
    task.cancel()  # what the queue does when it is told to
    await task
    reply = world.delivery.last.reply
    assert (reply.text, reply.notes, reply.actions) == (
        "Once upon a time", ("Stopped.",), (Action.AGAIN,),
    )  # fmt: skip
    assert reply.footer is not None
    assert reply.footer.cost
    assert world.gateway.cancelled == ["test:m1:answer1"]
    assert await world.status() is TurnStatus.CANCELLED


async def test_a_turn_stopped_before_it_began_makes_no_call() -> None:
    world = World(ScriptedGateway())
    await world.inbox.accept(incoming("Hi"))
    await world.inbox.stop("test:m1")
    await world.responder.answer("test:m1")
    assert world.gateway.calls == []
    assert await world.status() is TurnStatus.CANCELLED


async def test_a_turn_that_is_interrupted_is_taken_up_again() -> None:
    hang = Hang("Half")
    world = World(ScriptedGateway(hang, "Whole"))
    await world.inbox.accept(incoming("Hi"))
    task = asyncio.create_task(world.responder.answer("test:m1"))
    await hang.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await world.status() is TurnStatus.RUNNING
    await world.responder.answer("test:m1")
    assert world.delivery.last.reply.text == "Whole"


async def test_a_finished_turn_is_not_answered_again() -> None:
    world = World(ScriptedGateway("One"))
    await world.ask("Hi")
    await world.responder.answer("test:m1")
    assert len(world.delivery.sinks) == 1


async def test_a_turn_run_again_before_its_end_was_kept_pays_nothing_more() -> None:
    world = World(ScriptedGateway("One"))
    await world.inbox.accept(incoming("Hi"))
    world.delivery = _CrashingDelivery()
    with pytest.raises(_Crash):
        await world.responder.answer("test:m1")
    world.delivery = RecordingDelivery()
    await world.responder.answer("test:m1")
    assert world.delivery.last.reply.text == "One"
    assert len(world.gateway.calls) == 1


async def test_a_turn_that_another_process_took_over_is_left_to_it() -> None:
    world = World(ScriptedGateway("Hello"), store=OvertakenStore())
    sink = await world.ask("Hi")
    assert sink.events == [("status", "free · free"), ("append", "Hello"), ("close", "")]
    assert await world.status() is TurnStatus.RUNNING


async def test_a_debate_that_another_process_took_over_is_not_broken_off() -> None:
    world = World(ScriptedGateway("Tea."), store=OvertakenStore())
    sink = await world.ask("debate Tea or coffee?")
    assert [kind for kind, _ in sink.branches["propose1"].events] == ["append"]
    assert sink.events[-1] == ("close", "")
    assert await world.status() is TurnStatus.RUNNING


@pytest.mark.parametrize("prompt", ["Hi", "debate Tea or coffee?"])
async def test_a_store_that_is_gone_for_a_moment_leaves_the_turn_to_be_run_again(
    prompt: str,
) -> None:
    world = World(ScriptedGateway("One"), store=LostStore())
    await world.inbox.accept(incoming(prompt))
    with pytest.raises(StoreError):
        await world.responder.answer("test:m1")
    untold = world.delivery.last.events
    is_running = await world.status() is TurnStatus.RUNNING
    asked = len(world.gateway.calls)
    await world.responder.answer("test:m1")

    assert is_running
    assert {kind for kind, _ in untold} <= {"status", "append"}
    assert await world.status() is TurnStatus.DONE
    assert prompt != "Hi" or len(world.gateway.calls) == asked == 1


async def test_a_turn_that_never_ends_is_given_up_with_an_apology() -> None:
    world = World(ScriptedGateway())
    await world.inbox.accept(incoming("Hi"))
    for _ in range(MAX_ATTEMPTS):
        await world.store.begin("test:m1", world.clock.now())
    await world.responder.answer("test:m1")
    assert "interrupted several times" in world.delivery.last.notice.text


async def test_a_turn_is_begun_as_often_as_that_before_it_is_given_up() -> None:
    world = World(ScriptedGateway("At last"))
    await world.inbox.accept(incoming("Hi"))
    for _ in range(MAX_ATTEMPTS - 1):
        await world.store.begin("test:m1", world.clock.now())
    await world.responder.answer("test:m1")
    assert world.delivery.last.reply.text == "At last"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("@fast help", "Ask me anything"),
        ("help @fast", "Ask me anything"),
        ("@heavy spend week", "**Spend, 23–29 November"),
        ("@full @fast /models", "`@cheap`"),
        ("@cheap tier heavy", "the `full` tier answers"),
        ("@model:full budget", "**All of Parley**, this month"),
    ],
)
async def test_a_tag_is_no_part_of_a_command(text: str, answer: str) -> None:
    world = World(ScriptedGateway())
    assert answer in (await world.ask(text)).reply.text
    assert world.gateway.calls == []


@pytest.mark.parametrize("text", ["@fast help me", "@fast budget airlines", "@cheap forget it"])
async def test_a_sentence_behind_a_tag_stays_a_prompt(text: str) -> None:
    world = World(ScriptedGateway("Yes."))
    assert (await world.ask(text)).reply.text == "Yes."


async def test_nothing_is_forgotten_by_a_word_beside_a_tag() -> None:
    world = World(ScriptedGateway())
    said = await world.ask("forget @full")
    assert said.notice.text.startswith("Nothing was forgotten.")
    assert world.gateway.calls == []


async def test_a_tag_that_is_a_commands_own_stays_in_it() -> None:
    world = World(ScriptedGateway())
    said = await world.ask("settings models @free,@cheap", is_admin=True)
    assert "**cheap, free**" in said.reply.text


async def test_a_commands_word_with_a_file_is_a_prompt() -> None:
    file = Attachment(name="a.txt", media_type="text/plain", size_bytes=2, text="Hi")
    sink = await World(ScriptedGateway("A file.")).ask("help", attachments=(file,))
    assert sink.reply.text == "A file."


async def test_an_unknown_fault_is_an_apology_and_a_log_entry(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = await World(ScriptedGateway(ValueError("odd"))).ask("Hi")
    assert sink.notice.text == APOLOGY
    assert "ValueError: odd" in caplog.text


async def test_the_budget_at_its_end_leaves_the_free_tier() -> None:
    world = World(ScriptedGateway("Free"), cap=0)
    sink = await world.ask("@heavy Hi")
    assert sink.reply.footer is not None
    assert sink.reply.footer.tier is Tier.FREE
    assert "budget is low" in sink.reply.notes[0]


async def test_any_of_several_caps_that_runs_low_steps_down_a_tier() -> None:
    world = World(ScriptedGateway(), estimator=FixedEstimator(0.1, 0.4, 0.95), cap=NANOUSD)
    world.gateway.script = [completion("x", output_tokens=47_500)]
    await world.ask("@heavy Hi", "m0")
    world.clock.advance(86_400)
    await world.store.set_setting(
        SettingChange(
            scope_id="test/w",
            name="user_daily_cap",
            after="0.04",
            user_id="ada",
            at=world.clock.now(),
        )
    )
    sink = await world.ask("Hi", "m1")
    assert sink.reply.footer is not None
    assert sink.reply.footer.tier < Tier.FULL
    assert "The budget is low" in sink.reply.notes[0]


async def test_without_a_free_tier_the_budget_refuses_and_names_the_reset() -> None:
    world = World(ScriptedGateway(), Catalog((model("full", Tier.FULL),)), cap=1)
    sink = await world.ask("Hi")
    assert "starts anew on 1 December, 00:00 UTC" in sink.notice.text
    assert world.gateway.calls == []


@pytest.mark.parametrize(("prompt", "cap"), [("Hi", 1), ("@odd Hi", 1), ("@odd Hi", 0)])
async def test_a_used_up_budget_asks_no_model_of_unknown_price(prompt: str, cap: int) -> None:
    models = Catalog((model("odd", Tier.CHEAP, usd=None), model("full", Tier.FULL)))
    world = World(ScriptedGateway(), models, cap=cap)
    sink = await world.ask(prompt)
    assert "starts anew on 1 December, 00:00 UTC" in sink.notice.text
    assert world.gateway.calls == []


async def test_four_fifths_of_a_budget_are_warned_of_once() -> None:
    models = Catalog((model("full", Tier.FULL, usd="1", max_output_tokens=100),))
    world = World(ScriptedGateway(*["x"] * 3), models, cap=10_000_000)
    notes = []
    for n in range(3):
        world.gateway.script = [completion("x", output_tokens=1_000)]
        notes.append((await world.ask("Hi", f"m{n}")).reply.notes)
    assert [any("% used" in note for note in of_turn) for of_turn in notes] == [False, True, False]


ELSEWHERE = replace(PLACE, thread_id="another")


async def test_the_end_of_a_budget_is_said_once_and_a_refusal_says_it_itself() -> None:
    models = Catalog((model("full", Tier.FULL, usd="1", max_output_tokens=100),))
    world = World(ScriptedGateway(), models, cap=100_000_000)
    world.gateway.script = [completion("x", output_tokens=23_750)]
    await world.ask("Hi", "m0")

    sink = await world.ask("Hi " * 8_000, "m1")

    assert "has no room" in sink.notice.text
    world.gateway.script = [completion("x", output_tokens=1_300)]
    assert (await world.ask("Hi", "m2", key=ELSEWHERE)).reply.notes == ()


async def test_when_only_free_models_can_be_paid_for_the_answer_says_so_once() -> None:
    world = World(ScriptedGateway(), cap=NANOUSD)
    world.gateway.script = [completion("x", output_tokens=49_990)]
    await world.ask("@heavy Hi", "m0")
    notes = []
    for n in (1, 2):
        world.gateway.script = [completion("x")]
        notes.append(" ".join((await world.ask("@heavy Hi", f"m{n}")).reply.notes))
    assert ["is used up" in of_turn for of_turn in notes] == [True, False]


async def test_a_place_set_to_a_tier_uses_it_until_a_tag_says_auto() -> None:
    world = World(ScriptedGateway())
    await world.store.set_setting(
        SettingChange(
            scope_id=str(PLACE), name="tier", after="full", user_id="ada", at=world.clock.now()
        )
    )
    full = await world.ask("Hi")
    auto = await world.ask("@auto Hi", "m2")
    assert full.reply.footer is not None
    assert auto.reply.footer is not None
    assert (full.reply.footer.tier, auto.reply.footer.tier) == (Tier.FULL, Tier.FREE)


async def test_heavier_answers_the_same_prompt_one_tier_up() -> None:
    world = World(ScriptedGateway("Light", "Heavy"))
    await world.ask("@fast Hi")
    await world.inbox.heavier("test:m1", event_id="e1", user_id="ada")
    await world.responder.answer("test:e1")
    assert world.delivery.last.reply.footer is not None
    assert world.delivery.last.reply.footer.tier is Tier.CHEAP
    assert world.gateway.calls[1].messages[-1].text == "Hi"


async def test_another_served_model_is_named() -> None:
    served = completion("Hi", model_id="p/other-model")
    sink = await World(ScriptedGateway(served)).ask("Hi")
    assert sink.reply.footer is not None
    assert sink.reply.footer.model == "other-model"


async def test_every_call_leaves_one_entry() -> None:
    world = World(ScriptedGateway(AuthenticationError(), "Hello"))
    await world.ask("Hi")
    entries = await world.store.entries("test:m1")
    assert [(e.call_id, e.status) for e in entries] == [
        ("test:m1:answer1", CallStatus.FAILED),
        ("test:m1:answer2", CallStatus.DONE),
    ]


class _Crash(BaseException):
    """Nothing that anybody handles."""


class _CrashingSink(RecordingSink):
    async def finish(self, reply: Reply) -> None:
        raise _Crash


class _CrashingDelivery(RecordingDelivery):
    async def open(self, turn: object) -> RecordingSink:
        return _CrashingSink()
