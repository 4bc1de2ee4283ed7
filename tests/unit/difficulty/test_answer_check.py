"""Plain faults of an answer are found; good answers pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.difficulty.answer_check import (
    Fault,
    find_fault,
    is_passed,
    is_worth_checking,
    to_check_prompt,
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", Fault.EMPTY),
        (" \n… — !", Fault.EMPTY),
        ("I'm unable to help with that request.", Fault.REFUSAL),
        ("Das kann ich leider nicht beantworten.", Fault.REFUSAL),
        ("I'm not sure, but it may be 1648.", Fault.DOUBT),
        ("It is 42. Please double-check this.", Fault.DOUBT),
        ("the cat " * 100, Fault.LOOP),
        ("Paris.", None),
        ("4", None),
        ("东京是日本的首都。", None),
        ("A monad is a type with two operations that obey three laws. " * 3, None),
    ],
)
def test_finds_what_is_plainly_wrong(answer: str, expected: Fault | None) -> None:
    assert find_fault(answer) is expected


@given(st.text(st.characters()))
def test_any_text_can_be_checked(answer: str) -> None:
    assert find_fault(answer) in {None, *Fault}


@pytest.mark.parametrize(
    ("reply", "passed"), [("YES", True), ("no.", False), ("", True), ("Nein", False)]
)
def test_only_a_clear_no_fails_an_answer(reply: str, passed: bool) -> None:
    assert is_passed(reply) is passed


def test_only_the_uncertain_band_is_checked() -> None:
    assert [is_worth_checking(p) for p in (0.1, 0.5, 0.95)] == [False, True, False]


def test_the_check_is_short_however_long_the_answer() -> None:
    assert len(to_check_prompt("q" * 10**6, "a" * 10**6)) < 11_000
