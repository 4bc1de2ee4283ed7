"""What the terminal's commands need of the rest of the program; `main` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from adapters.inline_queue import InlineQueue
from adapters.parts import Parts, PlatformCheck
from adapters.settings import AppSettings
from bot.difficulty import Estimator
from bot.ports import Delivery

if TYPE_CHECKING:
    from adapters.active_models import ModelChoice


class Terminal(Protocol):
    """The parts of a terminal session."""

    @property
    def parts(self) -> Parts:
        """Everything a surface may use."""

    @property
    def queue(self) -> InlineQueue:
        """What runs the turns."""


class Program(Protocol):
    """Builds what a command works with; each raises ConfigurationError in words."""

    def settings(self) -> AppSettings:
        """The environment and `.env`, read once."""

    def listed_models(self, settings: AppSettings) -> ModelChoice:
        """The catalogue, without looking for models on this machine."""

    def estimator(self) -> Estimator:
        """The estimator that the router uses."""

    def open_terminal(
        self, settings: AppSettings, delivery: Delivery
    ) -> AbstractAsyncContextManager[Terminal]:
        """Everything that answers a prompt, for one terminal session."""

    async def check_platforms(self, settings: AppSettings) -> tuple[PlatformCheck, ...]:
        """Ask each platform that is set up whether it lets Parley in."""

    async def up(self, settings: AppSettings, only: Sequence[str] = ()) -> None:
        """Run all that is configured, or only some roles, until told to stop."""
