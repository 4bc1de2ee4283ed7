"""One call to a model: what is asked for, what comes back, what it used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from string import ascii_lowercase, ascii_uppercase, digits, punctuation

from bot.attachments import FRAME_TOKENS
from bot.catalog import ModelSpec
from bot.image_headers import read_picture
from bot.messages import Attachment, Message

OnText = Callable[[str], None]
"""Takes each piece of text as it comes. It never waits, so that nobody slows the reading down."""


def unheard(_text: str) -> None:
    """Takes text that nobody wants."""


_IMAGE_TOKENS, _MOST_IMAGE_TOKENS, _MOST_OPENAI_IMAGE_TOKENS = 1_600, 4_800, 12_000
"""What one picture takes at least, and at most, on the high side of what providers document.

Anthropic: a token for 28 × 28 pixels, up to 4,784 (vision guide). Gemini 3 and later: up to 1,120
without a setting (media resolution); earlier ones 258 for 768 × 768. OpenAI (images and vision):
patches of 32 × 32 times 1.2 from GPT-5.6 on, up to 10,000 of them where it takes the whole
picture; small ones up to 1,536 of them times 1.62 (mini) or 2.46 (nano).
"""
_IMAGE_PATCH, _TOKENS_OF_A_PATCH = 28, 2
_MESSAGE_OVERHEAD_TOKENS = 8
_TOKENS_OF: tuple[tuple[float, bytes], ...] = (
    (1.0, digits.encode()),  # some providers take them one by one, others by threes
    (0.8, punctuation.encode()),
    (1.1, ascii_uppercase.encode()),  # one begins a word, or stands in base64
    (0.25, ascii_lowercase.encode()),
)
_TOKENS_OF_A_SPACE = 0.3
"""What a character of each kind takes: tables, code and JSON have a token for two of them, prose
one for four. Measured on the tokenizers that LiteLLM brings along."""


class Purpose(StrEnum):
    """Why a model is called."""

    ANSWER = "answer"
    CLASSIFY = "classify"
    CHECK = "check"
    PROPOSE = "propose"
    DRAFT = "draft"
    CRITICISE = "criticise"
    REVISE = "revise"
    JUDGE = "judge"
    SUMMARISE = "summarise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; reasoning ones are part of the output, those of a cache of the input."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    """Read from the provider's cache."""
    cache_write_tokens: int = 0
    """Put into it."""
    reasoning_tokens: int = 0
    is_estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """What a gateway is asked to do."""

    call_id: str
    """`<turn>:<step>`: the same step of the same turn is the same call, also after a crash."""
    purpose: Purpose
    model: ModelSpec
    messages: tuple[Message, ...]
    max_output_tokens: int
    temperature: float | None = None
    goes_on: bool = False
    """Whether more is likely to follow at once: a provider that caches only what it is asked to
    is asked to."""
    timeout_s: float = 300.0

    @property
    def input_tokens(self) -> int:
        """An estimate, on the high side, of what its provider bills."""
        is_openai = "openai/" in self.model.model_id
        most = _MOST_OPENAI_IMAGE_TOKENS if is_openai else _MOST_IMAGE_TOKENS
        return sum(estimate_message_tokens(each, most) for each in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model answered."""

    text: str
    usage: Usage
    finish_reason: str
    """`stop`, `length`, `content_filter`, `tool_calls`."""
    response_model_id: str
    """The model that the provider says has served it."""
    reported_cost: int | None = None
    """What the provider says it costs, in nano-dollars, where it does."""
    first_token_s: float | None = None
    latency_s: float = 0.0


def estimate_tokens(text: str) -> int:
    """How many tokens a text has, on the high side for prose in any script, code and data.

    Other scripts than Latin take up to a token a character.
    """
    ascii_text = text.encode("ascii", "ignore")
    total = float(len(text) - len(ascii_text))
    spaces = len(ascii_text)
    for weight, kind in _TOKENS_OF:
        count = len(ascii_text) - len(ascii_text.translate(None, kind))
        total += weight * count
        spaces -= count
    return ceil(total + _TOKENS_OF_A_SPACE * spaces)


def estimate_input_tokens(messages: Sequence[Message]) -> int:
    """How many tokens these messages are for a model, on the high side."""
    return sum(estimate_message_tokens(message) for message in messages)


def estimate_message_tokens(message: Message, most_of_image: int = _MOST_IMAGE_TOKENS) -> int:
    """How many tokens one message is, its attachments included."""
    total = _MESSAGE_OVERHEAD_TOKENS + estimate_tokens(message.text)
    for file in message.attachments:
        total += _image_tokens(file, most_of_image) if file.is_image else _file_tokens(file)
    return total


def _image_tokens(image: Attachment, most: int) -> int:
    """By its size; one whose bytes are gone is told of in words."""
    picture = read_picture(image.data)
    if picture is None:
        return _IMAGE_TOKENS
    patches = ceil(picture.width / _IMAGE_PATCH) * ceil(picture.height / _IMAGE_PATCH)
    return min(most, max(_IMAGE_TOKENS, _TOKENS_OF_A_PATCH * patches))


def _file_tokens(file: Attachment) -> int:
    return estimate_tokens(file.text) + estimate_tokens(file.name) + FRAME_TOKENS
