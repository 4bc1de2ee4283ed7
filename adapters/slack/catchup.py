"""What was written while nobody listened: read once after a start, where Parley is known.

Slack sends events again for some minutes only. A message that is read twice counts once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.arrivals import Arrivals, TooSlowError
from adapters.slack.inbound import PLATFORM
from adapters.slack.workspaces import Workspace, Workspaces
from bot.errors import BotError
from bot.messages import ConversationKey
from bot.ports import Clock, Upkeep

logger = logging.getLogger(__name__)

LOOK_BACK_S = 24 * 3_600.0
OVERLAP_S = 120.0
"""A cut connection is noticed late, so reading begins before the newest message that is known."""
CHANNELS_AT_MOST = 20
THREADS_AT_MOST = 6
"""These calls share a budget with reading threads for people who ask now."""


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation and the time of its newest message."""

    key: ConversationKey
    newest_s: float


def to_known(found: Iterable[tuple[ConversationKey, str]]) -> list[Known]:
    """The conversations with a message of Slack's own, the latest first."""
    known = []
    for key, message_id in found:
        _, _, rest = message_id.partition(":")
        ts = rest.partition(":")[0]
        if ts.replace(".", "", 1).isdecimal():
            known.append(Known(key, float(ts)))
    return sorted(known, key=lambda each: each.newest_s, reverse=True)


class CatchUp:
    """Reads on from what is known."""

    def __init__(
        self, workspaces: Workspaces, store: Upkeep, arrivals: Arrivals, clock: Clock, limit: int
    ) -> None:
        """`limit` is how many messages one call may read."""
        self._workspaces = workspaces
        self._store = store
        self._arrivals = arrivals
        self._clock = clock
        self._limit = limit

    async def run(self) -> None:
        """Read on everywhere; what fails is logged, and costs nothing else."""
        try:
            known = to_known(await self._store.last_message_ids(PLATFORM))
        except BotError as error:
            logger.warning("could not read on", extra={"error": str(error)})
            return
        if not known:
            return
        oldest_s = max(known[0].newest_s - OVERLAP_S, self._clock.now().timestamp() - LOOK_BACK_S)
        await self._read_all(known, oldest_s)

    async def _read_all(self, known: list[Known], oldest_s: float) -> None:
        channels = list(dict.fromkeys((k.key.workspace_id, k.key.channel_id) for k in known))
        for team_id, channel_id in channels[:CHANNELS_AT_MOST]:
            await self._read(team_id, "conversations.history", oldest_s, channel=channel_id)
        for each in known[:THREADS_AT_MOST]:
            key = each.key
            if key.thread_id:
                await self._read(
                    key.workspace_id,
                    "conversations.replies",
                    oldest_s,
                    channel=key.channel_id,
                    ts=key.thread_id,
                )

    async def _read(self, team_id: str, method: str, oldest_s: float, **place: Any) -> None:
        try:
            workspace = await self._workspaces.find(team_id)
            if workspace is None:
                return
            answer = await workspace.api.call(
                method, oldest=f"{oldest_s:.6f}", limit=self._limit, **place
            )
            for message in sorted(answer["messages"], key=lambda each: float(each["ts"])):
                if float(message["ts"]) > oldest_s:
                    await self._hear(message, place["channel"], workspace)
        except (BotError, TooSlowError) as error:
            logger.info("could not read on", extra={"method": method, "error": str(error)})

    async def _hear(
        self, message: Mapping[str, Any], channel_id: str, workspace: Workspace
    ) -> None:
        await self._arrivals.hear({**message, "channel": channel_id}, workspace)
