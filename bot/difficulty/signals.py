"""What a prompt looks like, as some thirty numbers between 0 and 1, in microseconds.

The text is capped before anything else touches it, so that a book costs no more than a page.
"""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.difficulty.lexicon import STEM, STEMS, SUBSTRINGS, WORDS, Kind

Vector = NDArray[np.float32]

HEAD_CHARS: Final = 1000
TAIL_CHARS: Final = 500

_CONTROL, _SPACE, _NEWLINE, _DIGIT, _UPPER, _LOWER, _QUESTION, _STOP = range(8)
_QUOTE, _BRACKET, _OPERATOR, _CODEMARK, _LATIN, _DENSE, _OTHER, _MATHSIGN, _EMOJI = range(8, 17)
_CLASSES: Final = 17
_KINDS: Final = len(Kind)
_HARD: Final = (
    Kind.CODE, Kind.MATH, Kind.REASON, Kind.WRITE, Kind.EXPERT, Kind.DEMAND, Kind.FORMAT,
)  # fmt: skip


def _to_class_table() -> NDArray[np.uint8]:
    table = np.full(65_536, _OTHER, dtype=np.uint8)
    table[:32] = _CONTROL
    for chars, which in (
        (" \t\u00a0\u3000", _SPACE), ("\n\r", _NEWLINE), ("0123456789", _DIGIT),
        ("?？؟", _QUESTION), (".!,:。、，！：।", _STOP), ("\"'’‘“”«»「」", _QUOTE),
        ("()[]（）", _BRACKET), ("+-*/=<>%^", _OPERATOR), ("{}`;_\\|&$#~@", _CODEMARK),
    ):  # fmt: skip
        table[[ord(c) for c in chars]] = which
    table[ord("A") : ord("Z") + 1] = _UPPER
    table[ord("a") : ord("z") + 1] = _LOWER
    table[0xC0:0x250] = _LATIN
    table[[ord(c) for c in "×÷±"]] = _MATHSIGN
    table[0x2190:0x2400] = _MATHSIGN  # arrows and mathematical operators
    table[0x2600:0x27C0] = _EMOJI
    for first, last in ((0x3040, 0xA000), (0xAC00, 0xD7A4), (0xF900, 0xFB00)):
        table[first:last] = _DENSE
    table[0xD800:0xE000] = _CONTROL  # lone surrogates
    table[65_535] = _EMOJI  # everything beyond the basic plane
    return table


_TABLE: Final = _to_class_table()
_WORD: Final = re.compile(r"[^\W_]+(?:[+#]{1,2})?")
_CHOICES: Final = ("\nB.", "\nB)", "\n(B)", "\nb)", "\n(b)")
_CODE: Final = (
    "```", "def ", "class ", "function ", "=>", "->", "==", "!=", "();", "()", "</", "#include",
    "SELECT ", "FROM ", "import ", "return ", "{\n", ";\n", "://localhost", "Error:", "Exception",
    "self.", "const ", "async ", "public ", "println", "printf", "console.", "&&", "||", "npm ",
)  # fmt: skip
_MATHS: Final = (
    "\\frac",
    "\\",
    "$",
    "^",
    " = ",
    "f(x)",
    "x=",
    "y=",
    "dx",
    "x^",
    "sqrt",
    "\\(",
    "≤",
    "∫",
)
_LISTED: Final = ("\n-", "\n- ", "\n*", "\n•", "\n1.", "\n2.", "\n3.", "\n1)", "\n2)", "\n#")
_ORDERED: Final = (
    "step by step", "step-by-step", "(1)", "(a)", " a)", "schritt für schritt", "paso a paso",
    "étape", "逐步", "每一步", "段階", "단계", "пошагово",
)  # fmt: skip

NAMES: Final[tuple[str, ...]] = (
    "length", "long", "very_long", "short", "lines", "questions", "sentences", "words_per_sentence",
    "digits", "uppercase", "brackets", "operators", "code_marks", "quotes", "math_signs",
    "foreign_script", "dense_script", "long_words", "variety", "word_length",
    "code", "latex", "choices", "listed", "ordered",
    *(f"words_{kind.name.lower()}" for kind in Kind),
    *(f"share_{kind.name.lower()}" for kind in Kind),
    "hard_mix", "odd_bytes",
)  # fmt: skip
INDEX: Final = {name: i for i, name in enumerate(NAMES)}


