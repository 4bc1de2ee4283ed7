"""What happened is counted where it is settled, and nobody can be told apart by it."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics import Metrics
from bot.calls import Purpose, Usage
from bot.catalog import Catalog, Tier
from bot.errors import RateLimitError
from bot.ledger import CallStatus, LedgerEntry
from bot.money import NANOUSD
from bot.turns import TurnStatus
from storage import Backlog
from tests.fakes import NOON, ScriptedGateway, model, turn
from tests.unit.world import World

ROOT = Path(__file__).parents[2]
ENTRY = LedgerEntry(
    call_id="test:m1:answer1",
    turn_id="test:m1",
    platform="discord",
    workspace_id="secret-workspace",
    channel_id="secret-channel",
    user_id="secret-user",
    purpose=Purpose.ANSWER,
    tier=Tier.CHEAP,
    alias="haiku",
    model_id="anthropic/claude-haiku",
    hold=NANOUSD,
    created_at=NOON,
    status=CallStatus.DONE,
    usage=Usage(input_tokens=100, output_tokens=20, cached_input_tokens=40),
    cost=NANOUSD // 4,
    list_price=NANOUSD // 2,
    latency_s=3.0,
    first_token_s=0.2,
    text="secret-answer",
)
HAIKU = {"tier": "cheap", "model": "haiku"}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One figure, as Prometheus reads it."""
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_a_call_counts_its_tokens_and_dollars_by_tier_and_model() -> None:
    metrics = Metrics()
    metrics.call_ended(ENTRY)
    metrics.call_ended(replace(ENTRY, lost_cost=NANOUSD))
    assert value(metrics, "parley_tokens_total", **HAIKU, kind="input") == 200
    assert value(metrics, "parley_tokens_total", **HAIKU, kind="cached_input") == 80
    assert value(metrics, "parley_tokens_total", **HAIKU, kind="output") == 40
    assert value(metrics, "parley_cost_dollars_total", **HAIKU) == 1.5
    assert value(metrics, "parley_list_price_dollars_total", **HAIKU) == 1.0
    assert value(metrics, "parley_unpriced_calls_total", **HAIKU) is None


def test_a_call_without_a_price_is_counted_as_such() -> None:
    metrics = Metrics()
    metrics.call_ended(replace(ENTRY, cost=None, list_price=None))
    assert value(metrics, "parley_unpriced_calls_total", **HAIKU) == 1
    assert value(metrics, "parley_cost_dollars_total", **HAIKU) == 0


def test_a_message_that_was_not_kept_is_counted() -> None:
    metrics = Metrics()
    before = value(metrics, "parley_unkept_messages_total")
    metrics.message_unkept()
    assert (before, value(metrics, "parley_unkept_messages_total")) == (0, 1)


def test_how_long_a_call_took_is_a_histogram_of_its_tier_and_provider() -> None:
    metrics = Metrics()
    metrics.call_ended(ENTRY)
    who = {"tier": "cheap", "provider": "anthropic"}
    assert value(metrics, "parley_call_seconds_bucket", **who, le="2.0") == 0
    assert value(metrics, "parley_call_seconds_bucket", **who, le="4.0") == 1
    assert value(metrics, "parley_first_token_seconds_bucket", **who, le="0.25") == 1


def test_a_provider_s_rate_limit_is_told_from_its_other_faults() -> None:
    metrics = Metrics()
    failed = replace(ENTRY, status=CallStatus.FAILED, error="RateLimitError", first_token_s=None)
    metrics.call_ended(failed)
    metrics.call_ended(replace(failed, error="ProviderUnavailableError"))
    who = {"provider": "anthropic", "error": "RateLimitError"}
    assert value(metrics, "parley_provider_errors_total", **who) == 1


def test_a_turn_counts_by_platform_and_end() -> None:
    metrics = Metrics()
    ended = turn(status=TurnStatus.FAILED, finished_at=NOON + timedelta(seconds=3))
    metrics.turn_ended(ended, "BudgetExceededError")
    metrics.turn_ended(replace(ended, status=TurnStatus.DONE), "")
    assert value(metrics, "parley_turns_total", platform="test", status="failed") == 1
    assert value(metrics, "parley_turns_total", platform="test", status="done") == 1
    refused = {"platform": "test", "error": "BudgetExceededError"}
    assert value(metrics, "parley_turn_errors_total", **refused) == 1
    assert value(metrics, "parley_turn_seconds_bucket", platform="test", le="4.0") == 2


async def test_the_core_tells_of_every_turn_and_call() -> None:
    metrics = Metrics()
    world = World(ScriptedGateway("Hi", RateLimitError("later"), "Hi again"), observers=(metrics,))
    await world.ask("Hello")
    await world.ask("@cheap Hello", "m2")
    assert value(metrics, "parley_turns_total", platform="test", status="done") == 2
    calls = {"purpose": "answer", "tier": "cheap", "model": "cheap"}
    assert value(metrics, "parley_calls_total", **calls, status="failed") == 1


