"""Gemini's generateContent and streamGenerateContent: usage on each chunk, thoughts apart."""

from collections.abc import Mapping
from typing import Any

from tests.loopback.providers.dialect import Exchange, to_event, to_text

FINISH_REASONS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


class GenerateContent:
    """The protocol of `/v1beta/models/MODEL:generateContent`."""

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, str]]:
        """Read the system instruction and the contents."""
        instruction = body.get("system_instruction") or body.get("systemInstruction") or {}
        system = to_text(instruction.get("parts"))
        head = [{"role": "system", "content": system}] if system else []
        return head + [
            {
                "role": "assistant" if content.get("role") == "model" else "user",
                "content": to_text(content.get("parts")),
            }
            for content in body.get("contents", ())
        ]

    def max_output_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Read the limit in either spelling."""
        config = body.get("generationConfig") or body.get("generation_config") or {}
        limit = config.get("maxOutputTokens", config.get("max_output_tokens"))
        return None if limit is None else int(limit)

    def opening(self, exchange: Exchange) -> list[bytes]:
        """Write a chunk without text, as comes while the model thinks."""
        return [to_event(self._body(exchange, []))]

    def piece(self, exchange: Exchange, text: str) -> bytes:
        """Write one candidate with its part."""
        return to_event(self._body(exchange, [{"text": text}]))

    def closing(self, exchange: Exchange) -> list[bytes]:
        """Write the finish reason with the last usage."""
        return [to_event(self._finished(exchange, [{"text": ""}]))]

    def whole(self, exchange: Exchange) -> dict[str, Any]:
        """Write the whole candidate."""
        return self._finished(exchange, [{"text": exchange.reply.text}])

    def error_event(self) -> bytes:
        """Write an error object in place of a chunk."""
        error = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
        return to_event({"error": error})

    def _finished(self, exchange: Exchange, parts: list[dict[str, str]]) -> dict[str, Any]:
        reason = exchange.reply.finish_reason
        body = self._body(exchange, parts if reason != "content_filter" else [])
        body["candidates"][0]["finishReason"] = FINISH_REASONS[reason]
        return body

    def _body(self, exchange: Exchange, parts: list[dict[str, str]]) -> dict[str, Any]:
        content = {"role": "model", "parts": parts} if parts else {"role": "model"}
        return {
            "candidates": [{"content": content, "index": 0}],
            "usageMetadata": usage_metadata(exchange),
            "modelVersion": exchange.served_model,
            "responseId": exchange.id,
        }


def usage_metadata(exchange: Exchange) -> dict[str, int]:
    """Write the usage so far: thoughts are not in the candidates' count."""
    billed = exchange.bill()
    return {
        "promptTokenCount": billed.input_tokens,
        "cachedContentTokenCount": billed.cached_input_tokens,
        "candidatesTokenCount": billed.output_tokens - billed.reasoning_tokens,
        "thoughtsTokenCount": billed.reasoning_tokens,
        "totalTokenCount": billed.input_tokens + billed.output_tokens,
    }
