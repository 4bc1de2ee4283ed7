"""Names and roles of the people in one workspace, asked for once an hour each."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from adapters.slack.web_api import WebApi
from bot.errors import DeliveryError
from bot.ports import Clock

logger = logging.getLogger(__name__)

KEPT_S = 3_600.0
PATIENCE_S = 0.8
"""A name is not worth a late acknowledgement."""
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes, and whether they may change settings."""

    name: str
    is_admin: bool = False
    is_bot: bool = False


class People:
    """Looks people up and remembers them."""

    def __init__(self, api: WebApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._known: dict[str, tuple[float, Person]] = {}
        self._asking: dict[str, asyncio.Task[Person | None]] = {}

    async def find(self, user_id: str) -> Person:
        """A person; only the id as a name when Slack does not say in time."""
        known = self._known.get(user_id)
        if known and self._clock.elapsed_s() - known[0] < KEPT_S:
            return known[1]
        asking = self._asking.get(user_id)
        if asking is None:
            asking = asyncio.create_task(self._ask(user_id), name=f"who is {user_id}")
            self._asking[user_id] = asking
            asking.add_done_callback(lambda _: self._asking.pop(user_id, None))
        await asyncio.wait({asking}, timeout=PATIENCE_S)
        found = asking.result() if asking.done() else None
        return found or (known[1] if known else Person(name=user_id))

    async def _ask(self, user_id: str) -> Person | None:
        """Ask once, however many wait for it."""
        try:
            person = _to_person(await self._api.call("users.info", user=user_id))
        except DeliveryError as error:
            logger.info("a person could not be looked up", extra={"error": str(error)})
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[user_id] = (self._clock.elapsed_s(), person)
        return person


def _to_person(answer: dict[str, object]) -> Person:
    user = answer["user"]
    assert isinstance(user, dict)
    profile = user.get("profile") or {}
    name = profile.get("display_name") or user.get("real_name") or user.get("name") or ""
    return Person(
        name=str(name),
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
        is_bot=bool(user.get("is_bot")),
    )
