"""Hashed grams: stable, distinct, capped, and blind to blanks and digits."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.difficulty.hashing import BUCKETS, to_buckets


@given(st.text(st.characters()))
def test_buckets_rise_and_lie_within_the_table(text: str) -> None:
    buckets = to_buckets(text)
    assert (np.diff(buckets) > 0).all()
    assert ((buckets >= 0) & (buckets < BUCKETS)).all()


def test_the_same_text_hashes_alike_on_every_machine() -> None:
    found = to_buckets("Write a haiku about rain in Kyoto.").astype("<i8").tobytes()
    assert hashlib.sha256(found).hexdigest()[:16] == "df1fa02eaeec414a"


def test_case_blanks_and_digits_do_not_matter() -> None:
    assert to_buckets("Room 12\tplease").tolist() == to_buckets("room 98 please").tolist()


def test_the_order_of_words_matters() -> None:
    assert to_buckets("dog bites man").tolist() != to_buckets("man bites dog").tolist()


def test_an_empty_prompt_has_hardly_any_buckets() -> None:
    assert len(to_buckets("")) == 0


def test_repetition_adds_nothing() -> None:
    assert len(to_buckets("ha" * 700)) < 20
