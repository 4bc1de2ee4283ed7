"""Signals: bounded, cheap for any text, and saying what they are named for."""

from hypothesis import given
from hypothesis import strategies as st

from bot.difficulty.signals import HEAD_CHARS, INDEX, NAMES, TAIL_CHARS, cap, to_signals


@given(st.text(st.characters()))
def test_each_signal_lies_between_zero_and_one(text: str) -> None:
    signals = to_signals(text)
    assert len(signals) == len(NAMES)
    assert ((signals >= 0) & (signals <= 1)).all()


@given(st.binary(max_size=400))
def test_any_bytes_read_as_latin_text_are_judged(data: bytes) -> None:
    assert to_signals(data.decode("latin-1")).shape == (len(NAMES),)


def test_lone_surrogates_are_judged() -> None:
    assert to_signals("\ud800 hi \udfff").shape == (len(NAMES),)


def test_keeps_the_beginning_and_the_end_of_a_long_prompt() -> None:
    capped = cap("a" * 5_000 + "z" * 5_000)
    assert len(capped) == HEAD_CHARS + TAIL_CHARS + 1
    assert capped.startswith("a" * HEAD_CHARS)
    assert capped.endswith("z" * TAIL_CHARS)


def test_leaves_a_short_prompt_as_it_is() -> None:
    assert cap("hello") == "hello"


def test_sees_code() -> None:
    signals = to_signals("def f(x):\n    return x.map(() => 1);\n```")
    assert signals[INDEX["code"]] >= 0.8


def test_sees_an_exam_question() -> None:
    assert to_signals("What is it?\nA. one\nB. two\nC. three")[INDEX["choices"]] == 1


def test_sees_the_same_kind_of_word_in_several_languages() -> None:
    for text in ("prove the theorem", "beweise den Satz", "证明这个定理", "докажи теорему"):
        assert to_signals(text)[INDEX["words_math"]] > 0, text


def test_a_chinese_character_counts_for_more_than_a_letter() -> None:
    assert (
        to_signals("请详细分析这个问题" * 10)[INDEX["long"]] > to_signals("a" * 90)[INDEX["long"]]
    )


def test_one_kind_of_hard_word_alone_makes_no_mix() -> None:
    signals = to_signals("python python python python python")
    assert signals[INDEX["hard_mix"]] <= 1 / 7 + 1e-6
