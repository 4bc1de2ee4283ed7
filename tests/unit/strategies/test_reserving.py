"""The estimate of a debate or an ensemble is one sum on the budgets, from its begin to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.budget import Limit, limits_for
from bot.catalog import Catalog, Tier
from bot.errors import ProviderUnavailableError
from bot.money import NANOUSD
from bot.settings import Settings
from bot.strategies.steps import to_steps
from bot.turns import TurnStatus
from tests.fakes import completion, incoming, model, monthly
from tests.unit.strategies.discussing import HANG, Playing, World

PARTS = {"propose1": "Sydney.", "criticise1": "- [serious] No.", "revise1": "Canberra."}
VOICES = {"ada": "42", "bob": "42", "eve": "41", "judge": "42"}
DEBATE, ENSEMBLE = "debate rounds:2 Which is it?", "ensemble Which is it?"


def _world(**parts: object) -> World:
    lines = {**VOICES, **PARTS, "criticise2": "NO OBJECTIONS", **parts}
    return World(Playing(lines))  # type: ignore[arg-type]  # test data


def _limits(world: World, at: datetime | None = None) -> tuple[Limit, ...]:
    key = incoming("").key
    return limits_for(key, "ada", Settings(), monthly(world.cap), at or world.clock.at)


async def _used(world: World, at: datetime | None = None) -> tuple[int, int]:
    (state,) = await world.store.states(_limits(world, at))
    return state.spent, state.held


async def _estimate(world: World) -> int:
    estimate = (await world.turn()).decision["estimated_cost"]
    assert isinstance(estimate, int)
    return estimate


async def _spent(world: World, *message_ids: str) -> int:
    entries = [await world.entries(name) for name in message_ids or ("m1",)]
    return sum(entry.spent for each in entries for entry in each)


@pytest.mark.parametrize(("prompt", "step"), [(DEBATE, "criticise1"), (ENSEMBLE, "judge")])
async def test_while_it_runs_its_whole_estimate_is_held_or_spent(prompt: str, step: str) -> None:
    world = _world(**{step: f"Half{HANG}"})
    await world.killed_at(prompt)
    spent, held = await _used(world)
    assert spent + held >= await _estimate(world) > 0


@pytest.mark.parametrize(("prompt", "step"), [(DEBATE, "criticise1"), (ENSEMBLE, "judge")])
async def test_a_crash_and_a_further_run_do_not_reserve_twice(prompt: str, step: str) -> None:
    world = _world(**{step: f"Half{HANG}"})
    await world.killed_at(prompt)
    before = await _used(world)
    world.gateway = Playing({**VOICES, **PARTS, step: f"Half{HANG}"})
    task = await world.going("test:m1")
    spent, held = await _used(world)
    assert spent + held <= sum(before) + max(e.hold for e in await world.entries())
    await world.end(task)
    world.gateway = Playing({**VOICES, **PARTS, "criticise2": "NO OBJECTIONS"})
    await world.responder.answer("test:m1")
    assert await _used(world) == (await _spent(world), 0)


async def test_nothing_is_held_after_the_end_a_stop_or_a_failure() -> None:
    ended, failed = _world(), _world(propose1=ProviderUnavailableError(), ada="", bob="", eve="")
    stopped = _world(criticise1=f"Half{HANG}")
    await ended.ask(DEBATE)
    await stopped.stopped_at(DEBATE)
    await failed.ask(DEBATE)
    assert (await failed.turn()).status is TurnStatus.FAILED
    for world in (ended, stopped, failed):
        assert await _used(world) == (await _spent(world), 0)


async def test_two_debates_at_once_share_what_one_alone_would_have() -> None:
    world = _world(propose1=f"Half{HANG}")
    world.cap = 90_000_000
    await world.killed_at(DEBATE)
    world.gateway = Playing({**VOICES, **PARTS})
    second = await world.ask(DEBATE, "m2", key=replace(incoming("").key, thread_id="other"))
    assert "The budget has no room for more" in second.branches["plan"].reply.text


async def test_without_any_room_it_is_refused_in_words_and_keeps_no_plan() -> None:
    world = _world()
    world.cap = 1_000
    sink = await world.ask(ENSEMBLE)
    assert sink.notice.text.startswith("The budget of <$0.0001 a month has no room for this.")
    assert (await world.turn()).decision == {}
    assert await _used(world) == (0, 0)


async def test_free_models_need_no_reservation() -> None:
    world = _world()
    world.models = Catalog((model("ada", Tier.FREE, usd="0"), model("bob", Tier.FREE, usd="0")))
    world.cap = 0
    sink = await world.ask(DEBATE)
    assert sink.reply.text == "Canberra."
    assert "It costs nothing" in sink.branches["plan"].reply.text


async def test_it_is_settled_in_the_window_in_which_it_began() -> None:
    world = _world(criticise1=f"Half{HANG}")
    world.clock.at = began = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    await world.killed_at(DEBATE)
    world.clock.at = after = began + timedelta(minutes=2)
    world.gateway = Playing({**VOICES, **PARTS, "criticise2": "NO OBJECTIONS"})
    await world.responder.answer("test:m1")
    assert await _used(world, began) == (await _spent(world), 0)
    assert (await world.store.states(_limits(world, after)))[0].held == 0


@pytest.mark.parametrize("prompt", [DEBATE, ENSEMBLE])
async def test_after_a_crash_the_plan_is_announced_as_before_and_can_be_read_again(
    prompt: str,
) -> None:
    world = _world(criticise1=f"Half{HANG}", judge=f"Half{HANG}")
    await world.killed_at(prompt)
    said = world.delivery.last.branches["plan"].reply.text
    (plan, *_) = to_steps(await world.turn(), ())
    assert plan.reply is not None
    assert (plan.label, plan.reply.text) == (prompt.split()[0].capitalize(), said)
    world.gateway = Playing({**VOICES, **PARTS, "criticise2": "NO OBJECTIONS"})
    await world.responder.answer("test:m1")
    assert world.delivery.last.branches["plan"].reply.text == said


async def test_a_debate_that_was_made_shorter_stays_so_after_a_crash() -> None:
    world = _world(criticise1=f"Half{HANG}")
    world.cap = 45_000_000
    await world.killed_at("debate rounds:3 Which is it?")
    said = world.delivery.last.branches["plan"].reply.text
    world.cap = 20 * NANOUSD
    world.gateway = Playing({**VOICES, **PARTS})
    await world.responder.answer("test:m1")
    assert "1 of 3 rounds" in said
    assert world.delivery.last.branches["plan"].reply.text == said
    assert [step for step, _ in world.gateway.steps] == ["criticise1", "revise1"]


@given(
    cap=st.integers(0, 400_000_000),
    tokens=st.lists(st.integers(1, 1_500), min_size=4, max_size=4),
    prompt=st.sampled_from([DEBATE, ENSEMBLE, "ensemble mode:vote Which?"]),
)
@settings(max_examples=60, deadline=None)
async def test_whatever_it_costs_the_cap_holds_and_the_sums_agree(
    cap: int, tokens: list[int], prompt: str
) -> None:
    steps = ("propose1", "propose2", "criticise1", "revise1")
    written = {
        step: completion(str({**VOICES, **PARTS}.get(step, "42")), output_tokens=count)
        for step, count in zip(steps, tokens, strict=True)
    }
    world = _world(**written)
    world.gateway.keeps_limits = True
    world.cap = cap
    await world.ask(prompt)
    spent, held = await _used(world)
    assert (spent, held) == (await _spent(world), 0)
    assert spent <= cap
