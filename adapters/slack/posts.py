"""A turn's messages in its thread, each posted at most once, also across a crash."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.errors import SlackRefusalError, UncertainError
from adapters.slack.formatting import Block, plain
from adapters.slack.pictures import share
from adapters.slack.workspaces import Workspace
from bot.pictures import Card
from bot.ports import Clock, Post, Posts
from bot.turns import Turn

logger = logging.getLogger(__name__)

MAX_TRIES = 3
EVENT_TYPE = "parley_post"
PICTURE = "picture:p1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn is answered, and for whom."""

    channel_id: str
    thread_ts: str
    user_id: str

    @classmethod
    def of(cls, turn: Turn) -> Place:
        """The thread of the turn."""
        return cls(turn.key.channel_id, turn.key.thread_id, turn.user_id)

    @property
    def is_direct(self) -> bool:
        """Whether only the two of them read it."""
        return self.channel_id.startswith("D")


class TurnPosts:
    """Posts, edits and removes one turn's messages; p1 is the first."""

    def __init__(  # whose post it is, where, and in whose books
        self,
        workspace: Workspace,
        store: Posts,
        clock: Clock,
        turn_id: str,
        place: Place,
        branch: str = "",
    ) -> None:
        """`branch` names a further message of the turn, beside the answer itself."""
        self._workspace = workspace
        self._api = workspace.api
        self._store = store
        self._clock = clock
        self.turn_id = turn_id
        self._scope = f"{turn_id}:{branch}" if branch else turn_id
        self.place = place

    def of_branch(self, name: str) -> TurnPosts:
        """The messages of a branch of the same turn."""
        own = (self._workspace, self._store, self._clock, self.turn_id, self.place)
        return TurnPosts(*own, name)

    async def known(self) -> list[str]:
        """The timestamps of what was posted before, in order; looks for what is uncertain."""
        found = []
        posts = await self._store.posts(self.turn_id)
        for post in (p for p in posts if p.post_id.rpartition(":")[0] == self._scope):
            ts = _ts(post) or await self._look_up(post)
            if ts:
                found.append(ts)
                await self._sent(post, ts)
        return found

    async def post(self, number: int, text: str, blocks: Sequence[Block]) -> str:
        """Post a message and return its timestamp; one that is there already is edited."""

        async def send(post: Post) -> str:
            answer = await self._api.call(
                "chat.postMessage",
                channel=self.place.channel_id,
                thread_ts=self.place.thread_ts,
                text=plain(text) or " ",
                blocks=list(blocks),
                metadata=_metadata(post.post_id),
                unfurl_links=False,
                unfurl_media=False,
            )
            return str(answer["ts"])

        ts, is_new = await self._once(number, send)
        if not is_new:
            await self.edit(ts, text, blocks)
        return ts

    async def start_stream(self, number: int, markdown: str) -> tuple[str, bool]:
        """Start a native stream, whose token is taken; its timestamp, and whether it is new."""
        paid = iter([True])

        async def send(post: Post) -> str:
            answer = await self._api.call(
                "chat.startStream",
                is_paid=next(paid, False),
                channel=self.place.channel_id,
                thread_ts=self.place.thread_ts,
                markdown_text=markdown,
                recipient_team_id=self._workspace.team_id,
                recipient_user_id=self.place.user_id,
            )
            return str(answer["ts"])

        return await self._once(number, send)

    async def edit(
        self, ts: str, text: str, blocks: Sequence[Block], *, is_paid: bool = False
    ) -> None:
        """Make a message exactly this."""
        await self._api.call(
            "chat.update",
            is_paid=is_paid,
            channel=self.place.channel_id,
            ts=ts,
            text=plain(text) or " ",
            blocks=list(blocks),
        )

    async def show(self, card: Card) -> None:
        """Share a picture below the answer; one that may have been shared is not shared again."""
        intent = Post(
            post_id=f"{self.turn_id}:{PICTURE}", turn_id=self.turn_id, created_at=self._clock.now()
        )
        if await self._store.sending(intent) == intent:
            place = self.place
            await share(self._workspace, card, channel=place.channel_id, thread_ts=place.thread_ts)

    async def remove(self, ts: str) -> None:
        """Delete a message of ours."""
        await self._api.call("chat.delete", channel=self.place.channel_id, ts=ts)

    def metadata(self, number: int) -> dict[str, Any]:
        """What marks a message on Slack as the turn's nth."""
        return _metadata(self._post_id(number))

    def _post_id(self, number: int) -> str:
        return f"{self._scope}:p{number}"

    async def _once(self, number: int, send: Callable[[Post], Awaitable[str]]) -> tuple[str, bool]:
        intent = Post(
            post_id=self._post_id(number), turn_id=self.turn_id, created_at=self._clock.now()
        )
        known = await self._store.sending(intent)
        ts = _ts(known)
        if not ts and known.created_at < intent.created_at:
            ts = await self._look_up(known)
        if ts:
            await self._sent(known, ts)
            return ts, False
        ts, is_new = await self._send(known, send)
        await self._sent(known, ts)
        return ts, is_new

    async def _send(self, post: Post, send: Callable[[Post], Awaitable[str]]) -> tuple[str, bool]:
        for _ in range(MAX_TRIES):
            try:
                return await send(post), True
            except UncertainError:
                logger.warning("slack did not confirm a post", extra={"post_id": post.post_id})
                if ts := await self._look_up(post):
                    return ts, False
        return await send(post), True

    async def _sent(self, post: Post, ts: str) -> None:
        if not post.platform_id:
            channel = self.place.channel_id
            await self._store.sent(replace(post, platform_id=f"{channel}:{ts}", channel_id=channel))

    async def _look_up(self, post: Post) -> str:
        """The timestamp of a post that may have been made; empty when it was not.

        Also empty where Slack does not let us look: an answer twice is better than none.
        """
        try:
            answer = await self._api.call(
                "conversations.replies",
                channel=self.place.channel_id,
                ts=self.place.thread_ts,
                oldest=f"{post.created_at.timestamp() - 5:.6f}",
                include_all_metadata=True,
                limit=15,
            )
        except SlackRefusalError as error:
            logger.warning("a thread could not be looked through", extra={"code": error.code})
            return ""
        ours = [m for m in answer["messages"] if m.get("bot_id") == self._workspace.bot_id]
        for message in ours:
            if _id_of(message) == post.post_id:
                return str(message["ts"])
        for message in ours:
            if not _id_of(message) and not await self._is_known(message["ts"]):
                return str(message["ts"])
        return ""

    async def _is_known(self, ts: str) -> bool:
        platform_id = f"{self.place.channel_id}:{ts}"
        return await self._store.turn_of_post("slack", platform_id) is not None


def _ts(post: Post) -> str:
    return post.platform_id.rpartition(":")[2]


def _metadata(post_id: str) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"post_id": post_id}}


def _id_of(message: dict[str, Any]) -> str:
    """Which post a message is; empty for a stream that was never ended."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("post_id", ""))
