"""Tokens of a text that nobody counted for us, such as of a server without a usage block."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

from bot.calls import estimate_tokens

_ON_LOOP_CHARS = 2_000
"""Up to here a count takes well under a millisecond."""
_SLICE_CHARS = 8_000
"""A run of one character is quadratic for the encoder: so it never sees a long text whole."""
_COUNTED_CHARS = 1_000_000
"""Beyond it the estimate is good enough."""


async def count_tokens(text: str) -> int:
    """Count the tokens of a text; never holds the event loop for long."""
    if len(text) > _COUNTED_CHARS:
        return estimate_tokens(text)
    if len(text) <= _ON_LOOP_CHARS and _encoder.cache_info().currsize:
        return _count(text)
    return await asyncio.to_thread(_count, text)


def _count(text: str) -> int:
    encoder = _encoder()
    slices = (text[at : at + _SLICE_CHARS] for at in range(0, len(text), _SLICE_CHARS))
    return sum(len(encoder.encode_ordinary(part)) for part in slices)


@cache
def _encoder() -> Any:
    """The encoding of current GPT models, from the file in LiteLLM's wheel."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("LiteLLM is not installed")
    folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    import tiktoken

    return tiktoken.get_encoding("o200k_base")
