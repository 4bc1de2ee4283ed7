"""One stream as it is read: the text so far, its times, and the usage at its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.llm.tokens import count_tokens
from bot.calls import Completion, ModelCall, OnText, Usage
from bot.money import to_nanousd

REPORTS_COST = frozenset({"openrouter"})
"""Elsewhere a cost in the usage is LiteLLM's own sum, which is not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what. A model that reasons in secret may be silent for a minute."""

    connect_s: float = 10.0
    first_token_s: float = 90.0
    gap_s: float = 45.0


class Reading:
    """Takes the chunks of one stream, and pushes its deadline on while they come."""

    def __init__(self, call: ModelCall, on_text: OnText, patience: Patience) -> None:
        self._call = call
        self._on_text = on_text
        self._gap_s = patience.gap_s
        self._now = asyncio.get_running_loop().time
        self._started_s = self._now()
        self._ends_s = self._started_s + call.timeout_s
        self._clock = asyncio.timeout_at(
            min(self._ends_s, self._started_s + patience.first_token_s)
        )
        self._pieces: list[str] = []
        self._first_token_s: float | None = None
        self._finish_reason = ""

    @property
    def clock(self) -> asyncio.Timeout:
        """The limit to read under: first for the first token, then for each gap."""
        return self._clock

    @property
    def text(self) -> str:
        """What came so far."""
        return "".join(self._pieces)

    def take(self, chunk: Any) -> None:
        """Hand the chunk's text on; anything that shows a model at work is a sign of life."""
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        delta = choice.delta
        self._finish_reason = choice.finish_reason or self._finish_reason
        text = delta.content
        if not text and not getattr(delta, "reasoning_content", None):
            return
        now = self._now()
        self._clock.reschedule(min(self._ends_s, now + self._gap_s))
        if text:
            if self._first_token_s is None:
                self._first_token_s = now - self._started_s
            self._pieces.append(text)
            self._on_text(text)

    def is_finished(self, stream: Any) -> bool:
        """Whether the provider said that it is done; LiteLLM says so in any case."""
        return bool(stream.received_finish_reason or stream.intermittent_finish_reason)

    async def to_completion(self, stream: Any) -> Completion:
        """Sum up a stream that was read to its end."""
        return Completion(
            text=self.text,
            usage=await self._usage(stream),
            finish_reason=self._finish_reason or "stop",
            response_model_id=_served_model(stream) or self._call.model.model_id,
            reported_cost=self._reported_cost(stream),
            first_token_s=self._first_token_s,
            latency_s=self._now() - self._started_s,
        )

    async def _usage(self, stream: Any) -> Usage:
        block = _usage_block(stream)
        if block is None:
            return Usage(
                input_tokens=self._call.input_tokens,
                output_tokens=await count_tokens(self.text),
                is_estimated=True,
            )
        return Usage(
            input_tokens=block.prompt_tokens or 0,
            output_tokens=block.completion_tokens or 0,
            cached_input_tokens=_detail(block, "prompt_tokens_details", "cached_tokens"),
            reasoning_tokens=_detail(block, "completion_tokens_details", "reasoning_tokens"),
        )

    def _reported_cost(self, stream: Any) -> int | None:
        if self._call.model.provider not in REPORTS_COST:
            return None
        cost = getattr(_usage_block(stream), "cost", None)
        return None if cost is None else to_nanousd(Decimal(str(cost)))


def _usage_block(stream: Any) -> Any:
    """The last usage that the provider itself has sent, or None."""
    blocks = (getattr(chunk, "usage", None) for chunk in reversed(stream.chunks))
    return next((block for block in blocks if block is not None), None)


def _detail(block: Any, group: str, name: str) -> int:
    return getattr(getattr(block, group, None), name, None) or 0


def _served_model(stream: Any) -> str:
    models = (chunk.hidden_params.get("provider_response_model") for chunk in stream.chunks)
    return next((model for model in models if model), "")
