"""Messages of a turn that Slack may have made without our hearing of it: found, or taken away."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from adapters.slack.errors import SlackRefusalError, StreamEndedError
from adapters.slack.workspaces import Workspace
from bot.ports import Clock, Post, Posts

logger = logging.getLogger(__name__)

EVENT_TYPE = "parley_post"
LATE_S = 3.0
"""So long after its answer was lost, a call may still take effect."""
SLACK_BEHIND_S = 5.0
"""So far may Slack's clock be behind ours."""
Json = dict[str, Any]


class LostPosts:
    """Looks for them in the turn's thread, for the answer and all its branches."""

    def __init__(
        self, workspace: Workspace, store: Posts, clock: Clock, channel_id: str, thread_ts: str
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._clock = clock
        self._channel_id = channel_id
        self._thread_ts = thread_ts
        self._since: datetime | None = None  # when the first that was not found was sent
        self._missed_s = 0.0
        self.alone = asyncio.Lock()
        """Held from a post's intent until its timestamp is kept: so what is found and belongs
        to no post known is the one that is looked for."""

    async def find(self, post: Post) -> str:
        """The timestamp of a post that may have been made; empty when it was not.

        Also empty where Slack does not let us look: an answer twice is better than none.
        """
        ours = await self._ours(post.created_at)
        for message in ours:
            if _id_of(message) == post.post_id:
                return str(message["ts"])
        for message in ours:
            if _may_be_stream(message) and not await self._is_known(message["ts"]):
                return str(message["ts"])
        self._since = min(post.created_at, self._since or post.created_at)
        self._missed_s = self._clock.elapsed_s()
        return ""

    async def remove(self, turn_id: str) -> None:
        """Take away what came in the end of posts that were made again."""
        if self._since is None:
            return
        await asyncio.sleep(max(0.0, self._missed_s + LATE_S - self._clock.elapsed_s()))
        posts = {post.post_id for post in await self._store.posts(turn_id)}
        for message in await self._ours(self._since):
            ts = str(message["ts"])
            if await self._is_known(ts):
                continue
            if _id_of(message) in posts or (_may_be_stream(message) and await self._is_ended(ts)):
                await self._workspace.api.call("chat.delete", channel=self._channel_id, ts=ts)

    async def _is_ended(self, ts: str) -> bool:
        """End it if it is a stream; one of ours that nobody ended was lost."""
        try:
            await self._workspace.api.call("chat.stopStream", channel=self._channel_id, ts=ts)
        except StreamEndedError:
            return False
        return True

    async def _ours(self, since: datetime) -> list[Json]:
        """What we have written in the thread since then, as far as Slack lets us look."""
        try:
            answer = await self._workspace.api.call(
                "conversations.replies",
                channel=self._channel_id,
                ts=self._thread_ts,
                oldest=f"{since.timestamp() - SLACK_BEHIND_S:.6f}",
                include_all_metadata=True,
                limit=15,
            )
        except SlackRefusalError as error:
            logger.warning("a thread could not be looked through", extra={"code": error.code})
            return []
        # The first is what the thread hangs on: with `/ask`, a question that we have posted.
        return [
            message
            for message in answer["messages"]
            if message.get("bot_id") == self._workspace.bot_id and message["ts"] != self._thread_ts
        ]

    async def _is_known(self, ts: str) -> bool:
        platform_id = f"{self._channel_id}:{ts}"
        return await self._store.turn_of_post("slack", platform_id) is not None


async def find_in_channel(
    workspace: Workspace, channel_id: str, post_id: str, since: datetime
) -> str:
    """The timestamp of a post outside threads that was perhaps made; empty when it was not."""
    answer = await workspace.api.call(
        "conversations.history",
        channel=channel_id,
        oldest=f"{since.timestamp() - SLACK_BEHIND_S:.6f}",
        include_all_metadata=True,
        limit=100,
    )
    found = (message for message in answer["messages"] if _id_of(message) == post_id)
    return str(next(found, {"ts": ""})["ts"])


def to_metadata(post_id: str) -> Json:
    """What marks a message on Slack as a post."""
    return {"event_type": EVENT_TYPE, "event_payload": {"post_id": post_id}}


def _id_of(message: Json) -> str:
    """Which post a message is; empty for a stream that was never ended."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("post_id", ""))


def _may_be_stream(message: Json) -> bool:
    """Whether it may be a stream that was never ended; files have no mark either."""
    is_done = message.get("streaming_state") == "completed"
    return not (is_done or _id_of(message) or message.get("files"))
