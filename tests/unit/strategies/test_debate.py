"""A debate corrects what is wrong, ends early, and survives whatever fails on the way."""

import asyncio

import pytest

from bot.catalog import Catalog, Tier
from bot.errors import DeliveryError, ProviderUnavailableError, StreamCutError
from bot.ledger import CallStatus
from bot.messages import Attachment
from bot.replies import Reply
from bot.turns import Turn, TurnStatus
from tests.fakes import RecordingDelivery, RecordingSink, completion, incoming, model
from tests.unit.strategies.discussing import HANG, Playing, World, labels

WRONG, RIGHT = "The capital of Australia is Sydney.", "The capital of Australia is Canberra."
OBJECTION = "- [serious] The capital is Canberra, not Sydney."
PARTS = {"propose1": WRONG, "criticise1": OBJECTION, "revise1": RIGHT}
QUESTION = "debate What is the capital of Australia?"


def _world(**parts: object) -> World:
    return World(Playing({**PARTS, **parts}))  # type: ignore[dict-item]  # test data


async def test_a_planted_error_is_corrected() -> None:
    world = _world()
    sink = await world.ask(QUESTION)
    assert sink.reply.text == RIGHT
    assert world.gateway.steps == [("propose1", "ada"), ("criticise1", "bob"), ("revise1", "ada")]
    assert sink.reply.notes[0] == (
        "Final answer: revised once by ada after 1 serious objection by bob."
    )


async def test_each_step_is_a_message_of_its_own_and_the_last_is_the_answer() -> None:
    sink = await _world().ask(QUESTION)
    assert labels(sink) == ["Debate", "Answer · ada", "Critique · bob"]
    assert sink.branches["propose1"].reply.text == WRONG
    assert sink.branches["criticise1"].reply.text == OBJECTION
    assert ("append", RIGHT) in sink.events


async def test_the_first_message_names_the_players_and_the_estimate() -> None:
    sink = await _world().ask(QUESTION)
    plan = sink.branches["plan"].reply.text
    assert plan.startswith("**ada** answers, **bob** criticises, ada revises, once. About $0.0")
    assert "at most $0." in plan


async def test_each_step_shows_its_cost_and_the_end_the_total() -> None:
    world = _world()
    sink = await world.ask(QUESTION)
    shown = [sink.branches[name].reply.footer for name in ("propose1", "criticise1")]
    total = sum(entry.spent for entry in await world.entries())
    assert all(footer is not None and footer.cost for footer in shown)
    assert sink.reply.footer is not None
    assert sink.reply.footer.cost == total
    assert sink.reply.notes[-1].startswith("3 calls, $0.")


async def test_the_critic_sees_question_and_answer_and_the_reviser_the_objection() -> None:
    world = _world()
    await world.ask(QUESTION)
    assert "What is the capital of Australia?" in world.gateway.said_to("criticise1")
    assert WRONG in world.gateway.said_to("criticise1")
    assert "The capital is Canberra" in world.gateway.said_to("revise1")


@pytest.mark.parametrize("critique", ["NO OBJECTIONS", "- [minor] Say since when.", "[]"])
async def test_it_ends_early_when_nothing_serious_is_left(critique: str) -> None:
    world = _world(criticise1=critique)
    sink = await world.ask(f"{QUESTION} rounds:3")
    assert sink.reply.text == WRONG
    assert [step for step, _ in world.gateway.steps] == ["propose1", "criticise1"]
    assert "so this answer stands" in sink.reply.notes[1]


async def test_three_rounds_revise_three_times() -> None:
    parts = {f"criticise{n}": OBJECTION for n in (1, 2, 3)} | {f"revise{n}": RIGHT for n in (1, 2)}
    sink = await _world(**parts, revise3="Third").ask(f"debate rounds:3 {QUESTION[7:]}")
    assert sink.reply.text == "Third"
    assert "revised 3 times by ada after 3 serious objections" in sink.reply.notes[0]


async def test_a_second_round_criticises_the_revision() -> None:
    world = _world(criticise2="NO OBJECTIONS")
    sink = await world.ask(f"{QUESTION} rounds:2")
    assert RIGHT in world.gateway.said_to("criticise2")
    assert labels(sink)[-1] == "Critique · bob"
    assert sink.branches["revise1"].reply.text == RIGHT
    assert sink.reply.text == RIGHT


async def test_a_critic_that_fails_leaves_the_answer_and_it_is_said() -> None:
    sink = await _world(criticise1=ProviderUnavailableError()).ask(QUESTION)
    assert sink.reply.text == WRONG
    assert "bob did not criticise it, so the answer stands" in sink.reply.notes[1]
    assert "bob did not answer" in sink.branches["criticise1"].notice.text


async def test_a_reviser_that_fails_leaves_the_answer_and_it_is_said() -> None:
    sink = await _world(revise1=ProviderUnavailableError()).ask(QUESTION)
    assert sink.reply.text == WRONG
    assert "ada did not revise its answer" in sink.reply.notes[1]


