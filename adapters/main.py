"""Where everything is put together: reads the settings, builds the parts, runs them."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from adapters.cli.app import run_app
from adapters.clock import SystemClock
from adapters.inline_queue import InlineQueue
from adapters.logs import start_logs
from adapters.parts import Parts, PlatformCheck
from adapters.roles import chosen_roles
from adapters.settings import AppSettings, load_settings, made_home
from bot.difficulty import Estimator
from bot.inbox import Inbox
from bot.ports import Delivery
from bot.responder import Responder
from bot.router import Router

if TYPE_CHECKING:
    from adapters.active_models import ModelChoice
    from storage import SqlStore

_LEFT_AFTER = timedelta(minutes=30)
"""No terminal session works on one answer for that long."""


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """The parts of one terminal session."""

    parts: Parts
    queue: InlineQueue


class Main:
    """The program behind the command line."""

    def settings(self) -> AppSettings:
        """Read the environment and `.env`, and start the logs.

        A command's standard error is for its user: only faults are logged there unless
        PARLEY_LOG_LEVEL asks for more.
        """
        settings = load_settings()
        asked = "parley_log_level" in settings.model_fields_set
        start_logs(settings.parley_log_level if asked else "ERROR", settings.parley_log_format)
        return settings

    def listed_models(self, settings: AppSettings) -> ModelChoice:
        """The catalogue, without looking for models on this machine."""
        from adapters.model_access import listed_models

        return listed_models(settings)

    def estimator(self) -> Estimator:
        """The estimator that the router uses: the shipped model."""
        from adapters.training.shipped import load_shipped_estimator

        return load_shipped_estimator()

    @asynccontextmanager
    async def open_terminal(
        self, settings: AppSettings, delivery: Delivery
    ) -> AsyncIterator[TerminalSession]:
        """Everything that answers a prompt, for one terminal session."""
        from adapters.model_access import open_models
        from storage import open_store

        async with (
            open_models(settings) as models,
            open_store(made_home(settings)) as store,
        ):
            clock, router = SystemClock(), Router(models.choice.active, self.estimator())
            await _give_up_left(store, clock)
            responder = Responder(
                store=store,
                gateway=models.gateway,
                delivery=delivery,
                router=router,
                clock=clock,
                instance_caps=settings.instance_caps,
                admins=settings.admins,
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

    async def check_platforms(self, settings: AppSettings) -> tuple[PlatformCheck, ...]:
        """Ask each platform that is set up whether it lets Parley in."""
        checks: tuple[PlatformCheck, ...] = ()
        if settings.discord_token.get_secret_value():
            from adapters.discord.checks import check_discord

            checks += await check_discord(settings)
        if settings.slack_bot_token.get_secret_value() or settings.slack_client_id:
            from adapters.slack.checks import check_slack

            checks += await check_slack(settings)
        return checks

    async def up(self, settings: AppSettings, only: Sequence[str] = ()) -> None:
        """Run all that is configured, or only some roles, until told to stop."""
        from adapters.serving import serve  # brings the web server: no other command needs it

        start_logs(settings.parley_log_level, settings.parley_log_format)
        await serve(settings, self.estimator, chosen_roles(only, settings))


async def _give_up_left(store: SqlStore, clock: SystemClock) -> None:
    """End what a terminal session left that was killed, so that its hold is released."""
    for turn in await store.unfinished():
        is_left = turn.key.platform == "terminal" and turn.created_at < clock.now() - _LEFT_AFTER
        if is_left:
            await store.give_up(turn.turn_id, "The terminal session was ended.", clock.now())


def main() -> None:
    """The console script."""
    try:
        run_app(Main())
    except SystemExit as end:
        _leave(end.code)


def _leave(code: str | int | None) -> NoReturn:
    """End at once, since everything is closed.

    What Python does on its way out is not wanted: it aborts when a thread is still importing
    LiteLLM, and once that is there it searches all of it for garbage, which takes seconds.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads on, or the disk is full
        code = code or 1
    os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__":
    main()
