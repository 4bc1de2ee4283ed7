"""The way in: what people send becomes a message, a turn and a place in the queue, once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from bot.catalog import Tier
from bot.commands import is_stop
from bot.errors import StoreError
from bot.legible import to_legible
from bot.messages import IncomingMessage
from bot.ports import Clock, Intake, Queue
from bot.tags import without_tags
from bot.turns import Turn, TurnStatus

logger = logging.getLogger(__name__)
NAMES_LAST_S = 3_600.0
"""After this a name is kept anew, since another process may have heard of another meanwhile."""


class Inbox:
    """Accepts messages and what people do with the answers."""

    def __init__(
        self,
        store: Intake,
        queue: Queue,
        clock: Clock,
        *,
        until_open: Callable[[], Awaitable[object]] | None = None,
        on_unkept: Callable[[], None] = lambda: None,
    ) -> None:
        """`until_open` is awaited first: a prompt that comes while the program starts waits.

        `on_unkept` hears of each message that the store could not keep.
        """
        self._store = store
        self._queue = queue
        self._clock = clock
        self._until_open = until_open
        self._on_unkept = on_unkept
        self._named: dict[tuple[str, str, str], tuple[str, float]] = {}

    async def accept(self, incoming: IncomingMessage) -> Turn | None:
        """Keep a message and queue its answer; only then may the platform be acknowledged.

        None for a message that is known already, or that is context only. The word `stop` stops
        what its conversation waits for: behind it in the queue it would come too late.
        Raises StoreError when it could not be kept: nothing was spent.
        """
        await self._open()
        incoming = _legible(incoming)
        turn = await self._keep(incoming)
        if turn is None:
            return None
        if is_stop(without_tags(incoming.text, ())):
            for turn_id in await self._store.going(incoming.key):
                if turn_id != turn.turn_id:
                    await self.stop(turn_id)
        await self._queue.submit(turn)
        await self._name(incoming)
        return turn

    async def _keep(self, incoming: IncomingMessage) -> Turn | None:
        """Keep a message; its turn, when it is news and asks for an answer."""
        turn = self._to_turn(incoming)
        try:
            if incoming.is_addressed:
                return turn if await self._store.accept(incoming, turn) else None
            await self._store.keep(incoming)
        except StoreError:
            self._on_unkept()
            raise
        return None

    async def _name(self, incoming: IncomingMessage) -> None:
        """Keep what the place is called, when that is news or was not heard for a while.

        The message is kept by now: a name that can't be is heard again with the next one.
        """
        key, now = incoming.key, self._clock.elapsed_s()
        names = {"": incoming.workspace_name, key.channel_id: incoming.channel_name}
        for channel_id, name in names.items():
            place = (key.platform, key.workspace_id, channel_id)
            known, heard_s = self._named.get(place, ("", 0.0))
            if name and (name != known or now - heard_s >= NAMES_LAST_S):
                self._named[place] = (name, now)  # before it is kept: in a crowd, once
                try:
                    await self._store.name_place(*place, name)
                except StoreError:
                    self._named.pop(place, None)
                    logger.warning("a place's name could not be kept", exc_info=True)

    async def retry(
        self,
        turn_id: str,
        *,
        event_id: str,
        user_id: str,
        role_ids: tuple[str, ...] = (),
        tier: Tier | None = None,
        anchor: Mapping[str, str] | None = None,
    ) -> Turn | None:
        """Answer a turn's prompt anew (Again), at a given tier (Heavier). None if that is queued.

        Pressed again while the answer is under way, it is that answer: nobody pays for two.
        `event_id` is the platform's id of the button press, unique on its platform; `role_ids` are
        those of who pressed it: what they may ask is theirs, not the author's. `anchor` is given
        when the new answer goes elsewhere than the old one.
        """
        await self._open()
        earlier = await self._store.turn(turn_id)
        if earlier is None:
            return None
        turn = replace(
            _unbegun(earlier, self._clock.now()),
            turn_id=f"{earlier.key.platform}:{event_id}",
            user_id=user_id,
            is_admin=earlier.is_admin and user_id == earlier.user_id,
            role_ids=earlier.role_ids if user_id == earlier.user_id else role_ids,
            tier=tier,
            retry_of=turn_id,
            anchor=earlier.anchor if anchor is None else anchor,
        )
        if (same := await self._under_way(turn)) is not None:
            return same
        if not await self._store.retry(turn):
            return None
        await self._queue.submit(turn)
        return turn

    async def _under_way(self, wanted: Turn) -> Turn | None:
        """The very same, asked for by the same person a moment ago: a button pressed twice."""
        for turn_id in await self._store.going(wanted.key):
            turn = await self._store.turn(turn_id) if turn_id != wanted.turn_id else None
            if turn is not None and (turn.retry_of, turn.user_id, turn.tier) == (
                wanted.retry_of, wanted.user_id, wanted.tier,
            ):  # fmt: skip
                return turn
        return None

    async def heavier(
        self,
        turn_id: str,
        *,
        event_id: str,
        user_id: str,
        role_ids: tuple[str, ...] = (),
        anchor: Mapping[str, str] | None = None,
    ) -> Turn | None:
        """Answer a turn's prompt anew, one tier up; this counts as a poor mark for the answer."""
        earlier = await self._store.turn(turn_id)
        if earlier is None:
            return None
        served = str(earlier.decision.get("tier", Tier.FREE.label))
        tier = Tier(min(Tier.FULL, Tier[served.upper()] + 1))
        await self._store.add_feedback(turn_id, user_id, -1)
        return await self.retry(
            turn_id,
            event_id=event_id,
            user_id=user_id,
            role_ids=role_ids,
            tier=tier,
            anchor=anchor,
        )

    async def stop(self, turn_id: str) -> bool:
        """Stop a turn, wherever it runs; what was written is kept. False if it is over."""
        if not await self._store.request_stop(turn_id):
            return False
        await self._queue.cancel(turn_id)
        return True

    async def amend(self, platform: str, message_id: str, text: str) -> None:
        """Take an edited prompt; it counts while its answer has not begun."""
        await self._store.amend(platform, message_id, to_legible(text))

    async def withdraw(self, platform: str, message_id: str) -> None:
        """Forget a deleted message and cancel its answer."""
        for turn_id in await self._store.withdraw(platform, message_id):
            await self._queue.cancel(turn_id)

    async def feedback(self, turn_id: str, user_id: str, value: int) -> None:
        """Keep an opinion: 1 for 👍, -1 for 👎."""
        await self._store.add_feedback(turn_id, user_id, 1 if value > 0 else -1)

    async def _open(self) -> None:
        if self._until_open is not None:
            await self._until_open()

    def _to_turn(self, incoming: IncomingMessage) -> Turn:
        return Turn(
            turn_id=f"{incoming.key.platform}:{incoming.message_id}",
            key=incoming.key,
            message_id=incoming.message_id,
            user_id=incoming.author_id,
            user_name=incoming.author_name,
            prompt=incoming.text,
            attachments=incoming.attachments,
            is_admin=incoming.is_admin,
            role_ids=incoming.role_ids,
            anchor=incoming.anchor,
            created_at=self._clock.now(),
        )


def _unbegun(turn: Turn, now: datetime) -> Turn:
    """The same prompt as if it came now: nothing of what became of it."""
    return replace(
        turn,
        status=TurnStatus.QUEUED,
        created_at=now,
        attempts=0,
        reply=None,
        notice="",
        decision={},
        started_at=None,
        finished_at=None,
    )


def _legible(incoming: IncomingMessage) -> IncomingMessage:
    """The message with its words and names as they can be kept."""
    return replace(
        incoming,
        text=to_legible(incoming.text),
        author_name=to_legible(incoming.author_name),
        workspace_name=to_legible(incoming.workspace_name),
        channel_name=to_legible(incoming.channel_name),
        attachments=tuple(
            replace(file, name=to_legible(file.name), media_type=to_legible(file.media_type))
            for file in incoming.attachments
        ),
    )
