"""One model's text inside the prompt of another: bounded, and marked where it was cut. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.answer_limits import MAX_OUTPUT_TOKENS, MIN_OUTPUT_TOKENS
from bot.calls import estimate_input_tokens, estimate_tokens
from bot.catalog import ModelSpec
from bot.conversation import history_limit
from bot.messages import Message, Role

_INSTRUCTION_TOKENS = 600
"""Room for what stands around the quoted texts."""


def quotable_tokens(model: ModelSpec, messages: Sequence[Message], texts: int) -> int:
    """How long each of several texts may be, quoted to a model behind the newest of these messages.

    Older ones need no room: they are summarised, or left out.
    """
    kept = [m for m in messages[:-1] if m.role is Role.SYSTEM]
    used = estimate_input_tokens([*kept, messages[-1]]) + _INSTRUCTION_TOKENS
    room = (history_limit(model, messages) - used) // max(1, texts)
    return max(MIN_OUTPUT_TOKENS, min(MAX_OUTPUT_TOKENS, room))


def excerpt(text: str, limit_tokens: int) -> str:
    """The text, or its beginning and end with a word on how much is left out between them."""
    tokens = estimate_tokens(text)
    if tokens <= limit_tokens:
        return text
    kept = len(text) * limit_tokens // tokens
    while True:
        head, tail = text[: kept * 2 // 3], text[len(text) - kept // 3 :]
        left_out = len(text) - len(head) - len(tail)
        cut = f"{head}\n\n[… {left_out:,} characters are left out here …]\n\n{tail}"
        if kept < 3 or estimate_tokens(cut) <= limit_tokens:
            return cut
        kept = kept * 9 // 10


def asked_further(messages: Sequence[Message], text: str) -> tuple[Message, ...]:
    """The conversation with more text under its newest prompt."""
    newest = messages[-1]
    return (*messages[:-1], replace(newest, text=f"{newest.text}\n\n{text}"))
