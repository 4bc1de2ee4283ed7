"""Messages that came while nobody listened: read on from the last known one after READY.

Not after RESUMED: there Discord sends what was missed itself. A message read twice counts once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import discord

from adapters.discord.errors import FAILED
from adapters.discord.inbound import DIRECT, PLATFORM
from bot.ports import Upkeep

if TYPE_CHECKING:
    from adapters.discord.client import ParleyClient

LOOK_BACK = timedelta(hours=24)
NOTICED_WITHIN = timedelta(minutes=2)
"""A dead socket is noticed by its heartbeat, which takes a while."""
TAKEN_WITHIN = timedelta(minutes=10)
"""A dead process is noticed within seconds; then its shards identify one after the other."""
MESSAGES_AT_MOST = 100
PLACES_AT_MOST = 100
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Gaps:
    """For each shard that does not listen: the message id from which on it may have missed some."""

    at_start: int = 0
    _began: dict[int, int] = field(default_factory=dict)
    _started: set[int] = field(default_factory=set)
    _away: set[int] = field(default_factory=set)

    async def load(self, store: Upkeep) -> None:
        """Before connecting: the newest message that was kept before this start."""
        known = await store.last_message_ids(PLATFORM)
        ids = [int(message_id) for _, message_id in known if message_id.isdecimal()]
        self.at_start = max(0, max(ids, default=0) - _to_units(NOTICED_WITHIN))

    def note_taken(self, shard_id: int) -> None:
        """Another process had this shard, and has left it a while ago."""
        self._started.add(shard_id)
        self._began[shard_id] = _ago(TAKEN_WITHIN)

    def begin(self, shard_id: int) -> None:
        """A shard was lost; a gap that is open already keeps its beginning."""
        self._away.add(shard_id)
        self._began.setdefault(shard_id, _ago(NOTICED_WITHIN))

    def note_connect(self, shard_id: int) -> None:
        """A shard has a session again; its servers and channels are told next."""
        self._away.discard(shard_id)

    def resume(self, shard_id: int) -> None:
        """A shard goes on where it was; what it has missed is sent again."""
        self._away.discard(shard_id)
        self._began.pop(shard_id, None)

    def end(self, shard_id: int) -> int:
        """A shard is back: where its gap began, 0 when there was none or it is lost again.

        discord.py says "ready" late, perhaps of a connection that has ended since.
        """
        if shard_id in self._away:
            return 0
        began = self._began.pop(shard_id, 0)
        if shard_id not in self._started:
            self._started.add(shard_id)
            return self.at_start or began
        return began


def _ago(span: timedelta) -> int:
    """The id of a message that would have been written that long ago."""
    return discord.utils.time_snowflake(discord.utils.utcnow() - span)


def _to_units(span: timedelta) -> int:
    """How far apart the ids of messages are that were written so far apart."""
    return int(span.total_seconds() * 1000) << 22


async def read_on(client: ParleyClient, shard_id: int) -> None:
    """Hear what a shard has missed, in every place that has something new."""
    since = client.gaps.end(shard_id)
    if not since:
        return
    oldest = discord.utils.time_snowflake(discord.utils.utcnow() - LOOK_BACK)
    count = 0
    async for place in _places(client, shard_id, max(since, oldest)):
        count += 1
        await _read(client, place, max(since, oldest))
        if count == PLACES_AT_MOST:
            break
    logger.info("read on after a gap", extra={"shard_id": shard_id, "places": count})


async def _places(
    client: ParleyClient, shard_id: int, since: int
) -> AsyncIterator[discord.abc.Messageable]:
    """Channels and threads whose last message is news, and on shard 0 the direct chats we know."""
    for guild in client.guilds:
        if guild.shard_id != shard_id:
            continue
        places: list[discord.TextChannel | discord.Thread] = [*guild.text_channels, *guild.threads]
        for place in places:
            may_read = place.permissions_for(guild.me).read_message_history
            if may_read and (place.last_message_id or 0) > since:
                yield place
    if shard_id == 0:
        for key, _ in await client.parts.store.last_message_ids(PLATFORM):
            if key.workspace_id.startswith(DIRECT):
                yield client.get_partial_messageable(int(key.thread_id))


async def _read(client: ParleyClient, place: discord.abc.Messageable, after: int) -> None:
    with contextlib.suppress(*FAILED):
        async for message in place.history(
            after=discord.Object(after), limit=MESSAGES_AT_MOST, oldest_first=True
        ):
            await client.hear(message)
