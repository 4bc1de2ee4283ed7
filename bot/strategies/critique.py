"""A critique: objections with their severity, read leniently from what a model wrote. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MAX_OBJECTIONS = 12
MAX_CHARACTERS = 2_000
"""One objection is no longer than this."""
NOTHING = "NO OBJECTIONS"

_NOTHING = re.compile(
    r"\bno\s+(?:(?:serious|major|further|more|real|substantive)\s+)*(?:objections?|issues|problems)\b"
    r"|\bnothing\s+(?:serious\s+)?to\s+(?:object|criticise|criticize|add|correct)\b"
    r"|\banswer\s+(?:is|looks|seems)\s+(?:(?!not\b)\w+\s+)?(?:correct|right|accurate)\b"
    r"(?!.*\b(?:but|however|except|although|not|wrong|missing)\b)",
    re.IGNORECASE | re.DOTALL,
)
_NOTHING_AT_MOST = 200
"""A longer text than this says more than that there is nothing to say."""
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+(?P<text>\S.*)$")
_MARK = re.compile(
    r"^[\s*_`\[(]*(?:severity\s*[:=]\s*)?(?P<word>[a-z]+)[\s*_`\])]*[:–—-]*[\s*_`]*",
    re.IGNORECASE,
)
_SERIOUS_WORDS = (
    "serious critical major high severe blocker blocking error wrong fatal medium moderate"
)
_MINOR_WORDS = "minor low trivial nit nitpick small style cosmetic optional suggestion"
_SERIOUS, _MINOR = frozenset(_SERIOUS_WORDS.split()), frozenset(_MINOR_WORDS.split())
_JSON = re.compile(r"[\[{].*[\]}]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One thing that is wrong with an answer."""

    text: str
    is_serious: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique:
    """What a critic objects to, in its own order."""

    objections: tuple[Objection, ...] = ()

    @property
    def serious(self) -> tuple[Objection, ...]:
        """The objections that an answer should not stand with."""
        return tuple(o for o in self.objections if o.is_serious)


def parse_critique(text: str) -> Critique:
    """Read a critique from a list, from JSON, or from free text.

    A list item without a severity, and free text, count as serious: better a round too many.
    """
    data = _json_of(text)
    found = tuple(_from_json(data)) or tuple(_from_list(text))
    if found:
        return Critique(objections=found[:MAX_OBJECTIONS])
    words = text.strip()
    if not words or _says_nothing(words) or _is_empty(data):
        return Critique()
    return Critique(objections=(Objection(text=_bounded(words), is_serious=True),))


def to_list(critique: Critique) -> str:
    """The objections as a list, for the model that is to answer them."""
    return "\n".join(
        f"- [{'serious' if o.is_serious else 'minor'}] {o.text}" for o in critique.objections
    )


def _says_nothing(text: str) -> bool:
    return NOTHING in text.upper()[:_NOTHING_AT_MOST] or (
        len(text) <= _NOTHING_AT_MOST
        and (_NOTHING.search(text) is not None or text in ("[]", "{}"))
    )


def _from_list(text: str) -> Iterator[Objection]:
    item: list[str] = []
    for line in text.splitlines():
        found = _ITEM.match(line)
        if found:
            yield from _objection(item)
            item = [found["text"]]
        elif item and line.strip():
            item.append(line.strip())
    yield from _objection(item)


def _objection(lines: list[str]) -> Iterator[Objection]:
    text = " ".join(lines).strip()
    if not text or _says_nothing(text):
        return
    mark = _MARK.match(text)
    word = mark["word"].lower() if mark else ""
    if mark and word in _SERIOUS | _MINOR and text[mark.end() :].strip():
        text = text[mark.end() :].strip()
    yield Objection(text=_bounded(text), is_serious=word not in _MINOR)


def _json_of(text: str) -> object:
    """The JSON in a text, whatever stands around it; None without any."""
    found = _JSON.search(text)
    try:
        return json.loads(found[0]) if found else None
    except (ValueError, RecursionError):
        return None


def _is_empty(data: object) -> bool:
    lists = data.values() if isinstance(data, Mapping) else [data]
    return data is not None and all(value == [] for value in lists)


def _from_json(data: object) -> Iterator[Objection]:
    for item in _items(data):
        said = _text_of(item)
        if said:
            yield Objection(text=_bounded(said), is_serious=_severity_of(item) not in _MINOR)


def _items(data: object) -> Iterable[object]:
    if isinstance(data, Mapping):
        lists = [value for value in data.values() if isinstance(value, list)]
        return lists[0] if lists else [data]
    return data if isinstance(data, list) else []


def _text_of(item: object) -> str:
    if isinstance(item, str):
        return item.strip()
    if not isinstance(item, Mapping):
        return ""
    named = [v for k, v in item.items() if isinstance(v, str) and "sever" not in str(k).lower()]
    return max(named, key=len, default="").strip()


def _severity_of(item: object) -> str:
    if not isinstance(item, Mapping):
        return ""
    return next((str(v).lower() for k, v in item.items() if "sever" in str(k).lower()), "")


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"
