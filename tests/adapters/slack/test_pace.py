"""Budgets below Slack's tiers."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.pace import RATES, Bucket, Pace, Rate
from tests.fakes import FrozenClock
from tests.loopback.slack.rules import TIER_PER_MINUTE


@pytest.mark.parametrize("method", sorted(set(RATES) & set(TIER_PER_MINUTE)))
def test_a_burst_and_a_minute_stay_within_the_tier(method: str) -> None:
    rate = RATES[method]
    assert rate.per_minute + rate.burst <= TIER_PER_MINUTE[method]


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_no_minute_holds_more_than_rate_and_burst(pauses: list[float]) -> None:
    clock = FrozenClock()
    bucket = Bucket(Rate(30, 5), clock.elapsed_s)
    taken: deque[float] = deque()
    for pause in pauses:
        clock.advance(pause)
        if bucket.may_take():
            taken.append(clock.elapsed_s())
            while taken[0] <= clock.elapsed_s() - 60:
                taken.popleft()
            assert len(taken) <= 35


def test_waits_exactly_until_the_next_token() -> None:
    clock = FrozenClock()
    bucket = Bucket(Rate(60, 1), clock.elapsed_s)
    assert bucket.may_take()
    assert bucket.wait_s() == pytest.approx(1.0)
    clock.advance(1.0)
    assert bucket.may_take()


def test_a_reserve_is_kept_for_others() -> None:
    bucket = Bucket(Rate(60, 3), FrozenClock().elapsed_s)
    assert bucket.may_take(reserve=2)
    assert not bucket.may_take(reserve=2)
    assert bucket.may_take()


def test_a_refusal_closes_the_bucket_and_halves_its_rate() -> None:
    clock = FrozenClock()
    bucket = Bucket(Rate(60, 10), clock.elapsed_s)
    bucket.refuse(30)
    assert bucket.wait_s() == pytest.approx(30)
    clock.advance(30)
    taken = 0
    while bucket.may_take():
        taken += 1
    assert taken < 10
    assert bucket.wait_s() == pytest.approx(2.0)


def test_posts_have_a_budget_for_each_channel() -> None:
    pace = Pace(FrozenClock().elapsed_s)
    post, update = "chat.postMessage", "chat.update"
    assert pace.bucket(post, "C1") is not pace.bucket(post, "C2")
    assert pace.bucket(update, "C1") is pace.bucket(update, "C2")
