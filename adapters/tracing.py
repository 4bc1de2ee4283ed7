"""Sends traces where OTEL_EXPORTER_OTLP_ENDPOINT says, when the packages for it are there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.ports import Observer

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send traces are not installed: "
    ".uv/bin/uv pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
)
logger = logging.getLogger(__name__)


@contextmanager
def tracing(endpoint: str) -> Iterator[tuple[Observer, ...]]:
    """Who makes the traces, for as long as the context lasts; nobody without an endpoint."""
    if not endpoint:
        yield ()
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        from adapters.traces import Traces
    except ImportError:
        logger.error(MISSING)
        yield ()
        return
    traces = Traces(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))
    try:
        yield (traces,)
    finally:
        traces.close()
