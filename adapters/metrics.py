"""Figures for Prometheus: what happened since the start, without a word of what was said.

Labels are platforms, tiers, providers and the catalogue's models: never people or workspaces.
"""

from __future__ import annotations

import asyncio
import platform as python_platform
import re
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from bot.ledger import CallStatus, LedgerEntry
from bot.money import NANOUSD
from bot.turns import Turn, TurnStatus

if TYPE_CHECKING:
    import aiohttp

    from storage import Backlog

_FIRST_TOKEN_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_WHOLE_S = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)
_LAG_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_BACKLOG_STATES = (TurnStatus.QUEUED, TurnStatus.RUNNING)

_DISCORD_MESSAGE = re.compile(r"/messages/[^/]+$")
_SLACK_KINDS = {
    "chat.postMessage": "post",
    "chat.postEphemeral": "post",
    "chat.startStream": "post",
    "chat.appendStream": "edit",
    "chat.stopStream": "edit",
    "chat.update": "edit",
    "chat.delete": "delete",
}


class Metrics:
    """Everything that is counted, in a registry of its own. It is an `Observer` of the core."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._seen = {"web"}
        self._turns = Counter(
            "parley_turns", "Turns that are over", ["platform", "status"], registry=registry
        )
        self._turn_errors = Counter(
            "parley_turn_errors",
            "Turns that ended with an error, by its kind; BudgetExceededError is a cap's refusal",
            ["platform", "error"],
            registry=registry,
        )
        self._turn_s = Histogram(
            "parley_turn_seconds",
            "From the message to the end of its answer",
            ["platform"],
            buckets=_WHOLE_S,
            registry=registry,
        )
        self._note_calls(registry)
        self._note_rest(registry)

    def _note_calls(self, registry: CollectorRegistry) -> None:
        model = ["tier", "model"]
        self._calls = Counter(
            "parley_calls", "Model calls", [*model, "purpose", "status"], registry=registry
        )
        self._tokens = Counter("parley_tokens", "Tokens", [*model, "kind"], registry=registry)
        self._cost = Counter(
            "parley_cost_dollars", "What calls took from the budgets", model, registry=registry
        )
        self._list_price = Counter(
            "parley_list_price_dollars", "The same without free quotas", model, registry=registry
        )
        self._unpriced = Counter(
            "parley_unpriced_calls", "Calls without a known price", model, registry=registry
        )
        self._provider_errors = Counter(
            "parley_provider_errors",
            "Failed calls, by the error's kind; RateLimitError is a 429",
            ["provider", "error"],
            registry=registry,
        )
        self._call_s = Histogram(
            "parley_call_seconds",
            "A model call from begin to end",
            ["tier", "provider"],
            buckets=_WHOLE_S,
            registry=registry,
        )
        self._first_token_s = Histogram(
            "parley_first_token_seconds",
            "From a model call to its first text",
            ["tier", "provider"],
            buckets=_FIRST_TOKEN_S,
            registry=registry,
        )

    def _note_rest(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "parley_platform_requests",
            "Requests to a chat platform; status 429 is its rate limit",
            ["platform", "kind", "status"],
            registry=registry,
        )
        self._connected = Gauge(
            "parley_platform_connected",
            "1 while this process is connected to a chat platform that it serves, else 0",
            ["platform"],
            registry=registry,
        )
        self._backlog = Gauge(
            "parley_queue_turns",
            "Turns in the database that are queued or running, of all processes",
            ["platform", "status"],
            registry=registry,
        )
        self._unkept = Counter(
            "parley_unkept_messages",
            "Messages that the database could not keep: the disk is full, or it is gone",
            registry=registry,
        )
        self._oldest_s = Gauge(
            "parley_oldest_queued_seconds",
            "How long the oldest queued turn waits",
            registry=registry,
        )
        self._stuck = Gauge(
            "parley_stuck_turns",
            "Turns that run for more than 15 minutes without an open model call",
            registry=registry,
        )
        self._lag_s = Histogram(
            "parley_event_loop_lag_seconds",
            "How late the event loop wakes whom it should wake",
            buckets=_LAG_S,
            registry=registry,
        )
        tasks = Gauge("parley_asyncio_tasks", "Tasks of the event loop", registry=registry)
        tasks.set_function(_count_tasks)
        about = {"version": version("parley"), "python": python_platform.python_version()}
        Info("parley_build", "What runs here", registry=registry).info(about)
        ProcessCollector(registry=registry)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def watch_connections(
        self, platforms: Iterable[str], is_connected: Callable[[str], bool]
    ) -> None:
        """Show of each platform whether it is connected when somebody asks."""
        for name in platforms:
            self._connected.labels(name).set_function(partial(is_connected, name))

    def call_ended(self, entry: LedgerEntry) -> None:
        """Count a settled call."""
        tier, provider = entry.tier.label, entry.model_id.partition("/")[0]
        model = {"tier": tier, "model": entry.alias}
        self._calls.labels(**model, purpose=entry.purpose.value, status=entry.status.value).inc()
        if entry.status is CallStatus.FAILED:
            self._provider_errors.labels(provider, entry.error).inc()
        if entry.latency_s is not None:
            self._call_s.labels(tier, provider).observe(entry.latency_s)
        if entry.first_token_s is not None:
            self._first_token_s.labels(tier, provider).observe(entry.first_token_s)
        self._count_money(entry, model)

    def _count_money(self, entry: LedgerEntry, model: dict[str, str]) -> None:
        if entry.cost is None:
            self._unpriced.labels(**model).inc()
        self._cost.labels(**model).inc(entry.spent / NANOUSD)
        self._list_price.labels(**model).inc((entry.list_price or 0) / NANOUSD)
        if entry.usage is not None:
            self._tokens.labels(**model, kind="input").inc(entry.usage.input_tokens)
            self._tokens.labels(**model, kind="cached_input").inc(entry.usage.cached_input_tokens)
            self._tokens.labels(**model, kind="output").inc(entry.usage.output_tokens)

    def turn_ended(self, turn: Turn, error: str) -> None:
        """Count a turn that is over."""
        self._turns.labels(turn.key.platform, turn.status.value).inc()
        if error:
            self._turn_errors.labels(turn.key.platform, error).inc()
        if turn.finished_at is not None:
            took_s = (turn.finished_at - turn.created_at).total_seconds()
            self._turn_s.labels(turn.key.platform).observe(max(0.0, took_s))

    def message_unkept(self) -> None:
        """Count a message that could not be kept; nobody answers it unless it comes again."""
        self._unkept.inc()

    def backlog(self, backlog: Backlog) -> None:
        """Show what waits and runs now."""
        self._seen |= {platform for platform, _ in backlog.counts}
        for platform in self._seen:  # an empty queue reads 0, not nothing
            for status in _BACKLOG_STATES:
                count = backlog.counts.get((platform, status), 0)
                self._backlog.labels(platform, status.value).set(count)
        self._oldest_s.set(backlog.oldest_queued_s)
        self._stuck.set(len(backlog.stuck))

    def loop_lag(self, late_s: float) -> None:
        """Note how late the event loop was."""
        self._lag_s.observe(max(0.0, late_s))

    def http_trace(self, platform: str) -> aiohttp.TraceConfig:
        """Counts the requests of an aiohttp session to a platform."""
        import aiohttp

        trace = aiohttp.TraceConfig()

        async def count(
            session: aiohttp.ClientSession,
            context: SimpleNamespace,
            params: aiohttp.TraceRequestEndParams,
        ) -> None:
            kind, status = _to_kind(params.method, params.url.path), params.response.status
            self._requests.labels(platform, kind, _to_label(status)).inc()

        async def fail(
            session: aiohttp.ClientSession,
            context: SimpleNamespace,
            params: aiohttp.TraceRequestExceptionParams,
        ) -> None:
            kind = _to_kind(params.method, params.url.path)
            self._requests.labels(platform, kind, "unreachable").inc()

        trace.on_request_end.append(count)
        trace.on_request_exception.append(fail)
        return trace


def _to_kind(method: str, path: str) -> str:
    """`post`, `edit`, `delete` or `other`: what a request does to what people see."""
    if slack_kind := _SLACK_KINDS.get(path.rpartition("/")[2]):
        return slack_kind
    if method == "POST" and (path.endswith("/messages") or "/webhooks/" in path):
        return "post"
    is_message = bool(_DISCORD_MESSAGE.search(path))
    return {"PATCH": "edit", "DELETE": "delete"}.get(method, "other") if is_message else "other"


def _to_label(status: int) -> str:
    """429 as it is, for it is the one to watch; others by their hundreds."""
    return "429" if status == 429 else f"{status // 100}xx"


def _count_tasks() -> int:
    """How many tasks there are where this is asked; what only grows here leaks."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs
        return 0
