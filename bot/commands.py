"""Commands in words: `help`, `tier heavy`, `/settings dial 7`. Pure: a text in, a command out.

A sentence that merely begins with such a word stays a prompt; behind a slash it is a command,
and a mistake in it is told with the nearest valid word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from bot import command_grammar as grammar
from bot.command_grammar import Command, Line, Reader
from bot.errors import CommandError, PromptError, UnknownCommandError
from bot.question_grammar import DEBATE_SENTENCES, ENSEMBLE_SENTENCES, asking

_LINE = re.compile(r"(?P<slash>/?)(?P<word>[A-Za-z]+[?!.:]?)(?:\s+(?P<rest>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """One command: what it does, and how it is written."""

    name: str
    about: str
    read: Reader
    examples: tuple[str, ...]
    """To be copied: the plainest first."""
    more: str = ""
    """What else may stand in it, in a sentence."""
    aliases: tuple[str, ...] = ()
    asks_models: bool = False
    is_meant: Callable[[Line], bool] = lambda line: False
    """Whether words that can't be read make no sentence either."""
    is_on: bool = True
    """Whether its feature exists; one that is off is neither listed nor taken."""


def parse_command(text: str) -> Command | None:
    """The command that a text is, or None for a prompt. The mention is taken out before.

    Raises UnknownCommandError or CommandError, in words, for what is meant as a command and wrong.
    """
    found = _LINE.fullmatch(text.strip())
    if found is None:
        return None
    word, rest, is_explicit = found["word"].lower(), found["rest"] or "", bool(found["slash"])
    spec = _behind_slash(word) if is_explicit else _meant(word, has_more=bool(rest))
    if spec is None:
        return None
    line = Line(rest, is_explicit, word.rstrip(":?!."))
    command = spec.read(line)
    if command is not None and command.name == "help":
        command = _known_help(command)
    if command is None and (is_explicit or spec.is_meant(line)):
        raise CommandError(_misread(spec, is_explicit=is_explicit))
    return command


def is_command(text: str) -> bool:
    """Whether a text is meant as a command, right or wrong."""
    try:
        return parse_command(text) is not None
    except PromptError:
        return True


def is_stop(text: str) -> bool:
    """Whether a message is the bare word that stops an answer."""
    return text.strip().lower() in _STOPS


def _misread(spec: CommandSpec, *, is_explicit: bool) -> str:
    slash, more = ("/", "") if is_explicit else ("", f" {grammar.MORE_WORDS}")
    *others, last = (f"`{example}`" for example in spec.examples)
    how = f"like this: {', '.join(others)} or {last}" if others else f"alone: {last}"
    return f"I read this as `{slash}{spec.name}`. Write it {how}.{more}"


def _known_help(command: Command) -> Command | None:
    """Help with a command that there is; None for a sentence such as "help Ann"."""
    if not command.words:
        return command
    if (spec := named(command.words[0])) is not None:
        return Command(name="help", words=(spec.name,))
    if near := nearest(command.words[0], 0.82):
        raise CommandError(f"There is no command `{command.words[0]}`. Did you mean `help {near}`?")
    return None


def _behind_slash(word: str) -> CommandSpec | None:
    if (spec := named(word)) is not None:
        return spec
    near = nearest(word, 0.7)
    if word not in _WORDS and not near:
        return None
    hint = f" Did you mean `/{near}`?" if near else ""
    raise UnknownCommandError(f"There is no command `/{word}`.{hint} `/help` lists them all.")


def named(word: str) -> CommandSpec | None:
    """The command of that name or alias, if its feature is on."""
    spec = _WORDS.get(word.lower())
    return spec if spec is not None and spec.is_on else None


def nearest(word: str, cutoff: float) -> str:
    """The command that a mistyped word resembles, at least by `cutoff` of 1; empty for none."""
    known = [each for each, spec in _WORDS.items() if spec.is_on]
    return next(iter(get_close_matches(word.lower(), known, n=1, cutoff=cutoff)), "")


