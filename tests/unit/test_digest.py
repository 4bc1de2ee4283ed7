"""Reports: parts that add up, honest savings, what is worth knowing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.budget import BudgetState
from bot.calls import Purpose
from bot.catalog import Catalog, Tier
from bot.digest import (
    Baseline,
    Grouping,
    Report,
    Savings,
    to_baseline,
    to_projection,
    to_report,
)
from bot.ledger import CallStatus, LedgerEntry
from bot.money import Price
from bot.spend import to_spending
from tests.contract.examples import limit
from tests.fakes import catalog, model
from tests.unit.spending import MONDAY, WEEK, call, entries, usd

DEAR = Baseline(
    alias="opus",
    price=Price(input_nanousd_per_mtok=usd("15"), output_nanousd_per_mtok=usd("75")),
)


def report_of(*found: LedgerEntry, **more: object) -> Report:
    return to_report(to_spending(found, WEEK.bounds), WEEK, **more)  # type: ignore[arg-type]  # test data


def savings_of(*found: LedgerEntry) -> Savings | None:
    return report_of(*found, baseline=DEAR).savings


@given(st.lists(entries, max_size=40))
def test_every_way_of_cutting_the_total_adds_up_to_it(found: list[LedgerEntry]) -> None:
    report = report_of(*found, baseline=DEAR)

    assert report.spent == sum(entry.spent for entry in found)
    for shares in report.shares.values():
        assert sum(share.spent for share in shares) == report.spent
        assert sum(share.calls for share in shares) == report.calls
        assert sum(share.tokens for share in shares) == report.tokens
        assert sum(share.unpriced for share in shares) == report.unpriced
        for share in shares:
            assert not share.steps or sum(step.spent for step in share.steps) == share.spent
    assert sum(map(sum, report.parts)) == report.spent
    assert sum(sum(amounts) for _, amounts in report.models) == report.spent
    if report.savings:
        assert report.savings.full_cost - report.savings.saved == report.spent
        assert sum(report.savings.by_part) == report.savings.saved


def test_a_debate_is_one_feature_with_its_steps() -> None:
    found = [
        call(1, purpose=Purpose.DRAFT),
        call(2, purpose=Purpose.CRITICISE, cost=usd("2")),
        call(3, purpose=Purpose.PROPOSE, cost=usd("4")),
        call(4),
    ]
    shares = report_of(*found).shares[Grouping.FEATURE]

    assert [(share.key, share.spent) for share in shares] == [
        ("ensemble", usd("4")),
        ("debate", usd("3")),
        ("answers", usd("1")),
    ]
    assert [(step.key, step.spent) for step in shares[1].steps] == [
        ("critiques", usd("2")),
        ("first answers", usd("1")),
    ]
    assert shares[2].steps == ()


def test_savings_are_the_same_tokens_at_the_full_tiers_price() -> None:
    savings = savings_of(call())

    # 100 k tokens in at $15, 10 k out at $75 a million: $2.25 instead of $1
    assert savings == Savings(
        alias="opus", full_cost=usd("2.25"), saved=usd("1.25"), by_part=(usd("1.25"), *[0] * 6)
    )
    assert savings.percent == 55


def test_savings_of_a_free_answer_are_all_that_it_would_have_cost() -> None:
    savings = savings_of(call(tier=Tier.FREE, alias="flash", cost=0))

    assert savings is not None
    assert (savings.saved, savings.percent) == (usd("2.25"), 100)


def test_no_savings_are_claimed_for_a_demo_models_answers() -> None:
    assert savings_of(call(tier=Tier.FREE, alias="demo", cost=0)) is None


def test_no_savings_are_claimed_for_what_was_not_answered_or_not_priced() -> None:
    assert savings_of(call(status=CallStatus.FAILED)) is None
    assert savings_of(call(status=CallStatus.CANCELLED)) is None
    assert savings_of(call(cost=None)) is None
    assert savings_of(call(purpose=Purpose.CLASSIFY)) is None
    assert savings_of(call(tier=Tier.FULL)) is None


def test_a_call_without_a_price_takes_nothing_from_the_savings_of_others() -> None:
    savings = savings_of(call(1), call(2, cost=None))

    assert savings is not None
    assert savings.saved == usd("1.25")


def test_a_full_tier_answer_counts_as_it_was_billed() -> None:
    savings = savings_of(call(1), call(2, tier=Tier.FULL, alias="opus", cost=usd("3")))

    assert savings is not None
    assert (savings.full_cost, savings.saved) == (usd("5.25"), usd("1.25"))


def test_the_baseline_is_the_cheapest_full_tier_model_with_a_price() -> None:
    dear, mild = model("opus", Tier.FULL, usd="15"), model("sonnet", Tier.FULL, usd="3")
    unpriced = model("mystery", Tier.FULL, usd=None)
    local = model("local", Tier.FULL, usd="0")

    found = to_baseline(Catalog((dear, unpriced, local, mild)))

    assert found is not None
    assert found.alias == "sonnet"
    assert to_baseline(Catalog((unpriced, local, model("cheap", Tier.CHEAP)))) is None


def test_the_baseline_leaves_makeshift_models_out() -> None:
    makeshift = model("tiny", note="A demo model.")

    found = to_baseline(Catalog((*catalog().models, makeshift)))

    assert found is not None
    assert found.left_out == {"demo", "tiny"}


def test_counts_failures_and_what_brought_no_answer() -> None:
    report = report_of(
        call(1, lost_cost=usd("0.5")), call(2, status=CallStatus.FAILED, cost=usd("0.25"))
    )

    assert (report.failed, report.lost, report.spent) == (1, usd("0.75"), usd("1.75"))


def test_shows_the_budgets_that_are_nearly_used() -> None:
    low, near, full = (
        BudgetState(limit=limit(cap=100), spent=spent, held=0) for spent in (79, 80, 100)
    )

    assert report_of(call()).with_budgets((low, near, full)).budgets == (near, full)


def test_compares_with_what_was_spent_before() -> None:
    assert report_of(call(), previous=usd("2")).change_percent == -50
    assert report_of(call(), previous=usd("0.8")).change_percent == 25
    assert report_of(call(), previous=0).change_percent is None
    assert report_of(call()).change_percent is None


def test_a_price_that_changes_in_mid_week_changes_no_earlier_call() -> None:
    tuesday = MONDAY + timedelta(days=1)
    report = report_of(call(1), call(2, created_at=tuesday, cost=usd("2")))

    assert [sum(part) for part in report.parts[:2]] == [usd("1"), usd("2")]


def test_projects_the_month_at_the_pace_of_late() -> None:
    week, left = timedelta(days=7), timedelta(days=14)

    assert to_projection(usd("10"), usd("7"), week, left) == usd("24")
    assert to_projection(usd("10"), 0, week, left) == usd("10")


def test_the_dearest_models_are_shown_and_the_others_together() -> None:
    report = report_of(*(call(n, alias=f"m{n}", cost=usd("1") * (9 - n)) for n in range(9)))

    assert [name for name, _ in report.models] == ["m0", "m1", "m2", "m3", "m4", "others"]
    assert report.models[-1][1][0] == usd("10")


def test_an_empty_report_is_empty() -> None:
    report = report_of()

    assert report.is_empty
    assert report.shares[Grouping.USER] == ()


def test_the_order_of_entries_changes_nothing() -> None:
    found = [call(1), call(2, user_id="bob", cost=usd("2")), call(3, tier=Tier.FREE, cost=0)]
    one, other = report_of(*found, baseline=DEAR), report_of(*reversed(found), baseline=DEAR)

    assert replace(one, shares={}) == replace(other, shares={})
    assert one.shares == other.shares
    assert one.spent == Decimal(3) * usd("1")