async def test_a_cap_s_refusal_is_counted() -> None:
    metrics = Metrics()
    paid_only = Catalog((model("full", Tier.FULL),))
    world = World(ScriptedGateway(), models=paid_only, cap=0, observers=(metrics,))
    await world.ask("Hello")
    refused = {"platform": "test", "error": "BudgetExceededError"}
    assert value(metrics, "parley_turn_errors_total", **refused) == 1


def test_a_platform_reads_one_while_it_is_connected() -> None:
    metrics, connected = Metrics(), {"slack"}
    metrics.watch_connections(["discord", "slack"], connected.__contains__)
    assert value(metrics, "parley_platform_connected", platform="discord") == 0
    assert value(metrics, "parley_platform_connected", platform="slack") == 1
    connected.add("discord")
    assert value(metrics, "parley_platform_connected", platform="discord") == 1


def test_an_emptied_queue_reads_zero() -> None:
    metrics = Metrics()
    waiting = {("slack", TurnStatus.QUEUED): 3}
    metrics.backlog(Backlog(counts=waiting, oldest_queued_s=40.0, stuck=("a",)))
    slack = {"platform": "slack", "status": "queued"}
    assert value(metrics, "parley_queue_turns", **slack) == 3
    assert value(metrics, "parley_oldest_queued_seconds") == 40
    assert value(metrics, "parley_stuck_turns") == 1
    metrics.backlog(Backlog(counts={}, oldest_queued_s=0.0, stuck=()))
    assert value(metrics, "parley_queue_turns", **slack) == 0
    assert value(metrics, "parley_stuck_turns") == 0


def test_no_figure_names_a_person_a_place_or_a_word() -> None:
    metrics = Metrics()
    metrics.call_ended(ENTRY)
    metrics.turn_ended(turn("secret-prompt", user_id="secret-user"), "")
    assert b"secret" not in metrics.text()


def test_the_documentation_lists_every_figure_and_no_other() -> None:
    text = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(parley_[a-z_]+)", text, re.MULTILINE))
    families = text_string_to_metric_families(Metrics().text().decode())
    ours = {_to_name(f.name, f.type) for f in families if _is_ours(f.name)}
    assert documented == ours


def _is_ours(name: str) -> bool:
    return name.startswith("parley_") and not name.endswith("_created")


def _to_name(name: str, kind: str) -> str:
    """As it is queried: counters end in `_total`."""
    return f"{name}_total" if kind == "counter" else name


async def test_the_tasks_of_the_loop_are_counted_when_they_are_asked_for() -> None:
    metrics = Metrics()
    async with asyncio.TaskGroup() as group:
        before = _tasks(metrics)
        group.create_task(asyncio.sleep(0))
        assert _tasks(metrics) == before + 1


def _tasks(metrics: Metrics) -> float:
    found = re.search(r"^parley_asyncio_tasks (\S+)$", metrics.text().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_two_registries_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.loop_lag(0.2)
    assert value(one, "parley_event_loop_lag_seconds_count") == 1
    assert value(other, "parley_event_loop_lag_seconds_count") == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "counted"),
    [
        ("POST", "/api/v10/channels/1/messages", 200, ("post", "2xx")),
        ("PATCH", "/api/v10/channels/1/messages/2", 429, ("edit", "429")),
        ("DELETE", "/api/v10/channels/1/messages/2", 204, ("delete", "2xx")),
        ("POST", "/api/v10/webhooks/1/secret-token", 200, ("post", "2xx")),
        ("PATCH", "/api/v10/webhooks/1/secret-token/messages/@original", 200, ("edit", "2xx")),
        ("POST", "/api/v10/channels/1/messages/2/threads", 201, ("other", "2xx")),
        ("GET", "/api/v10/gateway/bot", 500, ("other", "5xx")),
        ("POST", "/api/chat.postMessage", 200, ("post", "2xx")),
        ("POST", "/api/chat.appendStream", 429, ("edit", "429")),
        ("POST", "/api/auth.test", 200, ("other", "2xx")),
    ],
)
async def test_requests_to_platforms_are_told_apart(
    method: str, path: str, status: int, counted: tuple[str, str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    metrics, app = Metrics(), web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(trace_configs=[metrics.http_trace("discord")]) as session,
    ):
        await session.request(method, server.make_url(path))
    kind, label = counted
    what = {"platform": "discord", "kind": kind, "status": label}
    assert value(metrics, "parley_platform_requests_total", **what) == 1
    assert b"secret" not in metrics.text()
