"""Faults on demand, and the record of every request and every text a message ever had."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from tests.loopback.discord.world import Payload


@dataclass(slots=True, kw_only=True)
class Fault:
    """What to do with the next `times` requests that match."""

    method: str
    path: re.Pattern[str]
    status: int = 500
    code: int = 0
    message: str = "500: Internal Server Error"
    retry_after_s: float = 0.0
    times: int = 1
    drop: bool = False
    after_effect: bool = False
    delay_s: float = 0.0
    """How long the answer, or its loss, takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request and how it was answered."""

    at_s: float
    method: str
    path: str
    body: Payload
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One text that a message had, and since when."""

    at_s: float
    content: str


@dataclass(slots=True)
class Record:
    """Everything that happened, in order."""

    calls: list[Call] = field(default_factory=list)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    pinged: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first fault that matches, one of its times used up."""
        for fault in self.faults:
            if fault.times > 0 and fault.method in ("", method) and fault.path.search(path):
                fault.times -= 1
                return fault
        return None

    def seen(self, method: str, pattern: str) -> list[Call]:
        """The requests of one method whose path matches."""
        return [c for c in self.calls if c.method == method and re.search(pattern, c.path)]

    def limited(self) -> list[Call]:
        """The requests answered with 429."""
        return [c for c in self.calls if c.status == 429]

    def texts(self, message_id: str) -> list[str]:
        """Each text that one message had."""
        return [version.content for version in self.versions.get(message_id, [])]

    def repeats(self) -> list[tuple[str, str]]:
        """Edits that changed nothing: (message, text)."""
        return [
            (message_id, after.content)
            for message_id, versions in self.versions.items()
            for before, after in pairwise(versions)
            if before.content == after.content
        ]
