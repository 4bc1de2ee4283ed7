"""What makes the demo model answer as well as it can: its prompt, its examples, its sampling.

Plain data and pure functions. Of fifteen everyday prompts it gets ten right with them (greetings,
simple facts, small code) and about four without; sums and translations stay wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from bot.calls import ModelCall, Purpose, estimate_input_tokens
from bot.catalog import ModelSpec, Tier
from bot.messages import Message, Role

ALIAS = "demo"
PROVIDER = "demo"
SERVED_NAME = "smollm2-135m-demo"
KEY_NAME = "PARLEY_DEMO_KEY"
"""Under this name the gateway finds the key of this run; it is never in the environment."""

CONTEXT_TOKENS = 2_048
MAX_OUTPUT_TOKENS = 256
NOTE = "demo model, often wrong"

SYSTEM_PROMPT = "You are a friendly assistant. Answer correctly, in one to three short sentences."
# The greeting stands last: with code or a list there, the model takes every prompt for more of it.
EXAMPLES = (
    ("What is the capital of Italy?", "The capital of Italy is Rome."),
    (
        "How do I make tea?",
        "Boil some water, pour it over a tea bag in a cup, wait three minutes, "
        "then take the tea bag out.",
    ),
    ("Hi, how are you?", "I'm fine, thank you! How can I help you today?"),
)
SAMPLING: Mapping[str, object] = MappingProxyType(
    {"temperature": 0.3, "min_p": 0.1, "dry_multiplier": 0.8, "dry_allowed_length": 3}
)
# llama.cpp closes a connection after a stream although it offers to keep it: a second prompt sent
# at that moment would be lost.
NEW_CONNECTION: Mapping[str, object] = MappingProxyType({"extra_headers": {"Connection": "close"}})


def preamble() -> tuple[Message, ...]:
    """The system prompt and the examples."""
    messages = [Message(role=Role.SYSTEM, text=SYSTEM_PROMPT)]
    for question, answer in EXAMPLES:
        messages.append(Message(role=Role.USER, text=question))
        messages.append(Message(role=Role.ASSISTANT, text=answer))
    return tuple(messages)


def primed(call: ModelCall) -> ModelCall:
    """The call with the preamble before its history; other purposes than an answer stay.

    Its own first system message makes way: two of them are more than the model can follow.
    """
    if call.purpose is not Purpose.ANSWER:
        return call
    history = call.messages
    if history and history[0].role is Role.SYSTEM:
        history = history[1:]
    return replace(call, messages=preamble() + history)


def to_spec(base_url: str | None) -> ModelSpec:
    """The demo model as the catalogue lists it; without an address when it does not run yet."""
    return ModelSpec(
        alias=ALIAS,
        model_id=f"openai/{SERVED_NAME}",
        provider=PROVIDER,
        tier=Tier.FREE,
        context_tokens=CONTEXT_TOKENS - estimate_input_tokens(preamble()),
        max_output_tokens=MAX_OUTPUT_TOKENS,
        input_usd_per_mtok=Decimal(0),
        output_usd_per_mtok=Decimal(0),
        api_base=base_url,
        api_key_env=KEY_NAME,
        extra={**SAMPLING, **NEW_CONNECTION},
        note=NOTE,
    )