@pytest.mark.parametrize("failure", [ProviderUnavailableError(), completion("")])
async def test_a_proposer_that_fails_is_followed_by_another_who_also_revises(
    failure: object,
) -> None:
    world = _world(propose1=failure, **{"propose1.2": WRONG})
    sink = await world.ask(QUESTION)
    assert world.gateway.steps == [
        ("propose1", "ada"), ("propose1.2", "eve"), ("criticise1", "bob"), ("revise1", "eve"),
    ]  # fmt: skip
    assert sink.reply.text == RIGHT


async def test_when_nobody_answers_the_first_fault_is_told() -> None:
    down = ProviderUnavailableError("ada is down.")
    world = _world(propose1=down, **{"propose1.2": StreamCutError()})
    sink = await world.ask(QUESTION)
    assert sink.notice.text == "ada is down."
    assert (await world.turn()).status is TurnStatus.FAILED


async def test_a_critique_in_no_form_counts_as_one_serious_objection() -> None:
    sink = await _world(criticise1="Honestly, that is the largest city only.").ask(QUESTION)
    assert sink.reply.text == RIGHT


async def test_an_answer_of_50_kb_fits_into_the_critics_window() -> None:
    small = model("bob", Tier.FULL, provider="p2", context_tokens=4_000, max_output_tokens=500)
    models = Catalog((model("ada", Tier.FULL, usd="5", provider="p1"), small))
    world = World(Playing({**PARTS, "propose1": "word " * 10_000}), models)
    sink = await world.ask(QUESTION)
    assert sink.reply.text == RIGHT
    assert "characters are left out here" in world.gateway.said_to("criticise1")


async def test_one_model_debates_with_itself_under_another_instruction() -> None:
    world = World(Playing({**PARTS}), Catalog((model("ada", Tier.FULL),)))
    sink = await world.ask(QUESTION)
    assert sink.reply.text == RIGHT
    assert "the only model here" in sink.branches["plan"].reply.text
    assert "Judge it as a stranger would" in world.gateway.said_to("criticise1")


async def test_the_critic_is_of_another_provider() -> None:
    models = Catalog(
        (
            model("ada", Tier.FULL, usd="9", provider="p1"),
            model("abe", Tier.FULL, usd="8", provider="p1"),
            model("eve", Tier.CHEAP, usd="1", provider="p2"),
        )
    )
    world = World(Playing({**PARTS}), models)
    await world.ask(QUESTION)
    assert world.gateway.steps[1] == ("criticise1", "eve")


async def test_named_models_play_in_their_order() -> None:
    world = _world()
    await world.ask("debate models:eve,ada What is the capital of Australia?")
    assert world.gateway.steps == [("propose1", "eve"), ("criticise1", "ada"), ("revise1", "eve")]


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("debate models:ada,nope Why?", "There is no model `nope`."),
        ("debate models:ada,bob,eve Why?", "A debate takes two models"),
        ("debate rounds:9 Why?", "`rounds:` takes 1, 2, 3"),
        ("/debate", "needs a question"),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_spent(prompt: str, sentence: str) -> None:
    world = _world()
    sink = await world.ask(prompt)
    assert sentence in sink.notice.text
    assert world.gateway.calls == []


async def test_a_tag_limits_the_tier_of_the_players() -> None:
    world = World(Playing({**PARTS, "criticise1": "NO OBJECTIONS"}))
    await world.ask("@cheap debate What is the capital of Australia?")
    assert {alias for _, alias in world.gateway.steps} == {"eve"}


async def test_a_budget_without_room_is_refused_before_anything_is_spent() -> None:
    world = _world()
    world.cap = 1
    sink = await world.ask(QUESTION)
    assert "has no room for this" in sink.notice.text
    assert world.gateway.calls == []


async def test_a_low_budget_shortens_the_debate_and_says_so() -> None:
    world = _world(criticise1="NO OBJECTIONS")
    world.cap = 60_000_000
    sink = await world.ask(f"{QUESTION} rounds:3")
    assert "The budget has no room for more" in sink.branches["plan"].reply.text


async def test_a_round_beyond_the_budget_is_not_begun() -> None:
    dear = completion(RIGHT, output_tokens=4_000)
    world = _world(criticise1=OBJECTION, revise1=dear)
    world.cap = 90_000_000
    sink = await world.ask(f"{QUESTION} rounds:3")
    assert [step for step, _ in world.gateway.steps][-1] == "revise1"
    assert any("so it was not begun" in note for note in sink.reply.notes)
    assert sink.reply.text == RIGHT


@pytest.mark.parametrize(("step", "paid"), [("propose1", 0), ("criticise1", 1), ("revise1", 2)])
async def test_after_a_crash_only_the_unfinished_step_is_paid(step: str, paid: int) -> None:
    world = _world(**{step: f"Half{HANG}"})
    await world.killed_at(QUESTION)
    world.gateway = Playing({**PARTS})
    await world.responder.answer("test:m1")
    assert [name for name, _ in world.gateway.steps] == list(PARTS)[paid:]
    assert world.delivery.last.reply.text == RIGHT
    assert labels(world.delivery.last) == ["Debate", "Answer · ada", "Critique · bob"]


