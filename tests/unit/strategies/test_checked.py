"""A doubtful answer is looked at before a person sees it, and asked anew once."""

import asyncio

import pytest

from bot.calls import Purpose
from bot.catalog import Tier
from bot.errors import ProviderUnavailableError
from bot.ledger import CallStatus
from bot.messages import Attachment
from bot.money import NANOUSD
from bot.replies import Reply
from bot.router import Router
from bot.routes import RouteRequest
from bot.settings import SettingChange
from bot.strategies.checked import PASSED, to_heavier
from bot.turns import Turn, TurnStatus
from tests.fakes import (
    NOON,
    Cut,
    FixedEstimator,
    Hang,
    RecordingSink,
    Script,
    ScriptedGateway,
    catalog,
    incoming,
)
from tests.unit.world import World

UNSURE = FixedEstimator(0.7, 0.74, 0.9)
"""The free tier is chosen, and may well fail."""
GOOD = "The index is a B-tree, which keeps its keys in order."
BETTER = "A better answer."


async def _world(*script: Script, estimator: FixedEstimator = UNSURE, **more: object) -> World:
    world = World(ScriptedGateway(*script), estimator=estimator, **more)  # type: ignore[arg-type]  # test data
    for name, value in (("check", "on"), ("dial", "0")):
        await world.store.set_setting(
            SettingChange(scope_id="test/w", name=name, after=value, user_id="ada", at=NOON)
        )
    return world


async def _kept(world: World) -> Turn:
    turn = await world.store.turn("test:m1")
    assert turn is not None
    return turn


def _asked(world: World) -> list[tuple[str, str]]:
    return [(call.call_id.split(":")[-1], call.model.alias) for call in world.gateway.calls]


def _shown(sink: RecordingSink) -> list[tuple[str, object]]:
    return [
        (kind, event.text if isinstance(event, Reply) else event) for kind, event in sink.events
    ]


async def test_a_good_answer_is_shown_whole_once_it_is_checked() -> None:
    world = await _world(GOOD, "YES")
    sink = await world.ask("What is an index?")
    assert _asked(world) == [("answer1", "free"), ("check", "cheap")]
    assert _shown(sink) == [
        ("status", "free · free"),
        ("status", "free · free · will be checked"),
        ("status", "free · free · checking"),
        ("append", GOOD),
        ("finish", GOOD),
    ]
    assert sink.reply.notes == ()
    assert (await _kept(world)).decision["notes"] == [PASSED]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ((GOOD, "NO", BETTER), "a check found the answer wanting"),
        (("I'm unable to help with that.", BETTER), "the model declined to answer"),
        (("I'm not sure, perhaps 1648.", BETTER), "the model was not sure of its answer"),
        (("the cat " * 40, BETTER), "the answer repeated itself"),
    ],
)
async def test_a_poor_answer_is_never_shown_and_a_heavier_model_answers(
    script: tuple[str, ...], says: str
) -> None:
    world = await _world(*script)
    sink = await world.ask("What is an index?")
    assert "".join(str(text) for kind, text in sink.events if kind == "append") == BETTER
    assert sink.reply.text == BETTER
    assert sink.reply.notes == (f"free answered first, but {says}, so I asked a heavier model.",)
    decision = (await _kept(world)).decision
    assert (decision["model"], decision["tier"]) == ("cheap", "cheap")
    assert decision["notes"] == list(sink.reply.notes)


async def test_all_its_calls_are_in_the_ledger_and_in_the_footers_total() -> None:
    world = await _world(GOOD, "NO", BETTER)
    sink = await world.ask("What is an index?")
    entries = await world.store.entries("test:m1")
    assert [entry.purpose for entry in entries] == [Purpose.ANSWER, Purpose.CHECK, Purpose.ANSWER]
    assert sink.reply.footer is not None
    assert sink.reply.footer.cost == sum(entry.cost or 0 for entry in entries)
    assert sink.reply.footer.tier is Tier.CHEAP


async def test_the_better_answer_is_not_checked_again() -> None:
    world = await _world(GOOD, "NO", "I'm not sure either.")
    sink = await world.ask("What is an index?")
    assert sink.reply.text == "I'm not sure either."
    assert len(world.gateway.calls) == 3


@pytest.mark.parametrize("estimator", [FixedEstimator(0.95, 0.96, 0.97), FixedEstimator()])
async def test_an_answer_that_is_trusted_streams_unchecked(estimator: FixedEstimator) -> None:
    world = await _world(GOOD, estimator=estimator)
    sink = await world.ask("Hello")
    assert _asked(world) == [("answer1", "free")]
    assert len([kind for kind, _ in sink.events if kind == "append"]) > 3


async def test_an_answer_of_the_heaviest_after_the_others_failed_is_not_checked() -> None:
    down = ProviderUnavailableError("down")
    world = await _world(down, down, "I'm not sure.")
    sink = await world.ask("What is an index?")
    assert sink.reply.text == "I'm not sure."
    assert [alias for _, alias in _asked(world)] == ["free", "cheap", "full"]


async def test_when_every_judge_failed_a_moment_ago_the_answer_is_shown() -> None:
    down = ProviderUnavailableError("down")
    world = await _world(down, down, down, GOOD)
    responder = world.responder
    for message_id in ("m1", "m2"):
        await world.inbox.accept(incoming("What is an index?", message_id))
        await responder.answer(f"test:{message_id}")
    assert world.delivery.last.reply.text == GOOD
    assert _asked(world)[3:] == [("answer1", "free")]


