"""What people read of a report."""

from __future__ import annotations

from datetime import timedelta

from bot.budget import BudgetState
from bot.calls import Purpose
from bot.catalog import Tier
from bot.digest import Grouping
from bot.ledger import CallStatus, LedgerEntry
from bot.spend_text import to_alt, to_card, to_text, told_apart
from tests.contract.examples import limit
from tests.unit.spending import MONDAY, call, usd
from tests.unit.test_digest import DEAR, report_of

WEEK_OF_TWO = (
    call(1),
    call(
        2,
        tier=Tier.FULL,
        alias="opus",
        user_id="bob",
        channel_id="d",
        cost=usd("3"),
        created_at=MONDAY + timedelta(days=2),
    ),
)


def words(*found: LedgerEntry, **more: object) -> str:
    return to_text(report_of(*found, **more), {"ann": "Ann", "bob": "Bob"})


def test_says_all_that_matters_of_a_week() -> None:
    budget = BudgetState(limit=limit(cap=usd("20")), spent=usd("18"), held=0)
    report = report_of(
        *WEEK_OF_TWO, baseline=DEAR, previous=usd("5"), projection=usd("16")
    ).with_budgets([budget])
    text = to_text(report, {"ann": "Ann", "bob": "Bob"})

    assert text.splitlines() == [
        "**Spend, 16–22 November: $4.00**, 20 % less than last week by this time ($5.00)",
        "- Saved about $1.25 (23 %): always asking @opus with the same tokens would have cost "
        "about $5.25. An estimate.",
        "- By tier: full $3.00 · cheap $1.00",
        "- By model: @opus $3.00 · @haiku $1.00",
        "- By feature: answers $4.00",
        "- By channel: d $3.00 · c $1.00",
        "- Top people: Bob $3.00 · Ann $1.00",
        "- At this pace the month comes to about $16.00.",
        "- 2 calls, 220,000 tokens.",
        "- ⚠️ The instance budget is 90 % used: $18.00 of $20.00 a month.",
    ]


def test_lists_one_way_of_cutting_it() -> None:
    text = to_text(report_of(*WEEK_OF_TWO), {"bob": "Bob"}, by=Grouping.USER)

    assert text.splitlines()[1:] == [
        "- Bob: $3.00 (75 %), 1 call, 110,000 tokens",
        "- ann: $1.00 (25 %), 1 call, 110,000 tokens",
        "",
        "2 calls, 220,000 tokens.",
    ]


def test_lists_a_feature_with_its_steps() -> None:
    found = [call(1, purpose=Purpose.DRAFT), call(2, purpose=Purpose.REVISE, cost=usd("3"))]
    text = to_text(report_of(*found), {}, by=Grouping.FEATURE)

    assert "- debate: $4.00 (100 %), 2 calls, 220,000 tokens: revisions $3.00, first" in text


def test_percents_are_rounded_and_never_nothing_where_something_was_spent() -> None:
    amounts = {"ann": "2", "bob": "1", "cy": "0.01", "di": "0"}
    found = [call(n, user_id=who, cost=usd(amounts[who])) for n, who in enumerate(amounts)]

    text = to_text(report_of(*found), {}, by=Grouping.USER)

    assert "$2.00 (66 %)" in text
    assert "$1.00 (33 %)" in text
    assert "$0.0100 (under 1 %)" in text
    assert "- di: $0, 1 call" in text


def test_a_steep_rise_is_told_in_times() -> None:
    assert ", 15 times as much as " in words(call(cost=usd("15")), previous=usd("1"))
    assert ", 300 % more than " in words(call(cost=usd("4")), previous=usd("1"))


def test_adds_up_what_is_not_listed() -> None:
    many = [call(n, user_id=f"u{n:02}") for n in range(13)]
    text = to_text(report_of(*many), {}, by=Grouping.USER)

    assert "- 3 more: $3.00" in text
    assert "Top people: u00 $1.00 · u01 $1.00 · u02 $1.00 · 10 more $10.00" in words(*many)


def test_an_unknown_price_reads_unpriced_and_never_nothing() -> None:
    text = words(call(cost=None))

    assert text.startswith("**Spend, 16–22 November: unpriced**")
    assert "1 call without a known price: unpriced, and in no sum." in text
    assert "$0" not in text


def test_says_what_brought_no_answer() -> None:
    text = words(call(1), call(2, status=CallStatus.FAILED, cost=usd("0.25")))

    assert "2 calls, 1 failed, 220,000 tokens." in text
    assert "$0.25 of the total brought no answer: failures and interruptions." in text


def test_says_so_when_no_model_was_called() -> None:
    assert words() == "**Spend, 16–22 November: $0**\nNo model was called."


def test_does_not_boast_of_savings_that_are_none() -> None:
    text = words(call(cost=usd("9")), baseline=DEAR)

    assert "Nothing was saved" in text
    assert to_card(report_of(call(cost=usd("9")), baseline=DEAR)).aside == ""


def test_leaves_people_out_where_they_are_not_to_be_named() -> None:
    text = to_text(report_of(*WEEK_OF_TWO), {}, with_users=False)

    assert "Top people" not in text
    assert "By channel" not in text


def test_names_what_it_compares_with() -> None:
    report = report_of(*WEEK_OF_TWO, previous=usd("4"))

    assert "as much as the week before" in to_text(report, {}, before="the week before")


def test_the_picture_shows_what_the_report_says() -> None:
    card = to_card(report_of(*WEEK_OF_TWO, baseline=DEAR))

    assert (card.title, card.headline) == ("LLM spend, 16–22 November", "$4.00")
    assert (card.aside_title, card.aside) == (
        "instead of about $5.25 with only opus",
        "saved $1.25 (23%)",
    )
    assert [series.label for series in card.series] == ["cheap $1.00", "full $3.00"]
    assert [bar.total for bar in card.bars] == [usd("1"), 0, usd("3"), 0, 0, 0, 0]
    assert card.bars[0].note == "saved $1.25"


def test_the_pictures_description_says_the_same() -> None:
    assert to_alt(report_of(*WEEK_OF_TWO, baseline=DEAR)) == (
        "Bar chart of the spend, 16–22 November: $4.00 in all. By tier: full $3.00, cheap $1.00. "
        "The most in one bar: $3.00, Wed 18. Saved, by estimate: $1.25."
    )


def test_names_that_are_used_twice_have_their_ids_behind_them() -> None:
    assert told_apart({"1": "general", "2": "general", "3": "random"}) == {
        "1": "general (1)",
        "2": "general (2)",
        "3": "random",
    }
