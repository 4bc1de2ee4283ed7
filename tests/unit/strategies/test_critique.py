"""A critique is read from whatever form a model gives it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.strategies.critique import MAX_OBJECTIONS, Objection, parse_critique, to_list

SERIOUS = Objection(text="It is Canberra.", is_serious=True)
MINOR = Objection(text="Say since when.", is_serious=False)


@pytest.mark.parametrize(
    "text",
    [
        "- [serious] It is Canberra.\n- [minor] Say since when.",
        "* **Serious:** It is Canberra.\n* *minor* – Say since when.",
        "Here is what I found:\n\n1. (critical) It is Canberra.\n2) (low) Say since when.",
        "• severity: high - It is Canberra.\n• severity: nit - Say since when.",
        '[{"severity": "major", "objection": "It is Canberra."},'
        ' {"severity": "minor", "objection": "Say since when."}]',
        '```json\n{"objections": [{"text": "It is Canberra.", "severity": "high"},'
        ' {"text": "Say since when.", "severity": "low"}]}\n```',
    ],
)
def test_lists_and_json_in_many_forms_are_the_same_critique(text: str) -> None:
    assert parse_critique(text).objections == (SERIOUS, MINOR)


@pytest.mark.parametrize(
    "text",
    ["NO OBJECTIONS", "No objections.", "**NO OBJECTIONS**", "- NO OBJECTIONS", "", " \n", "[]",
     '{"objections": []}', "I have no serious objections.",
     "Canberra it is.\n\nThe answer is correct.", "This answer looks entirely right.",
     "There is nothing to object to."],
)  # fmt: skip
def test_nothing_to_object_is_understood(text: str) -> None:
    assert parse_critique(text).objections == ()


def test_free_text_is_one_serious_objection() -> None:
    assert parse_critique("It is Canberra.").objections == (SERIOUS,)


@pytest.mark.parametrize(
    "text", ["The answer is not correct.", "The answer is right, but it names the wrong year."]
)
def test_half_praise_is_an_objection(text: str) -> None:
    assert parse_critique(text).serious


def test_an_item_without_severity_is_serious() -> None:
    assert parse_critique("- It is Canberra.").serious == (SERIOUS,)


def test_an_item_over_several_lines_is_one_objection() -> None:
    assert parse_critique("- [serious] It is\n  Canberra.").objections == (SERIOUS,)


def test_a_first_word_that_is_no_severity_stays() -> None:
    (objection,) = parse_critique("- Canberra is the capital.").objections
    assert objection.text == "Canberra is the capital."


def test_there_are_not_endlessly_many_objections() -> None:
    text = "\n".join(f"- [minor] number {n}" for n in range(100))
    assert len(parse_critique(text).objections) == MAX_OBJECTIONS


def test_a_text_of_50_kb_is_bounded() -> None:
    (objection,) = parse_critique("word " * 10_000).objections
    assert len(objection.text) < 2_100


def test_the_list_for_the_reviser_reads_back_the_same() -> None:
    critique = parse_critique("- [serious] It is Canberra.\n- [minor] Say since when.")
    assert parse_critique(to_list(critique)) == critique


@given(st.text() | st.recursive(st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_nothing_that_a_model_writes_breaks_it(said: object) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    assert all(o.text.strip() for o in parse_critique(text).objections)
