"""A vote counts what is meant, whatever the order of the voices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.strategies.vote import (
    Ballot,
    Option,
    agreement_percent,
    most_typical,
    normalise,
    short_answer,
    tally,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Because.\nANSWER: Paris", "Paris"),
        ("**Answer:** Paris", "Paris"),
        ("> Final answer: **Paris**", "Paris"),
        ("ANSWER: Lyon\nNo, wait.\nANSWER: Paris", "Paris"),
        ("Paris", "Paris"),
        ("It could be Lyon.\n\nParis\n", "Paris"),
        ("", ""),
    ],
)
def test_the_short_answer_of_a_text(text: str, answer: str) -> None:
    assert short_answer(text) == answer


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris.", "paris"),
        ("The Seine", "seine"),
        ("1,000", "1000"),
        ("42.0", "42"),
        ("100.50", "100.5"),
        ("-0.0", "0"),
        ("007", "7"),
        ("٤٢", "42"),
        ("$5", "5"),
        ("−3", "-3"),
        ("`O(n log n)`", "O(n log n)"),
        ("Ｐａｒｉｓ", "Paris"),
        ("Yes!", "yes"),
    ],
)
def test_other_forms_of_an_answer_are_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "41"),
        ("-3", "3"),
        ("3.5", "35"),
        ("100", "10"),
        ("1267650600228229401496703205376", "1267650600228229401496703205377"),
        ("a", "b"),
    ],
)
def test_other_answers_are_not_the_same(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_the_most_frequent_answer_wins() -> None:
    counted = tally([_ballot("a", "42"), _ballot("b", "42.0"), _ballot("c", "41")])
    assert counted.options == (
        Option(answer="42", voices=("a", "b")),
        Option(answer="41", voices=("c",)),
    )
    assert (counted.winners, counted.votes) == (counted.options[:1], 3)


def test_a_tie_has_several_winners() -> None:
    counted = tally([_ballot("a", "yes"), _ballot("b", "no")])
    assert [option.answer for option in counted.winners] == ["no", "yes"]


@given(st.data(), st.lists(st.sampled_from(["42", "42.0", "41", "Yes", "yes.", ""]), max_size=6))
def test_the_order_of_the_voices_does_not_matter(data: st.DataObject, answers: list[str]) -> None:
    ballots = [_ballot(f"v{n}", answer) for n, answer in enumerate(answers)]
    assert tally(data.draw(st.permutations(ballots))) == tally(ballots)


@given(st.lists(st.text(max_size=50), min_size=1, max_size=6))
def test_every_voice_is_counted_once(answers: list[str]) -> None:
    counted = tally([_ballot(f"v{n}", answer) for n, answer in enumerate(answers)])
    assert counted.votes == len(answers)


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_agreement_is_a_percentage(texts: list[str]) -> None:
    assert 0 <= agreement_percent(texts) <= 100


def test_equal_texts_agree_fully_and_strange_ones_not_at_all() -> None:
    assert agreement_percent(["the same words", "the same words"]) == 100
    assert agreement_percent(["nothing shared", "other text"]) == 0


def test_the_most_typical_text_is_like_the_others() -> None:
    assert most_typical(["it is 41", "by theory it is 42", "no idea at all"]) in (0, 1)
    assert most_typical(["zebra", "it is 42", "so it is 42"]) == 1


def _ballot(voice: str, answer: str) -> Ballot:
    return Ballot(voice=voice, answer=answer)
