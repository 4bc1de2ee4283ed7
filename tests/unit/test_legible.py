"""What nothing can keep is made whole or replaced; all else stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.legible import decoded, to_legible


@pytest.mark.parametrize(
    ("text", "legible"),
    [
        ("", ""),
        ("é, 🙂 and \u202e\x1b", "é, 🙂 and \u202e\x1b"),
        ("\ud83d\ude42", "🙂"),  # two halves that belong together
        ("a \ud83d half", "a \ufffd half"),
        ("\ude42\ud83d", "\ufffd\ufffd"),  # the wrong way round
        ("a\0b", "ab"),
    ],
)
def test_only_what_nothing_can_keep_is_changed(text: str, legible: str) -> None:
    assert to_legible(text) == legible


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_written_once_it_is_legible(text: str) -> None:
    legible = to_legible(text)
    assert legible.encode().decode() == legible
    assert "\0" not in legible
    assert to_legible(legible) == legible


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        ("é".encode(), "é"),
        (b"\xef\xbb\xbfhi", "hi"),
        ("é".encode("utf-16"), "é"),
        (b"caf\xe9", "café"),
        (b"\x7fELF\0\1", None),
    ],
)
def test_bytes_are_words_or_no_text(content: bytes, text: str | None) -> None:
    assert decoded(content) == text
