"""Several voices at once: judged without names, counted, or shown; a missing one is named."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import Catalog, Tier
from bot.errors import ProviderUnavailableError, RateLimitError
from bot.messages import Message, Role
from bot.responder import APOLOGY
from bot.strategies.ensemble import Voice, judged_messages, shuffled
from bot.strategies.stage import Said
from bot.turns import TurnStatus
from tests.fakes import completion, model
from tests.unit.strategies.discussing import HANG, Line, Playing, World, labels
from tests.unit.strategies.examples import entry

PARTS: dict[str, Line] = {
    "ada": "It is 42, by counting.",
    "bob": "It is 42, by theory.",
    "eve": "It is 41.",
    "judge": "It is 42.\n\n**Agreement** two say 42",
}
QUESTION = "ensemble What is the answer?"


def _world(**parts: Line) -> World:
    return World(Playing({**PARTS, **parts}))


async def test_three_voices_answer_and_a_judge_makes_one_answer() -> None:
    world = _world()
    sink = await world.ask(QUESTION)
    assert sorted(world.gateway.steps) == [
        ("judge", "ada"), ("propose1", "ada"), ("propose2", "bob"), ("propose3", "eve"),
    ]  # fmt: skip
    assert labels(sink) == ["Ensemble", "Voice 1 · ada", "Voice 2 · bob", "Voice 3 · eve"]
    assert sink.reply.text == PARTS["judge"]
    assert ("append", PARTS["judge"]) in sink.events


async def test_the_first_message_names_the_players_and_the_estimate() -> None:
    plan = (await _world().ask(QUESTION)).branches["plan"].reply.text
    assert plan.startswith(
        "**ada, bob and eve** answer at once, without seeing one another; then **ada** makes one "
        "answer of theirs, not knowing whose is whose. About $0."
    )


async def test_the_end_names_whose_answer_was_which_and_how_far_they_agree() -> None:
    notes = (await _world().ask(QUESTION)).reply.notes
    assert notes[0] == "One answer of 3, by ada."
    assert {"ada", "bob", "eve"} <= set(notes[1].removeprefix("Of the answers, ").replace(
        ",", "").rstrip(".").split())  # fmt: skip
    assert notes[2].startswith("Agreement in wording: ")
    assert notes[-1].startswith("4 calls, $0.")


async def test_the_voices_answer_at_once() -> None:
    world = _world(propose1=f"Half{HANG}")
    sink = await world.stopped_at(QUESTION)
    assert sink.branches["propose2"].reply.text == PARTS["bob"]
    assert sink.branches["propose3"].reply.text == PARTS["eve"]


async def test_long_answers_are_brief_in_a_channel_but_not_when_they_are_to_be_shown() -> None:
    judged = await _world().ask(QUESTION)
    shown = await _world().ask("ensemble mode:show What is the answer?")
    assert judged.branches["propose1"].is_brief
    assert not shown.branches["propose1"].is_brief


async def test_the_judge_sees_numbers_and_no_names() -> None:
    world = _world(bob="As bob-9, I say 42.")
    await world.ask(QUESTION)
    told = world.gateway.said_to("judge")
    assert all(f'<answer number="{number}">' in told for number in (1, 2, 3))
    assert not any(name in told for name in ("ada", "bob", "eve", "p1/", "p2/", "p3/"))


async def test_a_voice_that_fails_is_missing_and_named() -> None:
    sink = await _world(propose2=RateLimitError("Too many.")).ask(QUESTION)
    assert sink.reply.text == PARTS["judge"]
    assert "bob is missing: Too many." in sink.reply.notes
    assert sink.branches["propose2"].notice.text == "bob did not answer: Too many."


async def test_a_voice_that_refuses_or_says_nothing_is_missing() -> None:
    filtered = replace(completion(""), finish_reason="content_filter")
    sink = await _world(propose2=filtered, propose3=completion("")).ask(QUESTION)
    assert sink.reply.text == PARTS["ada"]
    assert sink.reply.notes[0] == "Only ada answered, so there was nothing to judge."
    assert [note.split(":")[0] for note in sink.reply.notes if "missing" in note] == [
        "bob is missing", "eve is missing",
    ]  # fmt: skip


async def test_when_no_voice_answers_the_fault_is_told() -> None:
    down = ProviderUnavailableError("All are down.")
    world = _world(ada=down, bob=down, eve=down)
    sink = await world.ask(QUESTION)
    assert sink.notice.text == "All are down."
    assert (await world.turn()).status is TurnStatus.FAILED


async def test_an_unknown_fault_of_a_voice_ends_the_others_with_an_apology() -> None:
    world = _world(ada=f"Half{HANG}", bob=ValueError("odd"), eve=f"Half{HANG}")
    sink = await world.ask(QUESTION)
    assert sink.notice.text == APOLOGY
    assert sink.branches["propose1"].reply.notes == ("This was broken off.",)
    assert (await world.turn()).status is TurnStatus.FAILED


async def test_without_a_judge_the_answer_most_like_the_others_stands() -> None:
    down = ProviderUnavailableError("Down.")
    world = _world(judge=down, **{"judge.2": down, "judge.3": down})
    sink = await world.ask(QUESTION)
    assert sink.reply.text in (PARTS["ada"], PARTS["bob"])
    assert sink.reply.notes[0].startswith("There is no judgement: Down.")


async def test_another_model_judges_when_the_judge_fails() -> None:
    parts: dict[str, Line] = {"judge": ProviderUnavailableError(), "judge.2": "Judged by bob."}
    sink = await _world(**parts).ask(QUESTION)
    assert sink.reply.text == "Judged by bob."
    assert sink.reply.notes[0] == "One answer of 3, by bob."


async def test_a_vote_counts_equal_answers_in_other_forms() -> None:
    world = _world(ada="So:\nANSWER: 42.0", bob="**Answer:** 42", eve="ANSWER: 41")
    sink = await world.ask("ensemble mode:vote What is the answer?")
    assert sink.reply.text == ("**42**, with 2 of 3 votes\n\n- 42 · 2 · ada, bob\n- 41 · 1 · eve")
    assert "Agreement: 2 of 3." in sink.reply.notes
    assert sink.reply.footer is not None
    assert sink.reply.footer.model == "3 voices"


async def test_a_tie_is_shown() -> None:
    world = _world(ada="ANSWER: yes", bob="ANSWER: no")
    sink = await world.ask("ensemble models:ada,bob mode:vote Is it?")
    assert sink.reply.text.startswith("**No two agree**: 2 voices, 2 answers")


async def test_a_tie_of_several_voices_each_is_shown() -> None:
    yes, no = "ANSWER: yes", "ANSWER: no"
    world = _world(propose1=yes, propose2=no, propose3=no, propose4=yes)
    sink = await world.ask("ensemble mode:vote models:ada n:4 Is it?")
    assert sink.reply.text == (
        "**A tie**, with 2 votes each\n\n- no · 2 · ada (2), ada (3)\n- yes · 2 · ada (1), ada (4)"
    )


async def test_show_leaves_every_answer_as_it_is_and_remembers_them() -> None:
    world = _world(answer1="As I said.")
    sink = await world.ask("ensemble mode:show What is the answer?")
    assert sink.branches["propose3"].reply.text == PARTS["eve"]
    assert sink.reply.text == "3 answers, each as it was given: **ada**, **bob**, **eve**."
    await world.ask("Which is best?", "m2")
    remembered = world.gateway.calls[-1].messages[-2].text
    assert all(str(PARTS[name]) in remembered for name in ("ada", "bob", "eve"))


async def test_more_voices_than_models_are_as_many_as_there_are_and_it_is_said() -> None:
    world = _world()
    sink = await world.ask("ensemble n:6 What is the answer?")
    assert len(world.gateway.calls) == 4
    assert "Only 3 models here can take this" in sink.branches["plan"].reply.text


async def test_one_model_speaks_with_several_voices_and_it_is_said() -> None:
    world = World(Playing({**PARTS}), Catalog((model("ada", Tier.FULL),)))
    sink = await world.ask("ensemble n:3 What is the answer?")
    asked = [c.messages[-1].text for c in world.gateway.calls if "propose" in c.call_id]
    assert len(set(asked)) == 3
    assert "the only model here" in sink.branches["plan"].reply.text
    assert "ada (1)" in sink.reply.notes[1]


async def test_named_models_are_the_voices() -> None:
    world = _world()
    await world.ask("ensemble models:eve,bob What is the answer?")
    assert sorted(world.gateway.steps)[1:] == [("propose1", "eve"), ("propose2", "bob")]


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("ensemble models:ada,bob n:3 Why?", "not both"),
        ("ensemble models:ada,zoe Why?", "There is no model `zoe`."),
        ("ensemble n:9 Why?", "`n:` takes 2, 3"),
        ("ensemble mode:show", "needs a question"),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_spent(prompt: str, sentence: str) -> None:
    world = _world()
    sink = await world.ask(prompt)
    assert sentence in sink.notice.text
    assert world.gateway.calls == []


async def test_a_low_budget_leaves_voices_out_and_says_so() -> None:
    world = _world()
    world.cap = 45_000_000
    sink = await world.ask(QUESTION)
    assert "The budget has no room for more: ada and bob answer." in (
        sink.branches["plan"].reply.text
    )


async def test_a_budget_that_ends_half_way_gives_the_most_typical_answer() -> None:
    world = _world(propose2=completion(str(PARTS["bob"]), output_tokens=12_000))
    world.cap = 193_000_000
    sink = await world.ask(QUESTION)
    assert sink.reply.text in (PARTS["ada"], PARTS["bob"])
    assert sink.reply.notes[0].startswith("There is no judgement: The budget of $0.19")


async def test_a_budget_of_nothing_is_refused() -> None:
    world = _world()
    world.cap = 1
    sink = await world.ask(QUESTION)
    assert "has no room for this" in sink.notice.text
    assert world.gateway.calls == []


@pytest.mark.parametrize(
    ("step", "again"), [("propose2", ["propose2", "judge"]), ("judge", ["judge"])]
)
async def test_after_a_crash_only_the_unfinished_steps_are_paid(
    step: str, again: list[str]
) -> None:
    world = _world(**{step: f"Half{HANG}"})
    await world.killed_at(QUESTION)
    world.gateway = Playing({**PARTS})
    await world.responder.answer("test:m1")
    assert [name for name, _ in world.gateway.steps] == again
    assert world.delivery.last.reply.text == PARTS["judge"]
    assert labels(world.delivery.last) == [
        "Ensemble", "Voice 1 · ada", "Voice 2 · bob", "Voice 3 · eve",
    ]  # fmt: skip


async def test_the_judge_reads_the_same_after_a_crash() -> None:
    world = _world(judge=f"Half{HANG}")
    await world.killed_at(QUESTION)
    before = world.gateway.said_to("judge")
    world.gateway = Playing({**PARTS})
    await world.responder.answer("test:m1")
    assert world.gateway.said_to("judge") == before


async def test_stop_while_the_judge_writes_keeps_its_text() -> None:
    world = _world(judge=f"Half{HANG}")
    sink = await world.stopped_at(QUESTION)
    assert (sink.reply.text, sink.reply.notes) == ("Half", ("Stopped.",))
    assert all(entry.spent for entry in await world.entries())


async def test_stop_while_voices_answer_ends_each_of_them() -> None:
    world = _world(ada=f"a{HANG}", bob=f"b{HANG}", eve=f"c{HANG}")
    sink = await world.stopped_at(QUESTION)
    voices = [sink.branches[f"propose{n}"].reply for n in (1, 2, 3)]
    assert [(v.text, v.notes) for v in voices] == [
        (text, ("Stopped.",)) for text in ("a", "b", "c")
    ]
    await asyncio.sleep(0)
    assert {entry.status.value for entry in await world.entries()} == {"cancelled"}


@given(st.permutations(range(4)), st.text(max_size=20))
def test_the_judges_order_depends_on_the_turn_alone(order: list[int], turn_id: str) -> None:
    voices = [_voice(n) for n in range(4)]
    same = shuffled([voices[n] for n in order], turn_id)
    assert [v.name for v in same] == [v.name for v in shuffled(voices, turn_id)]


@given(st.lists(st.text(max_size=200), min_size=2, max_size=6))
def test_the_judge_never_sees_a_model_id_or_an_alias_of_ours(texts: list[str]) -> None:
    voices = [_voice(n, f"{text} says vendor/quux-{n}-x") for n, text in enumerate(texts)]
    asked = (Message(role=Role.USER, text="Why?"),)
    told = judged_messages(asked, shuffled(voices, "t"), 1_000)[-1].text
    assert not any(f"quux-{n}-x" in told or f"<voice-{n}>" in told for n in range(len(texts)))


def _voice(number: int, text: str = "text") -> Voice:
    spec = model(f"quux{number}", model_id=f"vendor/quux-{number}-x")
    said = Said(entry=entry(f"propose{number}", text=text), model=spec)
    return Voice(name=f"<voice-{number}>", said=said)


async def test_answers_of_50_kb_fit_into_the_judges_window() -> None:
    long = "word " * 10_000
    models = Catalog(
        tuple(
            model(alias, Tier.FULL, provider=alias, context_tokens=4_000, max_output_tokens=500)
            for alias in ("ada", "bob", "eve")
        )
    )
    world = World(Playing({**PARTS, "ada": long, "bob": long, "eve": long}), models)
    sink = await world.ask(QUESTION)
    assert sink.reply.text == PARTS["judge"]
    assert world.gateway.said_to("judge").count("characters are left out here") == 3
