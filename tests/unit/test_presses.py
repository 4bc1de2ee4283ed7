"""A button does the same wherever it is pressed; who pressed hears of it where nobody else does."""

from dataclasses import replace

import pytest

from bot.catalog import Tier
from bot.presses import FINISHED, GONE, THANKS, UNKNOWN, Press, act
from bot.replies import Action
from tests.fakes import ScriptedGateway, incoming
from tests.unit.world import World

PRESS = Press(action=Action.WHY, turn_id="test:m1", event_id="p1", user_id="ben")


async def _answered() -> World:
    world = World(ScriptedGateway("Once", "Twice"))
    await world.ask("Hi")
    return world


async def _press(world: World, action: Action) -> str:
    return await act(replace(PRESS, action=action), world.inbox, world.store)


async def test_why_tells_how_the_answer_came_about() -> None:
    assert (await _press(await _answered(), Action.WHY)).startswith("**free**")


@pytest.mark.parametrize(
    ("action", "told"), [(Action.WHY, UNKNOWN), (Action.STOP, FINISHED), (Action.AGAIN, GONE)]
)
async def test_says_so_when_the_turn_is_not_known(action: Action, told: str) -> None:
    assert await _press(World(ScriptedGateway()), action) == told


async def test_a_stop_that_comes_too_late_says_so() -> None:
    assert await _press(await _answered(), Action.STOP) == FINISHED


async def test_a_stop_in_time_says_nothing() -> None:
    world = World(ScriptedGateway())
    await world.inbox.accept(incoming("Hi"))
    assert await _press(world, Action.STOP) == ""


@pytest.mark.parametrize(("action", "mark"), [(Action.GOOD, 1), (Action.BAD, -1)])
async def test_a_thumb_is_kept_and_thanked_for(action: Action, mark: int) -> None:
    world = await _answered()
    assert await _press(world, action) == THANKS
    (turn,) = await world.store.answered("test/w", 10)
    assert turn.marks == mark


@pytest.mark.parametrize(("action", "tier"), [(Action.AGAIN, None), (Action.HEAVIER, Tier.CHEAP)])
async def test_a_further_answer_is_for_who_pressed_with_their_roles_and_place(
    action: Action, tier: Tier | None
) -> None:
    world = await _answered()
    press = replace(PRESS, action=action, role_ids=("staff",), anchor={"channel": "d"})
    assert await act(press, world.inbox, world.store) == ""
    again = await world.store.turn("test:p1")
    assert again is not None
    assert (again.user_id, again.role_ids, again.anchor) == ("ben", ("staff",), {"channel": "d"})
    assert (again.tier, again.retry_of) == (tier, "test:m1")
