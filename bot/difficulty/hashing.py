"""A text's byte 3- to 5-grams and word 1- and 2-grams, hashed into buckets by numpy alone.

One running polynomial hash gives every gram: the difference of two prefixes, divided by the
power where it begins (division is multiplication by the odd base's inverse, modulo 2**64).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.difficulty.signals import HEAD_CHARS, TAIL_CHARS, cap

BUCKET_BITS: Final = 17
BUCKETS: Final = 1 << BUCKET_BITS

_MAX_BYTES: Final = 4 * (HEAD_CHARS + TAIL_CHARS) + 16
_BASE: Final = 0x9E3779B97F4A7C15
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT: Final = np.uint64(64 - BUCKET_BITS)
_SIZES: Final = (3, 4, 5)
_ONE: Final = np.uint64(1)


def _powers(base: int) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        steps = np.full(_MAX_BYTES, np.uint64(base), dtype=np.uint64)
        steps[0] = 1
        return np.cumprod(steps, dtype=np.uint64)


def _to_letter_table() -> NDArray[np.uint8]:
    """Bytes as they count: blanks are one blank, digits one digit."""
    table = np.arange(256, dtype=np.uint8)
    table[:33] = 32
    table[ord("0") : ord("9") + 1] = ord("0")
    return table


def _to_word_table() -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[ord("a") : ord("z") + 1] = True
    table[[ord("0"), ord("'")]] = True
    table[128:] = True
    return table


_POWERS: Final = _powers(_BASE)
_INVERSES: Final = _powers(pow(_BASE, -1, 1 << 64))
_LETTERS: Final = _to_letter_table()
_IN_WORD: Final = _to_word_table()


def to_buckets(prompt: str) -> NDArray[np.intp]:
    """Return the distinct buckets that the prompt's grams fall into, in rising order."""
    text = f" {cap(prompt).lower()} ".encode("utf-8", "replace")[:_MAX_BYTES]
    letters = _LETTERS[np.frombuffer(text, dtype=np.uint8)]
    size = len(letters)
    sums = np.zeros(size + 1, dtype=np.uint64)
    np.cumsum((letters + _ONE) * _POWERS[:size], out=sums[1:])
    hashes = [
        (sums[n:] - sums[:-n]) * _INVERSES[: size - n + 1] * _MIX + np.uint64(7919 * n)
        for n in _SIZES
        if size >= n
    ]
    hashes += _to_word_hashes(letters, sums)
    # Sorting 32-bit numbers is several times faster than np.unique or a table of marks.
    found = np.sort((np.concatenate(hashes) >> _SHIFT).astype(np.uint32))
    is_first = np.empty(len(found), dtype=np.bool_)
    is_first[:1] = True
    np.not_equal(found[1:], found[:-1], out=is_first[1:])
    return found[is_first].astype(np.intp)


def _to_word_hashes(
    letters: NDArray[np.uint8], sums: NDArray[np.uint64]
) -> list[NDArray[np.uint64]]:
    inside = _IN_WORD[letters]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    starts = starts[: len(ends)]
    words = (sums[ends] - sums[starts]) * _INVERSES[starts] * _MIX + np.uint64(11)
    pairs = (sums[ends[1:]] - sums[starts[:-1]]) * _INVERSES[starts[:-1]] * _MIX + np.uint64(13)
    return [words, pairs]
