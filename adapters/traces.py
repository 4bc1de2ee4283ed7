"""Traces of turns and their model calls for OpenTelemetry, named by its gen_ai conventions.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set. There is no prompt and no answer in a span. A turn's
ids are made of its own id, so calls that another process makes after a crash join the same trace.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from bot.ledger import CallStatus, LedgerEntry
from bot.money import NANOUSD
from bot.turns import Turn, TurnStatus


class Traces:
    """Makes a span of each call and each turn that ended. It is an `Observer` of the core."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._ids = _TurnIds()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "parley"}), id_generator=self._ids
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("parley")

    def close(self) -> None:
        """Send what is left; may take seconds where nobody answers."""
        self._provider.shutdown()

    def call_ended(self, entry: LedgerEntry) -> None:
        """A span below that of its turn."""
        ended_at = entry.created_at + timedelta(seconds=entry.latency_s or 0.0)
        span = self._tracer.start_span(
            f"chat {entry.model_id}",
            context=trace.set_span_in_context(NonRecordingSpan(_context_of(entry.turn_id))),
            kind=SpanKind.CLIENT,
            attributes=_facts_of(entry),
            start_time=_to_ns(entry.created_at),
        )
        if entry.status is CallStatus.FAILED:
            span.set_status(Status(StatusCode.ERROR, entry.error))
        span.end(_to_ns(ended_at))

    def turn_ended(self, turn: Turn, error: str) -> None:
        """The span above those of its calls."""
        with self._ids.of(turn.turn_id):
            span = self._tracer.start_span(
                "turn",
                context=trace.set_span_in_context(trace.INVALID_SPAN),
                kind=SpanKind.SERVER,
                attributes={
                    "parley.turn_id": turn.turn_id,
                    "parley.platform": turn.key.platform,
                    "parley.status": turn.status.value,
                },
                start_time=_to_ns(turn.created_at),
            )
        if turn.status is TurnStatus.FAILED:
            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(_to_ns(turn.finished_at or turn.created_at))


def _facts_of(entry: LedgerEntry) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": entry.model_id.partition("/")[0],
        "gen_ai.request.model": entry.model_id,
        "gen_ai.response.model": entry.served_model_id,
        "gen_ai.response.finish_reasons": [entry.finish_reason] if entry.finish_reason else [],
        "gen_ai.usage.input_tokens": entry.usage.input_tokens if entry.usage else 0,
        "gen_ai.usage.output_tokens": entry.usage.output_tokens if entry.usage else 0,
        "parley.call_id": entry.call_id,
        "parley.purpose": entry.purpose.value,
        "parley.tier": entry.tier.label,
        "parley.cost_usd": entry.spent / NANOUSD,
    }
    return {**facts, "error.type": entry.error} if entry.error else facts


class _TurnIds(RandomIdGenerator):
    """Random ids, but those of a turn's own span."""

    def __init__(self) -> None:
        self._turn_id = ""

    def of(self, turn_id: str) -> _TurnIds:
        self._turn_id = turn_id
        return self

    def __enter__(self) -> None:
        """Until the end of the block, spans are this turn's own."""

    def __exit__(self, *_: object) -> None:
        self._turn_id = ""

    def generate_trace_id(self) -> int:
        if self._turn_id:
            return _context_of(self._turn_id).trace_id
        return super().generate_trace_id()

    def generate_span_id(self) -> int:
        return _context_of(self._turn_id).span_id if self._turn_id else super().generate_span_id()


def _context_of(turn_id: str) -> SpanContext:
    digest = sha256(turn_id.encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _to_ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
