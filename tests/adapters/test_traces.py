"""A turn is a trace, its calls are spans in it, and nothing that was said is there."""

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.traces import Traces
from adapters.tracing import tracing
from bot.ledger import CallStatus
from bot.turns import TurnStatus
from tests.adapters.test_metrics import ENTRY
from tests.fakes import NOON, ScriptedGateway, turn
from tests.unit.world import World


def test_a_call_is_a_span_below_its_turn_with_the_conventional_names() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    traces.call_ended(ENTRY)
    ended = turn("secret-prompt", status=TurnStatus.DONE, finished_at=NOON + timedelta(seconds=4))
    traces.turn_ended(ended, "")
    traces.close()
    call, whole = exporter.get_finished_spans()
    assert call.parent is not None
    assert call.context.trace_id == whole.context.trace_id
    assert call.parent.span_id == whole.context.span_id
    assert whole.parent is None
    assert (call.end_time or 0) - (call.start_time or 0) == 3_000_000_000
    facts = dict(call.attributes or {})
    assert facts["gen_ai.request.model"] == "anthropic/claude-haiku"
    assert facts["gen_ai.usage.input_tokens"] == 100
    assert facts["gen_ai.usage.output_tokens"] == 20
    assert "secret" not in call.to_json() + whole.to_json()


def test_a_failed_call_says_so() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    traces.call_ended(replace(ENTRY, status=CallStatus.FAILED, error="RateLimitError"))
    traces.close()
    (call,) = exporter.get_finished_spans()
    assert not call.status.is_ok
    assert dict(call.attributes or {})["error.type"] == "RateLimitError"


async def test_the_core_s_turns_are_traces_of_their_own() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    world = World(ScriptedGateway(), observers=(traces,))
    await world.ask("Hello")
    await world.ask("Hello again", "m2")
    traces.close()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["chat provider/free", "turn"] * 2
    assert len({span.context.trace_id for span in spans}) == 2


async def test_spans_are_sent_where_the_setting_says() -> None:
    received: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    async with TestServer(app) as server:
        with_traces = ExitStack()
        (traces,) = with_traces.enter_context(tracing(str(server.make_url("/"))))
        traces.call_ended(ENTRY)
        await asyncio.to_thread(with_traces.close)
    assert b"gen_ai.request.model" in b"".join(received)


def test_without_the_setting_nobody_traces() -> None:
    with tracing("") as observers:
        assert observers == ()


def test_without_the_packages_it_goes_on_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with tracing("http://127.0.0.1:1") as observers:
        assert observers == ()
    assert "pip install opentelemetry-sdk" in caplog.text