async def test_after_a_crash_the_players_are_the_same_even_if_one_fell_ill() -> None:
    world = _world(criticise1=f"Half{HANG}")
    await world.killed_at("debate models:eve,bob What is the capital of Australia?")
    world.gateway = Playing({**PARTS})
    await world.responder.answer("test:m1")
    assert world.gateway.steps == [("criticise1", "bob"), ("revise1", "eve")]


@pytest.mark.parametrize(
    ("step", "text", "billed"),
    [("propose1", "", 1), ("criticise1", WRONG, 2), ("revise1", "Half", 3)],
)
async def test_stop_bills_what_was_used_and_keeps_the_answer_so_far(
    step: str, text: str, billed: int
) -> None:
    world = _world(**{step: f"Half{HANG}"})
    sink = await world.stopped_at(QUESTION)
    entries = await world.entries()
    assert (sink.reply.text, sink.reply.notes) == (text, ("Stopped.",))
    assert len(entries) == billed
    assert entries[-1].status is CallStatus.CANCELLED
    assert all(entry.spent for entry in entries)
    assert (await world.turn()).status is TurnStatus.CANCELLED


async def test_a_step_that_is_stopped_keeps_its_text_in_its_message() -> None:
    sink = await _world(criticise1=f"Half{HANG}").stopped_at(QUESTION)
    stopped = sink.branches["criticise1"].reply
    assert (stopped.text, stopped.notes) == ("Half", ("Stopped.",))


async def test_the_outcome_joins_the_history_as_one_answer() -> None:
    world = _world(answer1="Because it was a compromise.")
    await world.ask(QUESTION)
    await world.ask("Why?", "m2")
    said = [message.text for message in world.gateway.calls[-1].messages]
    assert said[-3:] == [QUESTION, RIGHT, "Why?"]


async def test_history_and_files_are_seen_by_all_players() -> None:
    world = _world(answer1="Hello Ada.")
    await world.ask("My name is Ada.")
    note = Attachment(name="n.txt", media_type="text/plain", size_bytes=4, text="A note.")
    await world.ask(QUESTION, "m2", attachments=(note,))
    for step in PARTS:
        (call,) = [c for c in world.gateway.calls if c.call_id == f"test:m2:{step}"]
        assert any("My name is Ada." in message.text for message in call.messages)
        assert any(note in message.attachments for message in call.messages)


async def test_why_says_who_was_asked_for() -> None:
    world = _world()
    await world.ask(QUESTION)
    decision = (await world.turn()).decision
    assert (decision["strategy"], decision["model"]) == ("debate", "ada")
    assert decision["reason"] == "a debate of ada and bob was asked for"


async def test_a_platform_that_refuses_a_step_does_not_end_the_debate() -> None:
    world = _world()
    world.delivery = _Refusing()
    sink = await world.ask(QUESTION)
    assert sink.reply.text == RIGHT


async def test_a_step_that_is_shown_while_the_debate_is_stopped_is_shown_to_its_end() -> None:
    world = _world()
    world.delivery = delivery = _Slow()
    await world.inbox.accept(incoming(QUESTION))
    task = asyncio.create_task(world.responder.answer("test:m1"))
    await delivery.is_ending.wait()
    await world.inbox.stop("test:m1")
    task.cancel()  # what the queue does when it is told to
    await asyncio.sleep(0)
    delivery.may_end.set()
    await task
    assert delivery.last.branches["propose1"].reply.text == WRONG
    assert delivery.last.reply.notes == ("Stopped.",)


class _SlowStep(RecordingSink):
    """Takes its time to show its end, once anything was written in it."""

    def __init__(self, delivery: "_Slow", label: str) -> None:
        super().__init__(label)
        self.delivery = delivery

    async def finish(self, reply: Reply) -> None:
        if self.events:
            self.delivery.is_ending.set()
            await self.delivery.may_end.wait()
        await super().finish(reply)


class _SlowSteps(RecordingSink):
    def __init__(self, delivery: "_Slow") -> None:
        super().__init__()
        self.delivery = delivery

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> RecordingSink:
        self.branches[name] = _SlowStep(self.delivery, label)
        return self.branches[name]


class _Slow(RecordingDelivery):
    def __init__(self) -> None:
        super().__init__()
        self.is_ending, self.may_end = asyncio.Event(), asyncio.Event()

    async def open(self, turn: Turn) -> RecordingSink:
        self.sinks.append(_SlowSteps(self))
        return self.last


class _RefusingStep(RecordingSink):
    async def finish(self, reply: Reply) -> None:
        raise DeliveryError


class _RefusingSteps(RecordingSink):
    def branch(self, name: str, label: str, *, is_brief: bool = False) -> RecordingSink:
        return _RefusingStep()


class _Refusing(RecordingDelivery):
    async def open(self, turn: Turn) -> RecordingSink:
        self.sinks.append(_RefusingSteps())
        return self.last
