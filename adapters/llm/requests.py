"""What LiteLLM is asked: one of our calls as its arguments."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from adapters.llm.providers import default_base
from bot.attachments import to_data
from bot.calls import ModelCall
from bot.messages import Attachment, Message

NO_KEY = "none"
"""Servers that need no key still get a header: the protocol wants one."""


def to_request(call: ModelCall, api_key: str) -> dict[str, Any]:
    """Say everything ourselves: address, key, limits; nothing is left to the environment."""
    model = call.model
    request: dict[str, Any] = {
        **model.extra,
        "model": model.model_id,
        "messages": _cached(call),
        "api_key": api_key or NO_KEY,
        "max_tokens": call.max_output_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},  # without it usage is invented
        "timeout": call.timeout_s,  # our own clocks are shorter and stricter
        "num_retries": 0,
        "max_retries": 0,
        "drop_params": True,  # a model that takes no temperature still answers
    }
    base = model.api_base or default_base(model.provider)
    if base is not None:
        request["api_base"] = base.rstrip("/")
    if call.temperature is not None:
        request["temperature"] = call.temperature
    return request


def _cached(call: ModelCall) -> list[dict[str, Any]]:
    """The messages; Anthropic caches a conversation only up to where it is marked."""
    messages = to_messages(call.messages)
    content = messages[-1]["content"]
    if call.goes_on and call.model.provider == "anthropic" and content:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        marked = {**parts[-1], "cache_control": {"type": "ephemeral"}}
        messages[-1]["content"] = [*parts[:-1], marked]
    return messages


def to_messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Write messages as the chat protocols have them."""
    return [{"role": message.role.value, "content": to_content(message)} for message in messages]


def to_content(message: Message) -> str | list[dict[str, Any]]:
    """Write the text and its files as one text, pictures as further parts."""
    files = [to_data(file) for file in message.attachments if file.text]
    text = "\n\n".join(part for part in (message.text, *files) if part)
    images = [to_image_part(file) for file in message.attachments if file.is_image and file.data]
    if not images:
        return text
    return [{"type": "text", "text": text}, *images] if text else images


def to_image_part(file: Attachment) -> dict[str, Any]:
    """Carry a picture within the request, so that no provider has to fetch it."""
    data = base64.b64encode(file.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{file.media_type};base64,{data}"}}
