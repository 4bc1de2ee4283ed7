"""What a protocol must be able to say, and one request with its answer as the protocols see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.loopback.providers.record import Billed, Seen, count_tokens
from tests.loopback.providers.script import Reply

Prices = Mapping[str, tuple[float, float]]  # by model: USD per million tokens, in and out
UNLISTED_PRICE = (1.0, 5.0)


@dataclass(slots=True)
class Exchange:
    """One request, the answer chosen for it, and how many tokens of it were sent."""

    seen: Seen
    reply: Reply
    prices: Prices
    sent_tokens: int = 0

    @property
    def id(self) -> str:
        """The name of this answer in the provider's words."""
        return f"reply-{self.seen.number}"

    @property
    def served_model(self) -> str:
        """The model that the answer names."""
        return self.reply.served_model or self.seen.model

    def bill(self) -> Billed:
        """Price what was sent so far."""
        output_tokens = self.sent_tokens + self.reply.reasoning_tokens
        input_usd, output_usd = self.prices.get(self.seen.model, UNLISTED_PRICE)
        cost = (self.seen.input_tokens * input_usd + output_tokens * output_usd) / 1_000_000
        return Billed(
            input_tokens=self.seen.input_tokens,
            output_tokens=output_tokens,
            cached_input_tokens=min(self.reply.cached_input_tokens, self.seen.input_tokens),
            cache_write_tokens=self.reply.cache_write_tokens,
            reasoning_tokens=self.reply.reasoning_tokens,
            cost_usd=round(cost, 9),
        )

    def bill_in_full(self) -> Billed:
        """Price the whole answer."""
        self.sent_tokens = count_tokens(self.reply.text)
        return self.bill()


class Dialect(Protocol):
    """One protocol: how a request is read and how an answer is written."""

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, str]]:
        """Read the messages as role and text, the system prompt first."""

    def max_output_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Read the limit on the answer, if one was asked for."""

    def opening(self, exchange: Exchange) -> list[bytes]:
        """Write what comes before the first text."""

    def piece(self, exchange: Exchange, text: str) -> bytes:
        """Write one piece of the text."""

    def closing(self, exchange: Exchange) -> list[bytes]:
        """Write the finish and the usage."""

    def whole(self, exchange: Exchange) -> dict[str, Any]:
        """Write the answer in one body."""

    def error_event(self) -> bytes:
        """Write an error that comes in the middle of a stream."""


def to_text(content: object) -> str:
    """Flatten a message's content, a string or a list of parts, into its text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def to_event(data: Mapping[str, Any], name: str = "") -> bytes:
    """Write one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()
