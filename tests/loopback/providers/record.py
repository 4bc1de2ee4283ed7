"""What the server was asked, how each request ended and what was billed for it."""

import math
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

CHARS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 3


def count_tokens(text: str) -> int:
    """Count as this server bills: four characters to a token, rounded up."""
    return math.ceil(len(text) / CHARS_PER_TOKEN)


class Outcome(StrEnum):
    """How a request ended, seen from the server."""

    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    BROKEN = "broken"  # a fault of ours: cut, truncated, malformed
    DISCONNECTED = "disconnected"  # the client hung up first


@dataclass(frozen=True, slots=True)
class Billed:
    """What a request costs its sender; `input_tokens` contains those of the cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(slots=True)
class Seen:
    """One request: what came in, when (`time.monotonic`), and how it ended."""

    number: int
    provider: str
    model: str
    messages: list[dict[str, str]]
    is_stream: bool
    max_output_tokens: int | None
    headers: dict[str, str]
    body: dict[str, Any]
    started_at_s: float = field(default_factory=time.monotonic)
    first_text_at_s: float | None = None
    sent_tokens: int = 0
    ended_at_s: float | None = None
    outcome: Outcome = Outcome.RUNNING
    status: int | None = None
    fault: str | None = None
    billed: Billed = Billed()

    @property
    def prompt(self) -> str:
        """The newest message from the user."""
        texts = [message["content"] for message in self.messages if message["role"] == "user"]
        return texts[-1] if texts else ""

    @property
    def input_tokens(self) -> int:
        """The size of the prompt as this server counts it."""
        return sum(
            TOKENS_PER_MESSAGE + count_tokens(message["content"]) for message in self.messages
        )

    @property
    def is_disconnected(self) -> bool:
        """Whether the client hung up before the answer was complete."""
        return self.outcome is Outcome.DISCONNECTED

    def note_text(self, sent_tokens: int) -> None:
        """Note how much of the answer went out, and when its first piece did."""
        self.sent_tokens = sent_tokens
        if self.first_text_at_s is None:
            self.first_text_at_s = time.monotonic()

    def end(self, outcome: Outcome) -> None:
        """Note how it ended; only the first word counts."""
        if self.outcome is Outcome.RUNNING:
            self.outcome, self.ended_at_s = outcome, time.monotonic()

    def to_json(self) -> dict[str, Any]:
        """Flatten into what `GET /_record` and the record file hold; keys are left out."""
        hidden = {"authorization", "x-api-key", "x-goog-api-key"}
        headers = {name: value for name, value in self.headers.items() if name not in hidden}
        return asdict(self) | {"headers": headers, "input_tokens": self.input_tokens}
