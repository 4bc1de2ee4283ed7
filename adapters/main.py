"""Where everything is put together: reads the settings, builds the parts, runs them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from adapters.active_models import ModelChoice
from adapters.cli.app import run_app
from adapters.clock import SystemClock
from adapters.inline_queue import InlineQueue
from adapters.logs import start_logs
from adapters.model_access import ModelAccess, listed_models, open_models
from adapters.parts import Deliveries, Parts
from adapters.settings import AppSettings, load_settings
from adapters.web import Startup, WebDelivery, WebParts, address_of, create_app, listen, run_web
from bot.difficulty import Estimator, RulesEstimator
from bot.errors import BotError, ConfigurationError
from bot.inbox import Inbox
from bot.ports import Delivery
from bot.responder import Responder
from bot.router import Router
from storage import open_store

logger = logging.getLogger(__name__)
DATABASE, MODELS = "Database", "Models"


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """The parts of one terminal session."""

    parts: Parts
    queue: InlineQueue


class Main:
    """The program behind the command line."""

    def settings(self) -> AppSettings:
        """Read the environment and `.env`, and start the logs."""
        settings = load_settings()
        start_logs(settings.parley_log_level)
        return settings

    def listed_models(self, settings: AppSettings) -> ModelChoice:
        """The catalogue, without looking for models on this machine."""
        return listed_models(settings)

    def estimator(self) -> Estimator:
        """The estimator that the router uses."""
        return RulesEstimator()

    @asynccontextmanager
    async def open_terminal(
        self, settings: AppSettings, delivery: Delivery
    ) -> AsyncIterator[TerminalSession]:
        """Everything that answers a prompt, for one terminal session."""
        async with (
            open_models(settings) as models,
            self._open_parts(settings, models, delivery) as session,
        ):
            yield session

    async def up(self, settings: AppSettings) -> None:
        """Run all that is configured until told to stop."""
        token = settings.parley_web_token.get_secret_value()
        listener = listen(settings.parley_host, settings.parley_port, token=token)
        startup, web = Startup(DATABASE, MODELS), WebDelivery()
        deliveries = Deliveries.of({"web": web})
        async with AsyncExitStack() as stack:
            models = await stack.enter_async_context(open_models(settings))
            session = await stack.enter_async_context(
                self._open_parts(settings, models, deliveries)
            )
            parts = session.parts
            startup.done(DATABASE)
            app = create_app(
                WebParts(
                    store=parts.store,
                    inbox=parts.inbox,
                    delivery=web,
                    stages=startup,
                    catalog=lambda: parts.router.catalog,
                    clock=parts.clock,
                    token=token,
                )
            )
            _greet(settings, address_of(listener), models)
            await _until_stopped(
                run_web(app, listener, close_streams=web.close), _report(models, startup)
            )

    @asynccontextmanager
    async def _open_parts(
        self, settings: AppSettings, models: ModelAccess, delivery: Delivery
    ) -> AsyncIterator[TerminalSession]:
        _make_home(settings)
        async with open_store(settings.store_url) as store:
            clock = SystemClock()
            router = Router(models.choice.active, self.estimator())
            responder = Responder(
                store=store,
                gateway=models.gateway,
                delivery=delivery,
                router=router,
                clock=clock,
                instance_cap=settings.instance_cap,
            )
            queue = InlineQueue(responder.answer)
            parts = Parts(
                settings=settings,
                models=models.choice,
                router=router,
                gateway=models.gateway,
                store=store,
                inbox=Inbox(store, queue, clock),
                responder=responder,
                clock=clock,
            )
            yield TerminalSession(parts, queue)


def _make_home(settings: AppSettings) -> None:
    try:
        settings.parley_home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {settings.parley_home} can't be made ({error.strerror}). "
            "Set PARLEY_HOME to a folder that may be written to."
        ) from error


def _greet(settings: AppSettings, address: str, models: ModelAccess) -> None:
    """Say where it is, what answers, and what it can cost at most."""
    cap = f"${settings.parley_monthly_cap_usd}"
    lines = [
        f"Parley is at {address}",
        f"It spends at most {cap} a month (PARLEY_MONTHLY_CAP_USD).",
    ]
    if models.found:
        lines.append(models.found)
    if models.demo is not None:
        lines.append(
            "No key is set, so a small demo model answers, and is often wrong. "
            "Put a provider's key into .env for real ones; .env.example names them."
        )
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


async def _report(models: ModelAccess, startup: Startup) -> None:
    """Tell the page how far the models have loaded."""
    startup.working(MODELS, "loading")
    try:
        startup.done(MODELS, await models.loaded())
    except BotError as error:
        logger.warning("no model can answer yet", extra={"error": str(error)})
        startup.failed(MODELS, str(error))


async def _until_stopped(*services: Coroutine[object, object, object]) -> None:
    """Run services until SIGINT or SIGTERM, or until the first of them, the web page, ends."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    tasks = [asyncio.ensure_future(service) for service in services]
    stop = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({stop, tasks[0]}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stop, *tasks):
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def main() -> None:
    """The console script."""
    run_app(Main())


if __name__ == "__main__":
    main()
