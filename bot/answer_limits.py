"""How long one answer may be, and what one of usual length costs. Pure."""

from __future__ import annotations

from bot.catalog import ModelSpec

EXPECTED_OUTPUT_TOKENS = 500
MIN_OUTPUT_TOKENS = 256
"""Fewer than this are not worth a call."""
MAX_OUTPUT_TOKENS = 8_192
"""What one answer may take at most, since all of it is held on the budget."""


def has_room(model: ModelSpec, input_tokens: int) -> bool:
    """Whether the window takes this input and leaves room for a short answer."""
    return input_tokens + MIN_OUTPUT_TOKENS <= model.context_tokens


def that_fits(model: ModelSpec, input_tokens: int, earlier_tokens: int) -> int:
    """How much of the earlier messages the window takes beside the newest and a short answer."""
    return max(0, min(earlier_tokens, model.context_tokens - MIN_OUTPUT_TOKENS - input_tokens))


def output_limit(model: ModelSpec, input_tokens: int) -> int:
    """How many tokens an answer may have."""
    room = model.context_tokens - input_tokens
    return max(1, min(model.max_output_tokens, MAX_OUTPUT_TOKENS, room))


def expected_cost(
    model: ModelSpec, input_tokens: int, *, earlier_tokens: int = 0, is_cached: bool = False
) -> int | None:
    """What an answer of usual length will cost, in nano-dollars; None when unpriced.

    The earlier messages go along as far as the window takes them, from the provider's cache or not.
    """
    if model.price is None:
        return None
    earlier = that_fits(model, input_tokens, earlier_tokens)
    return model.price.cost(
        input_tokens=input_tokens + earlier,
        cached_input_tokens=earlier if is_cached else 0,
        output_tokens=EXPECTED_OUTPUT_TOKENS,
    )
