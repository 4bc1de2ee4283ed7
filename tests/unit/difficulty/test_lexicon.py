"""The word lists: lower case, no word so common that it says nothing."""

from bot.difficulty.lexicon import STEM, STEMS, SUBSTRINGS, WORDS


def test_words_are_lower_case_and_one_word() -> None:
    assert all(word == word.lower() and " " not in word for word in WORDS)


def test_stems_have_one_length() -> None:
    assert {len(stem) for stem in STEMS} == {STEM}


def test_substrings_are_not_latin() -> None:
    assert not any(part.isascii() for part, _ in SUBSTRINGS)


def test_the_commonest_words_are_left_out() -> None:
    assert not {"the", "a", "of", "and", "to", "der", "la", "de", "и"} & WORDS.keys()
