"""What was spent adds up to the ledger, however it is cut."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.calls import Purpose
from bot.ledger import CallStatus, LedgerEntry
from bot.spend import Where, to_spending, together
from tests.unit.spending import HERE, MONDAY, WEEK, call, entries, usd


@given(st.lists(entries, max_size=30))
def test_each_of_the_three_sums_is_the_whole(found: list[LedgerEntry]) -> None:
    spending = to_spending(found, WEEK.bounds)

    tokens = [e.usage.input_tokens + e.usage.output_tokens for e in found if e.usage]
    for sums in (spending.lines, spending.channels, spending.people):
        assert sum(each.spent for each in sums) == sum(entry.spent for entry in found)
        assert sum(each.calls for each in sums) == len(found)
        assert sum(each.tokens for each in sums) == sum(tokens)


def test_calls_of_one_kind_are_one_line_whoever_made_them() -> None:
    spending = to_spending([call(1), call(2, user_id="bob", channel_id="d")], WEEK.bounds)

    (line,) = spending.lines
    assert (line.part, line.calls, line.cost) == (0, 2, usd("2"))


def test_each_channel_and_each_person_has_their_own_portion() -> None:
    tuesday = MONDAY + timedelta(days=1)
    found = [call(1), call(2, user_id="bob"), call(3, channel_id="d", created_at=tuesday)]
    spending = to_spending(found, WEEK.bounds)

    assert [(each.key, each.calls) for each in spending.channels] == [("c", 2), ("d", 1)]
    assert [(each.key, each.calls) for each in spending.people] == [("ann", 2), ("bob", 1)]


def test_what_was_spent_in_several_places_is_all_of_it() -> None:
    here, there = (to_spending([call(n)], WEEK.bounds) for n in range(2))

    both = together([here, there])

    for sums in (both.lines, both.channels, both.people):
        assert sum(each.cost for each in sums) == usd("2")


def test_a_call_belongs_to_the_part_in_which_it_began() -> None:
    at = [MONDAY - timedelta(seconds=1), MONDAY, WEEK.bounds[3], WEEK.until]
    spending = to_spending([call(n, created_at=when) for n, when in enumerate(at)], WEEK.bounds)

    assert [line.part for line in spending.lines] == [0, 3]
    assert [portion.calls for portion in spending.people] == [2]


def test_a_call_without_a_price_is_counted_and_in_no_sum() -> None:
    (line,) = to_spending([call(cost=None)], WEEK.bounds).lines

    assert (line.unpriced, line.spent) == (1, 0)


def test_a_call_that_is_under_way_is_not_unpriced() -> None:
    under_way = call(cost=None, usage=None, status=CallStatus.OPEN)
    (line,) = to_spending([under_way], WEEK.bounds).lines

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
