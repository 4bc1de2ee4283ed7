"""Slash commands in Slack's form, each turned into the line that it is in words. Pure.

What a line means is the core's business; Slack refuses slash commands in threads, so there people
write the words themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.command_grammar import PLACES
from bot.commands import named, nearest
from bot.errors import UnknownCommandError

NO_THREAD_HERE = (
    "Here is no thread to forget. Write `@Parley forget` in the thread itself, or "
    "`/parley forget all` for all that you asked in this workspace."
)
MISTYPED = (
    "There is no command `{word}`. Did you mean `/parley {near}`? "
    "If it was a question, write `/parley ask {word} …`."
)
_LIKE = 0.8
"""How much of 1 the first word of a question must resemble a command to be taken as one."""
NOTHING_HERE = (
    "Here is no thread to stop in. Press **Stop** under the answer, or write `@Parley stop` in its "
    "thread."
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
    spec = named(name)
    if spec is None:
        is_asking = name == "ask"
        if not is_asking and (near := nearest(word, _LIKE)):
            raise UnknownCommandError(MISTYPED.format(word=word, near=near))
        return SlashLine(
            text=text.strip() if is_asking else f"{word} {rest}".strip(), is_private=False
        )
    line = f"/{spec.name} {text.strip()}".strip()
    return SlashLine(text=_in_channel(spec.name, line), is_private=not spec.asks_models)


def _in_channel(name: str, line: str) -> str:
    """A slash command stands in no thread, so a tier that it sets is the channel's."""
    words = line.lower().split()
    is_placed = any(word in PLACES for word in words)
    return f"{line} channel" if name == "tier" and len(words) == 2 and not is_placed else line
