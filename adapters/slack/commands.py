"""Slash commands in Slack's form, each turned into the line that it is in words. Pure.

What a line means is the core's business; Slack refuses slash commands in threads, so there people
write the words themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.command_grammar import PLACES
from bot.commands import COMMANDS

_STOP = re.compile(r"/?(?:parley\s+)?stop[.!]?", re.IGNORECASE)
NO_THREAD_HERE = (
    "Here is no thread to forget. Write `@Parley forget` in the thread itself, or "
    "`/parley forget all` for all that you asked in this workspace."
)
NO_QUESTION = "Write your question after the command: `/parley ask …`."


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashLine:
    """What somebody wrote as a slash command."""

    text: str
    """A question, or `/name …` for a command."""
    is_private: bool
    """Whether only who wrote it sees the answer; the others are asked for all to see."""

    @property
    def asked(self) -> str:
        """How the question is told to the channel: `asks: …`, `asks for a debate: …`."""
        word, _, rest = self.text.partition(" ")
        if not word.startswith("/"):
            return f"asks: {self.text}"
        article = "an" if word[1] in "aeiou" else "a"
        return f"asks for {article} {word[1:]}: {rest}"


def to_line(command: str, text: str) -> SlashLine:
    """The line behind `/parley …` or one of its short forms; an empty one has no question."""
    word, _, rest = text.strip().partition(" ")
    name = command.removeprefix("/")
    if name == "parley":
        name, text = word.lower() or "help", rest
    spec = COMMANDS.get(name)
    if spec is None or not spec.is_on:
        is_asking = name == "ask"
        return SlashLine(
            text=text.strip() if is_asking else f"{word} {rest}".strip(), is_private=False
        )
    line = f"/{name} {text.strip()}".strip()
    return SlashLine(text=_in_channel(name, line), is_private=not spec.asks_models)


def _in_channel(name: str, line: str) -> str:
    """A slash command stands in no thread, so a tier that it sets is the channel's."""
    words = line.lower().split()
    is_placed = any(word in PLACES for word in words)
    return f"{line} channel" if name == "tier" and len(words) == 2 and not is_placed else line


def is_stop(text: str) -> bool:
    """Whether a message in a thread is the bare word that stops an answer."""
    return _STOP.fullmatch(text.strip()) is not None
