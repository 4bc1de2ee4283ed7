"""What a page tells people to type: each line of its code, and each command in its sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.commands import parse_command
from bot.errors import BotError
from tests.docs.pages import ROOT, Found, Page

TOOLS = (
    ".uv/bin/uv", ".uv/bin/uvx", "cp", "curl", "docker", "echo", "install", "journalctl", "kubectl",
    "rm", "systemctl",
)  # fmt: skip
"""Programs that are not Parley's: what they are told is not run."""
WRAPPED = ("bench", "check", "lock", "test")
"""Commands of the wrapper alone."""
_PARLEY = ("./parley", "parley", ".venv/bin/parley", "/opt/parley/parley")
_PYTHON = ("python", ".venv/bin/python")
_VALUE = re.compile(r"[A-Z][A-Z_]+=\S*\Z")


class Kind(StrEnum):
    """Who takes a line."""

    PARLEY = "parley"
    WRAPPER = "the wrapper"
    MODULE = "python -m"
    TOOL = "another program"
    VALUE = "a line of .env"
    CHAT = "typed in a chat"
    UNKNOWN = "nobody"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to type."""

    found: Found
    kind: Kind
    arguments: tuple[str, ...]
    """What follows the program's name; for another program and a value, all of it."""

    def __str__(self) -> str:
        return f"{self.found}: {self.found.text}"


def lines(page: Page) -> Iterator[Line]:
    """Everything on a page that is to be typed."""
    for block in page.blocks():
        if not is_data(block):
            yield from (to_line(found) for found in typed(block))
    for word in page.words():
        if word.text.startswith((*(f"{name} " for name in _PARLEY), "python -m ")):
            yield _named(to_line(word))


def _named(line: Line) -> Line:
    """In a sentence a command may stand by its name alone."""
    is_name = line.kind is Kind.PARLEY and len(line.arguments) == 1
    return replace(line, arguments=(*line.arguments, "--help")) if is_name else line


def is_data(block: Found) -> bool:
    """Whether a block shows a file, a line of a log, faults or the layers: other tests read it."""
    return block.text.startswith(("[[model]]", "{", "my-models.toml:")) or "→" in block.text


def is_transcript(block: Found) -> bool:
    """Whether a block shows commands behind `$ ` with what they answer."""
    return block.text.startswith("$ ")


def typed(block: Found) -> Iterator[Found]:
    """A block's commands, each in one line and without the words that explain it."""
    whole = re.sub(r"\\\n\s*", " ", block.text)
    for number, text in enumerate(whole.splitlines()):
        line = re.split(r"\s{3,}|\s+# ", text)[0].strip()
        if is_transcript(block) and not line.startswith("$ "):
            continue
        if line:
            yield Found(block.page, block.line + number, line.removeprefix("$ "))


def to_line(found: Found) -> Line:
    """Say who takes this line."""
    try:
        words = shlex.split(found.text)
    except ValueError:  # an apostrophe in a sentence
        words = found.text.split()
    rest = words[1:] if words[0] == "sudo" else words
    while len(rest) > 1 and _VALUE.match(rest[0]):
        rest = rest[1:]
    program, arguments = rest[0], tuple(rest[1:])
    if program in _PARLEY:
        is_wrapped = bool(arguments) and arguments[0] in WRAPPED
        return Line(found, Kind.WRAPPER if is_wrapped else Kind.PARLEY, arguments)
    if program in _PYTHON and arguments[:1] == ("-m",):
        plain = (word.strip("[]") for word in arguments[1:])
        return Line(found, Kind.MODULE, tuple(plain))
    return Line(found, _other(found, program), tuple(words))


def _other(found: Found, program: str) -> Kind:
    if program in TOOLS:
        return Kind.TOOL
    if _VALUE.match(program):
        return Kind.VALUE
    return Kind.CHAT if _is_chat(found.text) else Kind.UNKNOWN


def _is_chat(text: str) -> bool:
    try:
        return parse_command(text) is not None
    except BotError:
        return False


def wrapper_commands() -> set[str]:
    """What the wrapper does itself, by its own text."""
    text = (ROOT / "parley").read_text()
    branches = re.findall(r"^    (\w+)\) (?:shift|check)", text, re.MULTILINE)
    return {*branches, *re.findall(r'"\$\{1:-\}" != (\w+)', text)}
