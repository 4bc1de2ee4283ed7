"""`parley up`: the page first, then what it needs, then the chat platforms; until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from adapters.alerts import BudgetAlerts
from adapters.announcing import Admins, Announcer, announcers_of
from adapters.clock import SystemClock
from adapters.engine import DurableEngine, QueueDoor
from adapters.late_queue import LateQueue
from adapters.local_model.assets import is_installed
from adapters.metrics import Metrics
from adapters.parts import Deliveries, Parts
from adapters.readiness import Readiness
from adapters.roles import Role, configured_roles
from adapters.scheduler import Digests, Lookout, run_lookouts
from adapters.settings import AppSettings, made_home
from adapters.teaching import Teacher
from adapters.tracing import tracing
from adapters.watch import watching
from adapters.web import (
    Dashboard,
    StageState,
    Startup,
    WebDelivery,
    WebParts,
    address_of,
    create_app,
    listen,
    probe_routes,
    run_web,
)
from bot.catalog import Catalog
from bot.difficulty import Estimator
from bot.errors import BotError
from bot.inbox import Inbox
from bot.ports import Observer
from bot.reporting import Reporter
from bot.responder import Responder
from bot.router import Router
from storage import SqlStore, open_store

if TYPE_CHECKING:
    from adapters.model_access import ModelAccess

logger = logging.getLogger(__name__)
MODELS = "Models"
NO_MODEL = "none is switched on: put a provider's key into .env and start again"


@dataclass(slots=True)
class _Server:
    """What is there from the first moment; the rest is opened behind the page."""

    settings: AppSettings
    store: SqlStore
    new_estimator: Callable[[], Estimator]
    roles: frozenset[Role]
    web: WebDelivery = field(default_factory=WebDelivery)
    startup: Startup = field(default_factory=lambda: Startup(MODELS))
    clock: SystemClock = field(default_factory=SystemClock)
    queue: LateQueue = field(default_factory=LateQueue)
    catalog: Catalog = field(default_factory=lambda: Catalog(()))
    deliveries: Deliveries = field(default_factory=Deliveries)
    metrics: Metrics = field(default_factory=Metrics)
    traces: tuple[Observer, ...] = ()
    outside: list[BaseRoute] = field(default_factory=list)
    """Served beside the page, with checks of their own: Slack's events over HTTP."""

    def app(self) -> Starlette:
        """What is served over HTTP: the page, where this process has it, and what is beside it."""
        app = Starlette()
        self.outside.extend(self._probes())
        app.router.routes = self.outside
        if Role.WEB in self.roles:
            self.outside.append(Mount("/", self._page()))
        return app

    def _page(self) -> ASGIApp:
        return create_app(
            WebParts(
                store=self.store,
                inbox=self.inbox(),
                delivery=self.web,
                stages=self.startup,
                catalog=lambda: self.catalog,
                clock=self.clock,
                token=self.settings.parley_web_token.get_secret_value(),
            ),
            self._dashboard().routes(),
        )

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Who is told of every turn and call."""
        return (self.metrics, *self.traces)

    def _probes(self) -> list[Route]:
        platforms = sorted(self.roles & {Role.DISCORD, Role.SLACK})
        self.metrics.watch_connections(platforms, self.deliveries.is_connected)
        readiness = Readiness(
            store=self.store,
            is_queue_open=lambda: self.queue.is_open,
            models_missing=lambda: _missing(self.startup),
            deliveries=self.deliveries,
            platforms=platforms,
        )
        token = self.settings.parley_metrics_token.get_secret_value()
        return probe_routes(readiness.checks(), self.metrics.text, token)

    def inbox(self) -> Inbox:
        """The way in; it waits until the queue is open."""
        return Inbox(
            self.store,
            self.queue,
            self.clock,
            until_open=self.queue.until_open,
            on_unkept=self.metrics.message_unkept,
        )

    async def open_rest(self, stack: AsyncExitStack) -> None:
        """Open models, queue and chat platforms, in this order."""
        await stack.enter_async_context(watching(self.store, self.metrics, self.clock))
        self.traces = stack.enter_context(tracing(self.settings.otel_exporter_otlp_endpoint))
        # In a thread, so that the page is served while this and all it brings is loaded.
        access = await asyncio.to_thread(importlib.import_module, "adapters.model_access")
        self.startup.working(MODELS, "looking for models")
        answers = Role.WORKER in self.roles
        models = await stack.enter_async_context(
            access.open_models(self.settings, are_asked=answers)
        )
        self.catalog = models.choice.active
        parts, deliveries = self._parts(models), self.deliveries
        await self._open_platforms(parts, deliveries, stack)
        if not answers:
            self.queue.open(await stack.enter_async_context(QueueDoor(self.store)))
            self.startup.done(MODELS, ", ".join(self.catalog.aliases()))
            return
        _greet(models)
        engine = DurableEngine(
            self.store,
            parts.responder.answer,
            self.clock,
            runs_here=lambda turn: turn.key.platform in deliveries.by_platform,
        )
        self.queue.open(await stack.enter_async_context(engine))
        await stack.enter_async_context(run_lookouts(*self._lookouts(deliveries, parts.router)))
        await _report(models, self.startup)

    def _parts(self, models: ModelAccess) -> Parts:
        self.deliveries.by_platform["web"] = self.web
        router = Router(models.choice.active, self.new_estimator())
        responder = Responder(
            store=self.store,
            gateway=models.gateway,
            delivery=self.deliveries,
            router=router,
            clock=self.clock,
            instance_caps=self.settings.instance_caps,
            admins=self.settings.admins,
            observers=self.observers,
        )
        return Parts(
            settings=self.settings,
            models=models.choice,
            router=router,
            gateway=models.gateway,
            store=self.store,
            inbox=self.inbox(),
            responder=responder,
            clock=self.clock,
            http_trace=self.metrics.http_trace,
        )

    def _reporter(self) -> Reporter:
        caps = self.settings.instance_caps
        return Reporter(self.store, lambda: self.catalog, self.clock, instance_caps=caps)

    def _dashboard(self) -> Dashboard:
        return Dashboard(
            store=self.store,
            reporter=self._reporter(),
            clock=self.clock,
            instance_caps=self.settings.instance_caps,
        )

    def _lookouts(self, deliveries: Deliveries, router: Router) -> tuple[Lookout, ...]:
        """What is done where nobody has asked."""

        def announcers() -> dict[str, Announcer]:
            return announcers_of(deliveries.by_platform)

        admins = Admins(self.store, announcers, self.settings.admins)
        digests = Digests(
            store=self.store,
            reporter=self._reporter(),
            announcers=announcers,
            clock=self.clock,
            admins=admins,
        )
        alerts = BudgetAlerts(self.store, announcers, admins, self.clock)
        teacher = Teacher(self.store, router.estimator, self.clock, router.catalog.aliases)
        return digests, alerts, teacher

    async def _open_platforms(
        self, parts: Parts, deliveries: Deliveries, stack: AsyncExitStack
    ) -> None:
        """Those that are heard here; a worker answers on every one that is configured."""
        configured = configured_roles(self.settings)
        wanted = configured if Role.WORKER in self.roles else self.roles
        if Role.DISCORD in wanted:
            from adapters.discord.running import run_discord

            discord = run_discord(parts, deliveries, hears=Role.DISCORD in self.roles)
            await stack.enter_async_context(discord)
        if Role.SLACK in wanted:
            from adapters.slack import open_slack

            hears = Role.SLACK in self.roles
            slack = await stack.enter_async_context(open_slack(parts, deliveries, hears=hears))
            self.outside[:0] = slack.routes


async def serve(
    settings: AppSettings, new_estimator: Callable[[], Estimator], roles: frozenset[Role]
) -> None:
    """Do all that the roles say until SIGINT or SIGTERM; raises ConfigurationError."""
    token, has_page = settings.parley_web_token.get_secret_value(), Role.WEB in roles
    listener = listen(settings.parley_host, settings.parley_port, token=token, has_page=has_page)
    _say(
        f"Parley is at {address_of(listener)}",
        f"It runs {', '.join(sorted(roles))}.",
        f"It spends at most {settings.most_spent}.",
    )
    async with open_store(made_home(settings)) as store, AsyncExitStack() as stack:
        server = _Server(settings, store, new_estimator, roles)
        page = asyncio.create_task(
            run_web(server.app(), listener, close_streams=server.web.close), name="page"
        )
        rest = asyncio.create_task(server.open_rest(stack), name="rest")
        await _until_stopped(page, rest, server.queue)


async def _until_stopped(
    page: asyncio.Task[None], rest: asyncio.Task[None], queue: LateQueue
) -> None:
    """Wait for SIGINT, SIGTERM, or a fault of either; then end both.

    What waits for the queue is let go first: the platforms wait for what they were told.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    stop = asyncio.create_task(stopped.wait())
    rest.add_done_callback(lambda task: _stop_on_fault(task, stopped))
    await asyncio.wait({stop, page}, return_when=asyncio.FIRST_COMPLETED)
    queue.close()
    for task in (stop, page, rest):
        task.cancel()
    for task in (page, rest):
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _stop_on_fault(task: asyncio.Task[None], stopped: asyncio.Event) -> None:
    if not task.cancelled() and task.exception() is not None:
        stopped.set()


async def _report(models: ModelAccess, startup: Startup) -> None:
    """Tell the page how far the models have loaded."""
    if not models.choice.active.models:
        _fail(startup, NO_MODEL)
        return
    startup.working(MODELS, "loading")
    try:
        startup.done(MODELS, await models.loaded())
    except BotError as error:
        _fail(startup, str(error))


def _fail(startup: Startup, why: str) -> None:
    logger.warning("no model can answer yet", extra={"error": why})
    startup.failed(MODELS, why)


def _missing(startup: Startup) -> str:
    """Why no model can answer yet; empty when one can."""
    stages = {stage.name: stage for stage in startup.stages()}
    models = stages[MODELS]
    return "" if models.state is StageState.DONE else models.detail or "not loaded yet"


def _greet(models: ModelAccess) -> None:
    if models.found:
        _say(models.found)
    if models.demo is not None and is_installed():
        _say(
            "No key is set, so a small demo model answers, and is often wrong.",
            "Put a provider's key into .env for real ones; .env.example names them.",
        )


def _say(*lines: str) -> None:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()
