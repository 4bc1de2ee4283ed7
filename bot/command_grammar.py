"""How each command is written: what follows its word, read into a Command or taken as a sentence.

A reader returns None for words that are a prompt, and raises CommandError, in words, for what is
meant as a command and wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from bot.caps import USUAL_PERIODS, CapSpec, Period, Scope
from bot.errors import CommandError
from bot.settings import SETTINGS

TIER_WORDS = ("free", "cheap", "full", "auto", "fast", "heavy")
PLACES: Mapping[str, str] = MappingProxyType(
    {"thread": "thread", "channel": "channel", "workspace": "workspace", "server": "workspace"}
)
SCOPES: Mapping[str, Scope] = MappingProxyType(
    {**{str(scope): scope for scope in USUAL_PERIODS}, "server": Scope.WORKSPACE}
)
"""Whose cap can be set."""
_OFTEN: Mapping[str, Period] = MappingProxyType(
    {word: period for period in Period for word in (str(period), period.adverb)}
)
_BETWEEN = ("a", "each", "every", "per", "dollar", "dollars", "usd")
"""What may stand between a cap's dollars and its period."""
PERIODS = ("today", "day", "week", "month", "year", "all")
GROUPS = ("model", "tier", "user", "channel", "feature")
_SPEND = re.compile(
    r"(?:(?:this )?(?P<first>{0})\b)?(?: ?\b(?:by|per) (?P<group>\S+))?"
    r"(?: (?:this )?(?P<last>{0}))?".format("|".join(PERIODS))
)
_OF_SPEND = frozenset(
    f"by per this last past previous yesterday yearly {' '.join((*PERIODS, *GROUPS, *_OFTEN))} "
    f"days weeks months years {' '.join(f'{group}s' for group in GROUPS)}".split()
)
MORE_WORDS = "If it was a question, put it in a few more words."
_NONE: Mapping[str, str] = MappingProxyType({})
_TOKEN = re.compile(r"""["“](?P<quoted>[^"”]*)["”]|(?P<open>["“].*)|(?P<plain>\S+)""", re.DOTALL)
_AMOUNT = re.compile(r"\$?\d[\d,]*(?:\.\d+)?\$?|none|off", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[$€£]?[-+]?\d[\d.,]*%?|on|off|none|true|false", re.IGNORECASE)
"""What no sentence has behind a setting's name or a cap's scope, right or wrong."""
_BESIDE_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "reset": "the name of one setting behind it, as in `settings reset dial`",
        "history": "nothing behind it",
    }
)
"""What may stand in the place of a setting's name, and how it is written."""
_NEAR = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody wants done, in canonical words."""

    name: str
    words: tuple[str, ...] = ()
    """What it is about: a tier, a setting's name, `all`."""
    options: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """`models`, `rounds`, `place`, …"""
    text: str = ""
    """The question for one that asks models; the new value for one that sets something."""


@dataclass(frozen=True, slots=True)
class Line:
    """What follows a command's word."""

    rest: str
    is_explicit: bool
    """Behind a slash: it cannot be a prompt."""
    word: str = ""
    """How the command was called: its name or an alias."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Its words, quotes taken off."""
        found = []
        for match in _TOKEN.finditer(self.rest):
            if match["open"] and self.is_explicit:
                raise CommandError("A quotation mark is opened and not closed. Nothing was done.")
            quoted = match["quoted"]
            found.append(match["open"] or match["plain"] if quoted is None else quoted)
        return tuple(found)

    @property
    def words(self) -> list[str]:
        """Its words in small letters, without the full stop or the "please" that ends them."""
        said = f" {' '.join(self.tokens)}".lower().rstrip(" .!")
        return said.removesuffix(" please").rstrip(" ,").split()


Reader = Callable[[Line], Command | None]


def bare(name: str) -> Reader:
    return lambda line: None if line.rest else Command(name=name)


def help(line: Line) -> Command | None:
    """Read `help`, or `help WORD`: the caller knows which words are commands."""
    words = tuple(word.lower().removeprefix("/").rstrip("?!.") for word in line.tokens)
    return None if len(words) > 1 else Command(name="help", words=words)


def tier(line: Line) -> Command | None:
    words = tuple(line.words)
    if not words:
        return Command(name="tier")
    if len(words) == 2 and words[0] in PLACES:
        words = words[::-1]
    if len(words) > 2 or (len(words) == 2 and words[1] not in PLACES):
        return None
    if words[0] not in TIER_WORDS:
        return _mistaken(words[0], TIER_WORDS, "tier", is_explicit=line.is_explicit)
    options = {"place": PLACES[words[1]]} if len(words) == 2 else _NONE
    return Command(name="tier", words=words[:1], options=options)


def settings(line: Line) -> Command | None:
    words, options = _placed(line.tokens)
    if words and words[0].lower() == "reset" and len(words) == 2:
        options["reset"] = "yes"
        words = words[1:]
    if not words:
        return Command(name="settings", options=options)
    if [word.lower() for word in words] == ["history"]:
        return Command(name="settings", words=("history",), options=options)
    name = words[0].lower().replace("-", "_")
    if name not in SETTINGS:
        return _no_setting(name, words[1:], is_explicit=line.is_explicit)
    value = _value(name, words[1:], line)
    if value is None:
        return None
    return Command(name="settings", words=(name,), options=options, text=value)


