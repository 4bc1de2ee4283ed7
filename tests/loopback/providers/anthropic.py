"""Anthropic's messages: named events, cached tokens counted apart from the input."""

from collections.abc import Mapping
from typing import Any

from tests.loopback.providers.dialect import Exchange, to_event, to_text

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


class Messages:
    """The protocol of `/v1/messages`."""

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, str]]:
        """Read the system prompt and the messages."""
        system = to_text(body.get("system"))
        head = [{"role": "system", "content": system}] if system else []
        return head + [
            {"role": message["role"], "content": to_text(message.get("content"))}
            for message in body.get("messages", ())
        ]

    def max_output_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Read the limit, which this protocol requires."""
        return int(body["max_tokens"])

    def opening(self, exchange: Exchange) -> list[bytes]:
        """Write the start of the message with the input's usage, and of its text block."""
        start = self._message(exchange) | {"content": [], "stop_reason": None}
        start["usage"] = input_usage(exchange) | {"output_tokens": 1}
        block = {"type": "text", "text": ""}
        return [
            to_event({"type": "message_start", "message": start}, "message_start"),
            to_event(
                {"type": "content_block_start", "index": 0, "content_block": block},
                "content_block_start",
            ),
            to_event({"type": "ping"}, "ping"),
        ]

    def piece(self, exchange: Exchange, text: str) -> bytes:
        """Write one text delta."""
        delta = {"type": "text_delta", "text": text}
        return to_event(
            {"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta"
        )

    def closing(self, exchange: Exchange) -> list[bytes]:
        """Write the end of the block, the stop reason with the output's usage, and the end."""
        delta = {"stop_reason": self._stop_reason(exchange), "stop_sequence": None}
        usage = {"output_tokens": exchange.bill().output_tokens}
        return [
            to_event({"type": "content_block_stop", "index": 0}, "content_block_stop"),
            to_event({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta"),
            to_event({"type": "message_stop"}, "message_stop"),
        ]

    def whole(self, exchange: Exchange) -> dict[str, Any]:
        """Write a message."""
        usage = input_usage(exchange) | {"output_tokens": exchange.bill().output_tokens}
        return self._message(exchange) | {
            "content": [{"type": "text", "text": exchange.reply.text}],
            "stop_reason": self._stop_reason(exchange),
            "usage": usage,
        }

    def error_event(self) -> bytes:
        """Write an error event."""
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return to_event({"type": "error", "error": error}, "error")

    def _message(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "id": f"msg_{exchange.id}",
            "type": "message",
            "role": "assistant",
            "model": exchange.served_model,
            "stop_sequence": None,
        }

    def _stop_reason(self, exchange: Exchange) -> str:
        return STOP_REASONS[exchange.reply.finish_reason]


def input_usage(exchange: Exchange) -> dict[str, int]:
    """Write the input's usage: `input_tokens` is without what the cache had or was given."""
    billed = exchange.bill()
    in_cache = billed.cached_input_tokens + billed.cache_write_tokens
    return {
        "input_tokens": billed.input_tokens - in_cache,
        "cache_creation_input_tokens": billed.cache_write_tokens,
        "cache_read_input_tokens": billed.cached_input_tokens,
    }
