"""One stream as it is read: the text so far, its times, and the usage that came with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from adapters.llm.tokens import count_tokens
from bot.calls import Completion, ModelCall, OnText, Usage, unheard
from bot.legible import to_legible
from bot.money import to_nanousd

_STEPS = 20
"""A deadline moves on in twentieths of the gap: not for every chunk of thousands a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what. A model that reasons in secret may be silent for a minute."""

    connect_s: float = 10.0
    first_token_s: float = 90.0
    gap_s: float = 45.0


class Reading:
    """Takes the chunks of one stream, and pushes its deadline on while they come."""

    def __init__(
        self, call: ModelCall, on_text: OnText, patience: Patience, on_reasoning: OnText = unheard
    ) -> None:
        self._call = call
        self._on_text = on_text
        self._on_reasoning = on_reasoning
        self._gap_s = patience.gap_s
        self._now = asyncio.get_running_loop().time
        self._started_s = self._alive_s = self._now()
        self._ends_s = self._started_s + call.timeout_s
        self._clock = asyncio.timeout_at(
            min(self._ends_s, self._started_s + patience.first_token_s)
        )
        self._pieces: list[str] = []
        self._half = ""
        self._first_token_s: float | None = None
        self._finish_reason = ""
        self._served_model = ""
        self._is_awaited = False
        self._tally = _Tally()

    @property
    def clock(self) -> asyncio.Timeout:
        """The limit to read under: first for the first token, then for each gap."""
        return self._clock

    @property
    def text(self) -> str:
        """What came so far."""
        return "".join(self._pieces)

    @property
    def is_finished(self) -> bool:
        """Whether the provider said that it is done, and not that it failed."""
        return self._finish_reason not in ("", "error") and not self._is_awaited

    async def until_said(
        self, marks: tuple[str, ...], lines: AsyncIterator[str]
    ) -> AsyncIterator[str]:
        """The lines as they are; the stream is not finished before one of them holds a mark."""
        self._is_awaited = True
        async for line in lines:
            if any(mark in line for mark in marks):
                self._is_awaited = False
            yield line

    def take(self, chunk: Any) -> None:
        """Take one chunk in either form that LiteLLM's providers give; None has nothing in it."""
        if chunk is None:
            return
        if isinstance(chunk, dict):
            self._take_plain(chunk)
            return
        self._tally.add(getattr(chunk, "usage", None))
        self._served_model = self._served_model or getattr(chunk, "model", None) or ""
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        self._finish_reason = choice.finish_reason or self._finish_reason
        if text := choice.delta.content:
            self._take_text(text)
        elif reasoning := getattr(choice.delta, "reasoning_content", None):
            self._stay_awake()
            self._on_reasoning(to_legible(str(reasoning)))

    async def to_completion(self) -> Completion:
        """Sum up a stream that was read to its end."""
        reported = self._tally.cost
        return Completion(
            text=self.text,
            usage=self._tally.to_usage() or await self._estimate(),
            finish_reason=self._finish_reason,
            response_model_id=to_legible(str(self._served_model)) or self._call.model.model_id,
            reported_cost=None if reported is None else to_nanousd(Decimal(str(reported))),
            first_token_s=self._first_token_s,
            latency_s=self._now() - self._started_s,
        )

    def _take_plain(self, chunk: dict[str, Any]) -> None:
        self._tally.add(chunk.get("usage"))
        if chunk.get("is_finished"):
            self._finish_reason = self._finish_reason or chunk.get("finish_reason") or "stop"
        if text := chunk.get("text"):
            self._take_text(text)

    def _take_text(self, text: str) -> None:
        self._stay_awake()
        if self._first_token_s is None:
            self._first_token_s = self._alive_s - self._started_s
        if text := self._whole(text):
            self._pieces.append(text)
            self._on_text(text)

    def _whole(self, text: str) -> str:
        """The text with the half of a character that came before it, without one at its end."""
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        return to_legible(text[:-1] if self._half else text)

    def _stay_awake(self) -> None:
        """Move the deadline on: text and reasoning both show a model at work."""
        now = self._now()
        if not self._pieces or now - self._alive_s > self._gap_s / _STEPS:
            self._clock.reschedule(min(self._ends_s, now + self._gap_s))
            self._alive_s = now

    async def _estimate(self) -> Usage:
        return Usage(
            input_tokens=self._call.input_tokens,
            output_tokens=await count_tokens(self.text),
            is_estimated=True,
        )


_COUNTS = ("prompt_tokens", "completion_tokens")
_MOST = 1_000_000_000
"""No call has more tokens, or costs more dollars: a provider that says so is not believed."""


@dataclass(slots=True)
class _Tally:
    """The usage that a provider has sent: counters that only grow, spread over its chunks."""

    is_counted: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None
    """What the provider says it costs, in dollars."""

    def add(self, block: Any) -> None:
        if not block:
            return
        cached = _detail(block, "prompt_tokens_details", "cached_tokens")
        written = _detail(block, "prompt_tokens_details", "cache_write_tokens")
        reasoning = _detail(block, "completion_tokens_details", "reasoning_tokens")
        self.is_counted |= any(_is_amount(_field(block, name)) for name in _COUNTS)
        self.input_tokens = max(self.input_tokens, _count(block, "prompt_tokens"))
        self.output_tokens = max(self.output_tokens, _count(block, "completion_tokens"))
        self.cached_input_tokens = max(self.cached_input_tokens, cached)
        self.cache_write_tokens = max(self.cache_write_tokens, written)
        self.reasoning_tokens = max(self.reasoning_tokens, reasoning)
        cost = _field(block, "cost")
        if _is_amount(cost):  # some providers send a table of parts
            self.cost = cost

    def to_usage(self) -> Usage | None:
        if not self.is_counted:
            return None
        cached = min(self.cached_input_tokens, self.input_tokens)
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_input_tokens=cached,
            cache_write_tokens=min(self.cache_write_tokens, self.input_tokens - cached),
            reasoning_tokens=self.reasoning_tokens,
        )


def _detail(block: Any, group: str, name: str) -> int:
    return _count(_field(block, group), name)


def _count(block: Any, name: str) -> int:
    """A number of tokens; 0 for what can't be one."""
    value = _field(block, name)
    return int(value) if _is_amount(value) else 0


def _is_amount(value: Any) -> TypeGuard[int | float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= _MOST


def _field(block: Any, name: str) -> Any:
    return block.get(name) if isinstance(block, dict) else getattr(block, name, None)
