"""What people did, so that it can be asked afterwards what became of it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

TAGS = ("", "", "", "@fast ", "@cheap ", "@heavy ")
TOPICS = ("a bridge", "the tides", "a sorting function in Python", "tea", "a cron line", "Rome")
CONTEXT = "Here is what I know so far, and it is rather much. " * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt that must have an answer or a reason."""

    kind: str
    may_be_gone: bool = False
    """It was deleted or forgotten: then it needs no answer."""
    place: str = ""
    """Where people look for the answer: a Discord thread, or a Slack thread as `channel ts`."""


@dataclass(slots=True)
class Diary:
    """Prompts by the turn that is to answer them, and how often each thing was done."""

    dice: random.Random
    prompts: dict[str, Prompt] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """What the program would not do, in its own words or by its status."""
    numbers: count[int] = field(default_factory=lambda: count(1))

    def note(self, turn_id: str, prompt: Prompt) -> None:
        """A prompt was sent."""
        self.did[prompt.kind] += 1
        self.prompts[turn_id] = prompt

    def forgive(self, turn_id: str) -> None:
        """A prompt was taken back."""
        prompt = self.prompts[turn_id]
        self.prompts[turn_id] = Prompt(kind=prompt.kind, may_be_gone=True, place=prompt.place)

    def question(self) -> str:
        """A question such as people ask: mostly short, with a tag now and then."""
        tag, topic = self.dice.choice(TAGS), self.dice.choice(TOPICS)
        before = CONTEXT if self.dice.random() < 0.05 else ""
        return f"{tag}{before}What is number {next(self.numbers)} about {topic}?"

    def discussion(self) -> str:
        """A debate or an ensemble, in words."""
        ways = ("debate rounds:1", "ensemble n:2", "ensemble n:3 mode:vote", "ensemble mode:show")
        return f"{self.dice.choice(ways)} Which is better, {next(self.numbers)} or less?"

    def command(self) -> str:
        """A command that every surface takes."""
        words = ("spend today by model", "spend week", "models", "help", "budget", "settings")
        return self.dice.choice(words)