def cap(prompt: str) -> str:
    """Return the beginning and the end of a long prompt; what is asked is in one of them."""
    if len(prompt) <= HEAD_CHARS + TAIL_CHARS:
        return prompt
    return f"{prompt[:HEAD_CHARS]}\n{prompt[-TAIL_CHARS:]}"


def to_signals(prompt: str) -> Vector:
    """Return the prompt's signals, in the order of `NAMES`, each from 0 to 1."""
    text = cap(prompt)
    lower = text.lower()
    words = _WORD.findall(lower)
    counts = _count_classes(text)
    kinds = _count_kinds(text, words)
    values = [
        *_to_shape(counts, len(prompt), len(words)),
        *_to_wording(words),
        *_to_marks(text, lower),
        *(min(n, 6) / 6 for n in kinds),
        *(min(1.0, n / max(len(words), 1)) for n in kinds),
        _to_mix(kinds),
        min(1.0, 20 * counts[_CONTROL] / max(len(text), 1)),
    ]
    return np.array(values, dtype=np.float32)


def _count_classes(text: str) -> list[int]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    found: list[int] = np.bincount(_TABLE[np.minimum(points, 65_535)], minlength=_CLASSES).tolist()
    return found


def _count_kinds(text: str, words: list[str]) -> list[int]:
    counts = [0] * _KINDS
    known, stems = WORDS.get, STEMS.get
    for word in words:
        kind = known(word)
        if kind is None:
            kind = stems(word[:STEM])
        if kind is not None:
            counts[kind] += 1
    if not text.isascii():
        for part, kind in SUBSTRINGS:
            if part in text:
                counts[kind] += 1
    return counts


def _to_shape(counts: list[int], true_chars: int, words: int) -> list[float]:
    seen = max(sum(counts), 1)
    dense = counts[_DENSE] / seen
    # A Chinese, Japanese or Korean character says about as much as two and a half letters.
    size = true_chars * (1 + 1.5 * dense)
    sentences = counts[_STOP] + counts[_QUESTION] + counts[_NEWLINE] + 1
    return [
        min(1.0, math.log1p(size) / 9.0),
        min(1.0, size / 400),
        min(1.0, size / 3000),
        max(0.0, 1 - size / 60),
        min(1.0, counts[_NEWLINE] / 20),
        min(1.0, counts[_QUESTION] / 4),
        min(1.0, sentences / 20),
        min(1.0, words / sentences / 25),
        min(1.0, 10 * counts[_DIGIT] / seen),
        min(1.0, 5 * counts[_UPPER] / seen),
        min(1.0, 15 * counts[_BRACKET] / seen),
        min(1.0, 15 * counts[_OPERATOR] / seen),
        min(1.0, 15 * counts[_CODEMARK] / seen),
        min(1.0, 20 * counts[_QUOTE] / seen),
        min(1.0, counts[_MATHSIGN] / 4),
        min(1.0, (counts[_OTHER] + counts[_LATIN]) / seen),
        dense,
    ]


def _to_wording(words: list[str]) -> list[float]:
    total = max(len(words), 1)
    lengths = [len(w) for w in words]
    return [
        min(1.0, 3 * sum(n >= 9 for n in lengths) / total),
        len(set(words)) / total,
        min(1.0, sum(lengths) / total / 10),
    ]


def _to_marks(text: str, lower: str) -> list[float]:
    return [
        min(1.0, sum(mark in text for mark in _CODE) / 5),
        min(1.0, sum(mark in text for mark in _MATHS) / 4),
        1.0 if any(mark in text for mark in _CHOICES) else 0.0,
        min(1.0, sum(mark in text for mark in _LISTED) / 4),
        1.0 if any(mark in lower for mark in _ORDERED) else 0.0,
    ]


def _to_mix(kinds: list[int]) -> float:
    """How many different hard kinds of word appear together: naming one proves little."""
    return sum(kinds[kind] > 0 for kind in _HARD) / len(_HARD)
