"""OpenAI's chat completions, with the small differences of those who copied them."""

from collections.abc import Mapping
from typing import Any

from tests.loopback.providers.dialect import Exchange, to_event, to_text

CREATED_AT = 1_790_000_000


class ChatCompletions:
    """The protocol of OpenAI, Groq, Mistral, OpenRouter, DeepSeek and of local servers."""

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, str]]:
        """Read role and text of each message."""
        return [
            {"role": message["role"], "content": to_text(message.get("content"))}
            for message in body.get("messages", ())
        ]

    def max_output_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Read the limit by its new or its old name."""
        limit = body.get("max_completion_tokens", body.get("max_tokens"))
        return None if limit is None else int(limit)

    def opening(self, exchange: Exchange) -> list[bytes]:
        """Write the role chunk, then the reasoning if there is any."""
        events = [self._chunk(exchange, {"role": "assistant", "content": ""})]
        if exchange.reply.reasoning:
            key = "reasoning_content" if exchange.seen.provider == "deepseek" else "reasoning"
            events.append(self._chunk(exchange, {key: exchange.reply.reasoning}))
        return events

    def piece(self, exchange: Exchange, text: str) -> bytes:
        """Write one delta."""
        return self._chunk(exchange, {"content": text})

    def closing(self, exchange: Exchange) -> list[bytes]:
        """Write the finish chunk, the usage where this provider puts it, and the end mark."""
        finish = self._body(exchange, "chat.completion.chunk")
        finish["choices"] = [
            {"index": 0, "delta": {}, "finish_reason": exchange.reply.finish_reason}
        ]
        end = b"data: [DONE]\n\n"
        if not exchange.reply.sends_usage:
            return [to_event(finish), end]
        if exchange.seen.provider in ("mistral", "deepseek"):
            return [to_event(finish | {"usage": usage_block(exchange)}), end]
        if exchange.seen.provider != "openrouter" and not wants_usage(exchange.seen.body):
            return [to_event(finish), end]
        last = self._body(exchange, "chat.completion.chunk") | {"usage": usage_block(exchange)}
        last["choices"] = []
        if exchange.seen.provider == "openrouter":
            empty = {"role": "assistant", "content": ""}
            last["choices"] = [{"index": 0, "delta": empty, "finish_reason": None}]
        return [to_event(finish), to_event(last), end]

    def whole(self, exchange: Exchange) -> dict[str, Any]:
        """Write a chat completion."""
        reply = exchange.reply
        message = {"role": "assistant", "content": reply.text}
        choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
        return self._body(exchange, "chat.completion") | {
            "choices": [choice],
            "usage": usage_block(exchange),
        }

    def error_event(self) -> bytes:
        """Write an error object in place of a chunk."""
        error = {"message": "The server had an error while processing your request.", "code": 500}
        return to_event({"error": error | {"type": "server_error"}})

    def _chunk(self, exchange: Exchange, delta: Mapping[str, str]) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        return to_event(self._body(exchange, "chat.completion.chunk") | {"choices": [choice]})

    def _body(self, exchange: Exchange, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{exchange.id}",
            "object": kind,
            "created": CREATED_AT,
            "model": exchange.served_model,
        }


def wants_usage(body: Mapping[str, Any]) -> bool:
    """Whether the request asked for a usage block at the end of its stream."""
    return bool((body.get("stream_options") or {}).get("include_usage"))


def usage_block(exchange: Exchange) -> dict[str, Any]:
    """Write the usage in this provider's form."""
    billed = exchange.bill()
    usage: dict[str, Any] = {
        "prompt_tokens": billed.input_tokens,
        "completion_tokens": billed.output_tokens,
        "total_tokens": billed.input_tokens + billed.output_tokens,
    }
    if exchange.seen.provider == "mistral":
        return usage
    usage["prompt_tokens_details"] = {"cached_tokens": billed.cached_input_tokens}
    if billed.cache_write_tokens:
        usage["prompt_tokens_details"]["cache_write_tokens"] = billed.cache_write_tokens
    usage["completion_tokens_details"] = {"reasoning_tokens": billed.reasoning_tokens}
    if exchange.seen.provider == "deepseek":
        usage["prompt_cache_hit_tokens"] = billed.cached_input_tokens
        usage["prompt_cache_miss_tokens"] = billed.input_tokens - billed.cached_input_tokens
    if exchange.seen.provider == "openrouter":
        usage["cost"] = billed.cost_usd
    return usage