def _no_setting(name: str, more: tuple[str, ...], *, is_explicit: bool) -> Command | None:
    """Raise for what stands where a setting's name should; None when it makes a sentence."""
    if len(more) > 1 and not is_explicit:
        return None
    if name in _BESIDE_SETTINGS:
        raise CommandError(f"`settings {name}` takes {_BESIDE_SETTINGS[name]}.")
    is_meant = len(more) == 1 and bool(_NUMBER.fullmatch(more[0]))
    known = (*SETTINGS, *_BESIDE_SETTINGS)
    hint = "`help settings` lists them all."
    return _mistaken(name, known, "setting", is_explicit=is_explicit or is_meant, hint=hint)


def _placed(words: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words without the place in front of them, and the place; `set NAME` is NAME."""
    options: dict[str, str] = {}
    if words and words[0].lower() in PLACES:
        options["place"] = PLACES[words[0].lower()]
        words = words[1:]
    if len(words) > 2 and words[0].lower() == "set" and words[1].lower() in SETTINGS:
        words = words[1:]
    return words, options


def _value(name: str, words: tuple[str, ...], line: Line) -> str | None:
    """A setting's new value; None when several words follow that are no list: a sentence."""
    if len(words) == 2 and words[0].lower() == "to" and _NUMBER.fullmatch(words[1]):
        words = words[1:]
    if len(words) < 2:
        return "".join(words)
    if name == "system_prompt" or line.is_explicit:
        found = re.search(rf"{name.replace('_', '[-_]')}\s+", line.rest, re.IGNORECASE)
        return line.rest[found.end() :].strip() if found else None
    return " ".join(words) if all(word.endswith(",") for word in words[:-1]) else None


def forget(line: Line) -> Command | None:
    said = " ".join(line.rest.lower().rstrip(".!").split())
    if said in ("", "thread", "this thread", "this conversation"):
        return Command(name="forget", words=("thread",))
    if said in ("all", "all of mine", "all my messages"):
        return Command(name="forget", words=("all",))
    return None


def budget(line: Line) -> Command | None:
    """Read `budget`, or `budget user 2 a week`; without a period it is the scope's usual one."""
    words = line.words
    if not words:
        return Command(name="budget")
    words = [*words[:2], *(word for word in words[2:] if word not in _BETWEEN)]
    if len(words) not in (2, 3):
        return None
    scope, amount, often = (*words, "")[:3]
    if often and amount in _OFTEN:
        amount, often = often, amount
    if not _AMOUNT.fullmatch(amount):
        _refuse_amount(scope, amount, is_explicit=line.is_explicit)
        return None
    if scope not in SCOPES:
        return _mistaken(scope, SCOPES, "budget", is_explicit=line.is_explicit)
    if often and often not in _OFTEN:
        return _mistaken(often, _OFTEN, "period", is_explicit=line.is_explicit)
    period = _OFTEN[often] if often else USUAL_PERIODS[SCOPES[scope]]
    cap = CapSpec(scope=SCOPES[scope], period=period)
    return Command(name="budget", words=(cap.name,), text=amount)


def _refuse_amount(scope: str, word: str, *, is_explicit: bool) -> None:
    """Raise for what stands where a cap's dollars should, unless it makes a sentence."""
    is_number = word[:1].isdigit() or bool(_NUMBER.fullmatch(word))
    if scope in SCOPES and (is_explicit or is_number):
        raise CommandError(
            f"`budget {scope}` takes dollars such as 5 or 2.50, or none, not `{word[:40]}`."
        )


def is_budget(line: Line) -> bool:
    """Whether what `budget` can't read has its words alone; "budget server" may be a prompt."""
    words = line.words
    return (
        words != ["server"]
        and all(
            word in (*SCOPES, *_BETWEEN, *_OFTEN, "unlimited", "reset") or _AMOUNT.fullmatch(word)
            for word in words
        )
        and words[0] in SCOPES
    )


def spend(line: Line) -> Command | None:
    """Read `spend this week by model`, in either order, with a question mark or without."""
    said = " ".join(line.words)
    found = _SPEND.fullmatch(said.rstrip("?"))
    if found is None:
        is_word = bool(said) and " " not in said
        return _mistaken(said, PERIODS, "period", is_explicit=line.is_explicit) if is_word else None
    period, group = found["first"] or found["last"], found["group"]
    if group and group not in GROUPS:
        is_meant = line.is_explicit or (line.word == "spend" and not said.endswith("?"))
        return _mistaken(group, GROUPS, "way to group", is_explicit=is_meant)
    options = {"period": period, "by": group}
    return Command(name="spend", options={key: word for key, word in options.items() if word})


def is_spend(line: Line) -> bool:
    """Whether what `spend` can't read has its words alone, as "spend last week" has."""
    return all(word in _OF_SPEND for word in line.words)


def _mistaken(
    word: str, known: Collection[str], what: str, *, is_explicit: bool, hint: str = ""
) -> Command | None:
    """Raise for a word that is nearly right, or behind a slash; None for a sentence's word.

    `hint` is said in place of all that are known, where those are many.
    """
    near = get_close_matches(word, known, n=1, cutoff=_NEAR)
    if not near and not is_explicit:
        return None
    hint = f"Did you mean `{near[0]}`?" if near else hint or f"There are: {', '.join(known)}."
    raise CommandError(f"There is no {what} `{word[:40]}`. {hint}")
