"""A vote among answers, and how far they agree. Pure: the order of the voices does not matter."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from math import sqrt

_ANSWER_LINE = re.compile(
    r"^[\s>*_#`-]*(?:final\s+|short\s+)?answer[\s*_`]*(?::|：|\bis\b)[\s*_`]*(?P<text>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_MARKS = re.compile(r"[*_`~#>]|\\[()\[\]]|\$(?!\d)")
_ARTICLE = re.compile(r"^(?:the|an?)\s+")
_NUMBER = re.compile(r"^[$€£]?(?P<digits>[-+−]?(?:\d{1,3}(?:[, ']\d{3})+|\d+)(?:\.\d+)?)\s*%?$")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One voice: who, and the short answer that it gave."""

    voice: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An answer and who gave it, the voices in the order of their names."""

    answer: str
    voices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The options, the most frequent first."""

    options: tuple[Option, ...]

    @property
    def winners(self) -> tuple[Option, ...]:
        """The option with the most voices, or several in a tie."""
        most = max((len(option.voices) for option in self.options), default=0)
        return tuple(option for option in self.options if len(option.voices) == most)

    @property
    def votes(self) -> int:
        """How many voices there are."""
        return sum(len(option.voices) for option in self.options)


def short_answer(text: str) -> str:
    """What a text comes down to: its last `ANSWER:` line, else its last line."""
    stated = [match["text"] for match in _ANSWER_LINE.finditer(text)]
    if stated:
        return _trimmed(stated[-1])
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return _trimmed(lines[-1]) if lines else ""


def normalise(answer: str) -> str:
    """An answer as it is compared: no marks, case, articles or punctuation; a number as such."""
    plain = (
        unicodedata.normalize("NFKC", _MARKS.sub("", answer)).casefold().strip(" \t\"'“”‘’.,;:!?")
    )
    number = _NUMBER.match(plain)
    if number:
        return _number(number["digits"])
    words = re.sub(r"[^\w\s.+−-]", " ", _ARTICLE.sub("", plain))
    return " ".join(words.split()).strip(" .") or plain


def tally(ballots: Sequence[Ballot]) -> Tally:
    """Count the ballots; equal answers in other words or forms count together."""
    by_answer: dict[str, list[Ballot]] = {}
    for ballot in sorted(ballots, key=lambda b: (b.voice, b.answer)):
        by_answer.setdefault(normalise(ballot.answer), []).append(ballot)
    options = [
        Option(answer=_shown(cast), voices=tuple(ballot.voice for ballot in cast))
        for cast in by_answer.values()
    ]
    return Tally(options=tuple(sorted(options, key=lambda o: (-len(o.voices), o.answer))))


def agreement_percent(texts: Sequence[str]) -> int:
    """How alike the texts are in their words, on average over all pairs, from 0 to 100."""
    bags = [Counter(_WORD.findall(text.casefold())) for text in texts]
    pairs = [_cosine(a, b) for a, b in combinations(bags, 2)]
    return round(100 * sum(pairs) / len(pairs)) if pairs else 100


def most_typical(texts: Sequence[str]) -> int:
    """The place of the text that is most like the others; the first of equals."""
    bags = [Counter(_WORD.findall(text.casefold())) for text in texts]
    likeness = [
        sum(_cosine(bag, other) for place, other in enumerate(bags) if place != own)
        for own, bag in enumerate(bags)
    ]
    return likeness.index(max(likeness))


def _cosine(a: Counter[str], b: Counter[str]) -> float:
    product = sum(count * b[word] for word, count in a.items())
    size = sqrt(sum(c * c for c in a.values()) * sum(c * c for c in b.values()))
    return product / size if size else 0.0


def _number(digits: str) -> str:
    """A number in its one form, exact whatever its length."""
    value = Decimal(re.sub(r"[, ']", "", digits).replace("−", "-"))
    plain = f"{value:f}"
    shortest = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if shortest == "-0" else shortest


def _trimmed(text: str) -> str:
    return text.strip().strip("*_` ")


def _shown(cast: Sequence[Ballot]) -> str:
    """The form in which an answer is shown: the shortest that was given."""
    return min((ballot.answer for ballot in cast), key=lambda answer: (len(answer), answer))
