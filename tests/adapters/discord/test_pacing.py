"""The pace of edits, by laws that hold for any traffic."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.pacing import (
    PREVIEW_EVERY_S,
    REQUESTS_AT_ONCE,
    Lane,
    Pacer,
    Throttle,
    Urgency,
)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def in_any_window(times: list[float], window_s: float) -> int:
    """The most events in any span of that length."""
    return max((sum(0 <= b - a < window_s for b in times) for a in times), default=0)


def pump(lane: Lane, hands: Hands, urgency: Urgency) -> float:
    """Let one caller through as soon as it may; returns when."""
    wait_s = lane.wait_s(urgency)
    hands.at_s += wait_s + 1e-9
    lane.take()
    return hands.at_s


@given(st.lists(st.sampled_from([Urgency.PREVIEW, Urgency.FINAL]), min_size=1, max_size=60))
def test_a_channel_never_sees_more_than_five_edits_in_five_seconds(order: list[Urgency]) -> None:
    hands = Hands()
    lane = Lane(hands, lambda: PREVIEW_EVERY_S)
    times = [pump(lane, hands, urgency) for urgency in order]
    assert in_any_window(times, 5.0) <= 5


def test_a_preview_always_leaves_room_for_a_last_edit() -> None:
    hands = Hands()
    lane = Lane(hands, lambda: PREVIEW_EVERY_S)
    for _ in range(20):
        pump(lane, hands, Urgency.PREVIEW)
        assert lane.wait_s(Urgency.FINAL) == 0.0


def test_the_first_edit_keeps_its_distance_from_the_message() -> None:
    hands = Hands()
    lane = Lane(hands, lambda: PREVIEW_EVERY_S)
    lane.note_post()
    assert lane.wait_s(Urgency.PREVIEW) == pytest.approx(PREVIEW_EVERY_S)


def test_previews_stretch_with_the_number_of_streams() -> None:
    pacer = Pacer(Hands())
    spacings = []
    with pacer.streaming():
        spacings.append(pacer.spacing_s)
    contexts = [pacer.streaming() for _ in range(90)]
    for context in contexts:
        context.__enter__()
    spacings.append(pacer.spacing_s)
    assert spacings == [1.2, 3.0]


def test_the_whole_bot_stays_under_fifty_requests_a_second() -> None:
    hands = Hands()
    throttle = Throttle(hands)
    times = []
    for _ in range(300):
        hands.at_s += throttle.wait_s(Urgency.FINAL)
        throttle.take()
        times.append(hands.at_s)
    assert in_any_window(times, 1.0) <= 50
    assert times[REQUESTS_AT_ONCE - 1] == times[0]


async def test_the_urgent_go_first_and_the_rest_in_turn() -> None:
    hands = Hands()
    throttle = Throttle(hands, rate=1e6)
    throttle._tokens = 0.0
    order: list[str] = []

    async def go(name: str, urgency: Urgency) -> None:
        await throttle.admit(urgency)
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        for name, urgency in (
            ("typing", Urgency.TYPING),
            ("a", Urgency.PREVIEW),
            ("b", Urgency.PREVIEW),
            ("end", Urgency.FINAL),
        ):
            tasks.create_task(go(name, urgency))
        await asyncio.sleep(0)
        hands.at_s += 1.0
    assert order == ["end", "a", "b", "typing"]


async def test_who_gives_up_waiting_takes_no_place() -> None:
    hands = Hands()
    lane = Lane(hands, lambda: PREVIEW_EVERY_S)
    lane.take()
    waiting = asyncio.create_task(lane.admit(Urgency.PREVIEW))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await lane.admit(Urgency.FINAL)
    assert lane.is_idle