async def test_what_was_asked_of_a_tier_by_tag_is_not_checked() -> None:
    world = await _world("I'm not sure.")
    sink = await world.ask("@fast What is an index?")
    assert sink.reply.text == "I'm not sure."
    assert _asked(world) == [("answer1", "free")]


async def test_where_no_heavier_model_is_allowed_nothing_is_held_back() -> None:
    world = await _world("I'm not sure.")
    await world.store.set_setting(
        SettingChange(scope_id="test/w", name="max_tier", after="free", user_id="ada", at=NOON)
    )
    await world.ask("What is an index?")
    assert _asked(world) == [("answer1", "free")]


@pytest.mark.parametrize("verdict", ["Perhaps.", "", ProviderUnavailableError("down")])
async def test_without_a_clear_no_the_answer_is_shown(verdict: str | Exception) -> None:
    world = await _world(GOOD, verdict)
    assert (await world.ask("What is an index?")).reply.text == GOOD


async def test_a_judge_does_not_see_pictures_so_it_is_not_asked() -> None:
    world = await _world(GOOD)
    file = Attachment(name="a.txt", media_type="text/plain", size_bytes=1, text="x")
    sink = await world.ask("What is this?", attachments=(file,))
    assert sink.reply.text == GOOD
    assert _asked(world) == [("answer1", "free")]


async def test_the_judge_is_told_what_was_said_before() -> None:
    world = await _world("It is Paris.", "YES", GOOD, "YES")
    await world.ask("What is the capital of France?")
    await world.ask("And how many people live there now?", "m2")
    check = world.gateway.calls[3]
    assert check.purpose is Purpose.CHECK
    assert "It is Paris." in check.messages[0].text


async def test_when_nobody_heavier_answers_the_first_answer_is_shown_and_it_is_said() -> None:
    down = ProviderUnavailableError("down")
    world = await _world("I'm not sure, perhaps 1648.", down, down)
    sink = await world.ask("When did it end?")
    assert sink.reply.text == "I'm not sure, perhaps 1648."
    assert sink.reply.notes == (
        "I checked this and the model was not sure of its answer, "
        "but no heavier model could answer.",
    )


async def test_without_a_budget_for_a_better_answer_the_first_is_shown() -> None:
    world = await _world("I'm not sure, perhaps 1648.", cap=NANOUSD // 2000)
    sink = await world.ask("When did it end?")
    assert sink.reply.text == "I'm not sure, perhaps 1648."
    assert sink.reply.notes


async def test_a_cut_in_what_is_held_back_is_nobodys_trouble() -> None:
    world = await _world(Cut("Half an", ProviderUnavailableError("cut")), GOOD, "YES")
    sink = await world.ask("What is an index?")
    assert sink.reply.text == GOOD
    assert "Half an" not in str(sink.events)


async def test_a_cut_in_the_better_answer_ends_the_turn_with_what_was_shown() -> None:
    world = await _world(GOOD, "NO", Cut("Half an", ProviderUnavailableError("cut")))
    sink = await world.ask("What is an index?")
    assert sink.reply.text == "Half an"
    assert "cut off" in sink.reply.notes[0]


@pytest.mark.parametrize(
    ("script", "paid"),
    [((), 0), ((GOOD,), 1), ((GOOD, "NO"), 2)],
)
async def test_after_a_crash_no_finished_step_is_paid_again(
    script: tuple[str, ...], paid: int
) -> None:
    hang = Hang()
    world = await _world(*script, hang)
    task = asyncio.create_task(world.ask("What is an index?"))
    await hang.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    world.gateway.script = list((GOOD, "NO", BETTER)[paid:])
    await world.responder.answer("test:m1")
    assert world.delivery.last.reply.text == BETTER
    assert len(world.gateway.calls) == 4  # the three, and the one that was cut off


@pytest.mark.parametrize("script", [(), (GOOD,)])
async def test_stop_ends_what_is_held_back_and_its_check(script: tuple[str, ...]) -> None:
    hang = Hang("Half an")
    world = await _world(*script, hang)
    task = asyncio.create_task(world.ask("What is an index?"))
    await hang.reached.wait()
    await world.inbox.stop("test:m1")
    task.cancel()
    sink = await task
    assert await world.status() is TurnStatus.CANCELLED
    assert sink.reply.text == ""
    assert sink.reply.notes == ("Stopped.",)
    entries = await world.store.entries("test:m1")
    assert entries[-1].status is CallStatus.CANCELLED
    assert sink.reply.footer is not None
    assert sink.reply.footer.model == "free"  # not the judge's


@pytest.mark.parametrize(
    ("estimator", "dial", "heavier"),
    [(FixedEstimator(0.7, 0.74, 0.9), 0, "cheap"), (FixedEstimator(0.74, 0.74, 0.99), 6, "full")],
)
def test_the_best_of_the_tiers_above_is_asked(
    estimator: FixedEstimator, dial: int, heavier: str
) -> None:
    request = RouteRequest(prompt="Hi", input_tokens=100, dial=dial)
    decision = Router(catalog(), estimator).route(request)
    assert decision.model.alias == "free"
    found = to_heavier(decision, decision.model)
    assert found is not None
    assert found.model.alias == heavier
