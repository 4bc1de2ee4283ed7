"""What is posted where nobody has asked, and who is told when something needs an admin."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.errors import DeliveryError
from bot.pictures import Card
from bot.ports import Preferences

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A digest or an alert, ready to be posted."""

    post_id: str
    """The same announcement has the same id: it is posted once, also after a crash."""
    workspace_id: str
    channel_id: str
    text: str
    card: Card | None = None


class Announcer(Protocol):
    """Posts in a channel of one platform, where nobody has asked."""

    async def announce(self, announcement: Announcement) -> None:
        """Post it, unless it was posted before. Raises DeliveryError in words."""

    async def tell(self, workspace_id: str, user_id: str, text: str) -> None:
        """Write to one person directly. Raises DeliveryError in words."""


Announcers = Callable[[], Mapping[str, Announcer]]
"""What can announce right now, by platform."""


def announcers_of(by_platform: Mapping[str, object]) -> dict[str, Announcer]:
    """What can announce right now, of the platforms that are connected."""
    found = {name: getattr(each, "announcer", None) for name, each in by_platform.items()}
    return {name: announcer for name, announcer in found.items() if announcer is not None}


class Admins:
    """Those who are told what needs an admin."""

    def __init__(
        self, store: Preferences, announcers: Announcers, named: frozenset[str] = frozenset()
    ) -> None:
        """`named` are `platform:user id`, from the configuration."""
        self._store = store
        self._announcers = announcers
        self._named = named

    async def tell(
        self, platform: str, workspace_id: str, text: str, *, setters: Mapping[str, str]
    ) -> int:
        """Write to the admins of the configuration, and to who set these settings last.

        `setters` are settings by the scope id where they were made. Returns how many were reached.
        """
        reached = 0
        for user_id in await self._who(platform, setters):
            try:
                await self._announcers()[platform].tell(workspace_id, user_id, text)
                reached += 1
            except DeliveryError:
                logger.warning("an admin could not be told", extra={"user_id": user_id})
        return reached

    async def _who(self, platform: str, setters: Mapping[str, str]) -> list[str]:
        found: list[str] = []
        for scope_id, name in setters.items():
            changes = await self._store.audit(scope_id)
            found += [change.user_id for change in changes if change.name == name][:1]
        prefix = f"{platform}:"
        named = [each.removeprefix(prefix) for each in self._named if each.startswith(prefix)]
        return list(dict.fromkeys(found + sorted(named)))