def _meant(word: str, *, has_more: bool) -> CommandSpec | None:
    """The command that a bare word may mean: `help!` and `debate:` do, `forget!` does not."""
    spec = named(word.rstrip(":" if has_more else ":?!."))
    if spec is None or (spec.asks_models and word.endswith("?")):
        return None
    is_marked = word not in (spec.name, *spec.aliases)
    may_be_marked = spec.asks_models if has_more else spec.name != "forget"
    return spec if may_be_marked or not is_marked else None


_SPECS = (
    CommandSpec(
        name="help",
        about="what I can do",
        read=grammar.help,
        examples=("help", "help budget"),
        aliases=("commands",),
    ),
    CommandSpec(
        name="models",
        about="the models that are switched on, and their prices",
        read=grammar.bare("models"),
        examples=("models",),
        aliases=("model",),
    ),
    CommandSpec(
        name="tier",
        about="the tier that answers in this thread from now on",
        read=grammar.tier,
        examples=("tier heavy", "tier auto", "tier cheap channel"),
        more="The tiers are free, cheap and full; auto lets me choose. It holds for the thread, or "
        "for the channel or workspace that you name.",
    ),
    CommandSpec(
        name="debate",
        about="one model answers, another objects, the first revises",
        read=asking("debate", ("models", "rounds"), DEBATE_SENTENCES),
        examples=("debate Tabs or spaces?", "debate rounds:2 models:haiku,gpt Is P equal to NP?"),
        more="`rounds:` takes 1 to 3; `models:` names two of those that `models` lists.",
        asks_models=True,
    ),
    CommandSpec(
        name="ensemble",
        about="several models answer, and one answer is made of them",
        read=asking("ensemble", ("models", "n", "mode"), ENSEMBLE_SENTENCES),
        examples=(
            "ensemble Name our new app",
            "ensemble n:3 mode:vote Is 97 a prime?",
            "ensemble mode:show models:haiku,gpt Explain DNS",
        ),
        more="`n:` takes 2 to 6 models. `mode:synthesis` makes one answer of theirs, `vote` "
        "takes the most frequent, `show` leaves them side by side.",
        asks_models=True,
    ),
    CommandSpec(
        name="stop",
        about="stop what is being written in this thread",
        read=grammar.bare("stop"),
        examples=("stop",),
    ),
    CommandSpec(
        name="spend",
        about="what was spent",
        read=grammar.spend,
        examples=("spend", "spend month by model", "spend today by user"),
        more="For today, week, month, year or all; by model, tier, user, channel or feature.",
        is_meant=grammar.is_spend,
        aliases=("usage", "costs"),
    ),
    CommandSpec(
        name="budget",
        about="the caps here and what is left of them; admins set them",
        read=grammar.budget,
        examples=("budget", "budget user 5 weekly", "budget workspace 100"),
        more="For a user (each person), a channel or the workspace; daily, weekly or monthly. "
        "`budget user none weekly` takes it away.",
        is_meant=grammar.is_budget,
        aliases=("budgets", "caps"),
    ),
    CommandSpec(
        name="settings",
        about="what is set here, and where; admins change it",
        read=grammar.settings,
        examples=(
            "settings",
            "settings dial 7",
            "settings workspace footer short",
            "settings reset dial",
        ),
        more="It holds for the channel, or for the thread or workspace that you name. "
        "`settings history` says who changed what.",
        aliases=("setting",),
    ),
    CommandSpec(
        name="forget",
        about="delete this conversation, or all that you asked in this workspace",
        read=grammar.forget,
        examples=("forget", "forget all"),
    ),
)
COMMANDS: Mapping[str, CommandSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""What there is. A feature's command is switched on (`is_on`) with the feature."""
_STOPS = frozenset(f"{slash}stop{end}" for slash in ("", "/") for end in ("", ".", "!"))
_WORDS = {word: spec for spec in _SPECS for word in (spec.name, *spec.aliases)}
