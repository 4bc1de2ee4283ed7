"""How `debate` and `ensemble` are written: options before or behind a question. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from bot.command_grammar import Command, Line, Reader
from bot.errors import CommandError

MODES = ("synthesis", "show", "vote")
_CHECKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"rounds": ("1", "2", "3"), "n": ("2", "3", "4", "5", "6"), "mode": MODES}
)
_BE = "is are was were has have and or can of in"
DEBATE_SENTENCES = frozenset(f"{_BE} club clubs team teams topic topics coach night".split())
ENSEMBLE_SENTENCES = frozenset(
    f"{_BE} average averaging cast casts classifier film forecast forecasts learning member "
    "members method methods model models theater theatre".split()
)
_QUOTED = re.compile(r"""["“](?P<quoted>[^"”]*[^"”\s][^"”]*)["”]""")
_OPTION = re.compile(
    rf"""
    (?P<key>[a-z]+):(?!//)
    (?: ["“](?P<quoted>[^"”]*)["”] | (?P<plain>\S+)
      | \s+(?P<spaced>(?:\d|{"|".join(MODES)})(?!\S)) )  # not the words of a question
    """,
    re.VERBOSE | re.IGNORECASE,
)


def asking(name: str, keys: tuple[str, ...], sentences: frozenset[str]) -> Reader:
    """Reads `name key:value … question`; options stand before or behind the question.

    `sentences` are the words that make a sentence of it, as in "debate is healthy".
    """

    def read(line: Line) -> Command | None:
        text, options = _options(line.rest, keys)
        if quoted := _QUOTED.fullmatch(text):
            return Command(name=name, options=options, text=quoted["quoted"].strip())
        first = text.partition(" ")[0].lower().strip(".,?!")
        if not options and not line.is_explicit and first in sentences:
            return None
        if not text:
            raise CommandError(f"`{name}` needs a question behind it. Nothing was spent.")
        return Command(name=name, options=options, text=text)

    return read


def _options(text: str, keys: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    found: dict[str, str] = {}
    text = text.strip()
    while match := _OPTION.match(text):
        if not _take(match, keys, found):
            break
        text = text[match.end() :].strip()
    if text.lower().startswith("question:"):
        text = text[len("question:") :].strip()
    while match := next((m for m in _OPTION.finditer(text) if m.end() == len(text)), None):
        if match["key"].lower() not in keys or not _take(match, keys, found):
            break
        text = text[: match.start()].strip()
    return text, found


def _take(match: re.Match[str], keys: tuple[str, ...], found: dict[str, str]) -> bool:
    """Keep an option; False for what is no option but the question's own words."""
    key = match["key"].lower()
    value = match["quoted"] or match["plain"] or match["spaced"] or ""
    if key not in keys:
        near = [] if key == "question" else get_close_matches(key, keys, n=1, cutoff=0.8)
        if near:
            raise CommandError(f"There is no option `{key}:`. Did you mean `{near[0]}:`?")
        return False
    if key in found:
        raise CommandError(f"`{key}:` is given twice. Give it once.")
    checked = _CHECKS.get(key)
    if checked is not None and value.lower() not in checked:
        raise CommandError(f"`{key}:` takes {', '.join(checked)}, not `{value[:40]}`.")
    found[key] = value.lower()
    return True
