"""Lines add up to the ledger."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.calls import Purpose
from bot.ledger import CallStatus, LedgerEntry
from bot.spend import Where, to_lines
from tests.unit.spending import HERE, MONDAY, WEEK, call, entries, usd


@given(st.lists(entries, max_size=30))
def test_lines_add_up_to_the_entries(found: list[LedgerEntry]) -> None:
    lines = to_lines(found, WEEK.bounds)

    assert sum(line.spent for line in lines) == sum(entry.spent for entry in found)
    assert sum(line.calls for line in lines) == len(found)
    tokens = [e.usage.input_tokens + e.usage.output_tokens for e in found if e.usage]
    assert sum(line.tokens for line in lines) == sum(tokens)


def test_calls_that_agree_are_one_line() -> None:
    (line,) = to_lines([call(1), call(2)], WEEK.bounds)

    assert (line.part, line.calls, line.cost) == (0, 2, usd("2"))


def test_a_call_belongs_to_the_part_in_which_it_began() -> None:
    at = [MONDAY - timedelta(seconds=1), MONDAY, WEEK.bounds[3], WEEK.until]
    lines = to_lines([call(n, created_at=when) for n, when in enumerate(at)], WEEK.bounds)

    assert [line.part for line in lines] == [0, 3]


def test_a_call_without_a_price_is_counted_and_in_no_sum() -> None:
    (line,) = to_lines([call(cost=None)], WEEK.bounds)

    assert (line.unpriced, line.spent) == (1, 0)


def test_a_call_that_is_under_way_is_not_unpriced() -> None:
    (line,) = to_lines([call(cost=None, usage=None, status=CallStatus.OPEN)], WEEK.bounds)

    assert line.unpriced == 0


def test_a_workspace_holds_its_own_calls_only() -> None:
    assert HERE.holds(call())
    assert not HERE.holds(call(workspace_id="other"))
    assert not HERE.holds(call(platform="other"))
    narrow = Where(
        platform="test", workspace_id="w", user_id="ann", purposes=frozenset({Purpose.ANSWER})
    )
    assert narrow.holds(call())
    assert not narrow.holds(call(user_id="bob"))
    assert not narrow.holds(call(purpose=Purpose.JUDGE))
