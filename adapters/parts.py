"""The assembled parts that a surface (web, chat platform, terminal) works with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.settings import AppSettings
from bot.errors import DeliveryError
from bot.inbox import Inbox
from bot.ports import Clock, Delivery, Gateway, Sink, Store
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn

if TYPE_CHECKING:  # they bring aiohttp, which the first page does not wait for
    import aiohttp

    from adapters.active_models import ModelChoice

logger = logging.getLogger(__name__)


def _untraced(platform: str) -> aiohttp.TraceConfig:
    import aiohttp

    return aiohttp.TraceConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a surface may use; `main` builds it."""

    settings: AppSettings
    models: ModelChoice
    router: Router
    gateway: Gateway
    store: Store
    inbox: Inbox
    responder: Responder
    clock: Clock
    http_trace: Callable[[str], aiohttp.TraceConfig] = _untraced
    """What counts the requests to a platform, given its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCheck:
    """One thing that `doctor` looked at on a platform."""

    platform: str
    is_well: bool
    says: str
    remedy: str = ""
    """What to do when it is not well."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Hands each turn to the delivery of its platform; platforms register as they start."""

    by_platform: dict[str, Delivery] = field(default_factory=dict)

    @classmethod
    def of(cls, deliveries: Mapping[str, Delivery]) -> Deliveries:
        """Deliveries that are all known at once."""
        return cls(dict(deliveries))

    def is_connected(self, platform: str) -> bool:
        """Whether a platform is there and says that its connection stands."""
        return bool(getattr(self.by_platform.get(platform), "is_connected", False))

    async def open(self, turn: Turn) -> Sink:
        """The sink of the turn's own platform."""
        delivery = self.by_platform.get(turn.key.platform)
        if delivery is None:
            raise DeliveryError(f"{turn.key.platform} is not connected in this process.")
        return await delivery.open(turn)


def tell_end(task: asyncio.Task[None]) -> None:
    """Say so when a platform's task, which bears its name, ends by a fault that nobody foresaw."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        facts = {"platform": task.get_name()}
        logger.error("a platform is lost until the next start", extra=facts, exc_info=fault)
