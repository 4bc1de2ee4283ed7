"""A turn's messages in its thread, each posted at most once, also across a crash."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from adapters.slack.errors import StillStreamingError, StreamEndedError, UncertainError
from adapters.slack.formatting import Block, plain
from adapters.slack.lost import LostPosts, to_metadata
from adapters.slack.pictures import share
from adapters.slack.workspaces import Workspace
from bot.pictures import Card
from bot.ports import Clock, Post, Posts
from bot.turns import Turn

logger = logging.getLogger(__name__)

MAX_TRIES = 3
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

    def __init__(
        self, workspace: Workspace, store: Posts, clock: Clock, turn_id: str, place: Place
    ) -> None:
        self._workspace = workspace
        self._api = workspace.api
        self._store = store
        self._clock = clock
        self.turn_id = turn_id
        self._scope = turn_id
        self.place = place
        self._lost = LostPosts(workspace, store, clock, place.channel_id, place.thread_ts)

    def of_branch(self, name: str) -> TurnPosts:
        """The messages of a branch of the same turn, beside the answer itself."""
        posts = copy(self)
        posts._scope = f"{self.turn_id}:{name}"
        return posts

    async def known(self) -> list[str]:
        """The timestamps of what was posted before, in order; looks for what is uncertain."""
        found = []
        async with self._lost.alone:
            posts = await self._store.posts(self.turn_id)
            for post in (p for p in posts if p.post_id.rpartition(":")[0] == self._scope):
                ts = _ts(post) or await self._lost.find(post)
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
                metadata=to_metadata(post.post_id),
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
        """Make a message exactly this; a stream that nobody has ended is ended for it."""
        update = partial(
            self._api.call,
            "chat.update",
            channel=self.place.channel_id,
            ts=ts,
            text=plain(text) or " ",
            blocks=list(blocks),
        )
        try:
            await update(is_paid=is_paid)
        except StillStreamingError:
            await self.end_stream(ts)
            await update()

    async def end_stream(self, ts: str) -> None:
        """End a stream as it stands; a message that is none is left alone."""
        try:
            await self._api.call("chat.stopStream", channel=self.place.channel_id, ts=ts)
        except StreamEndedError as error:
            logger.debug("no stream to end", extra={"ts": ts, "code": error.code})

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

    async def remove_lost(self) -> None:
        """Delete what stands twice, by the answer or its branches: when all is shown."""
        await self._lost.remove(self.turn_id)

    def metadata(self, number: int) -> dict[str, Any]:
        """What marks a message on Slack as the turn's nth."""
        return to_metadata(self._post_id(number))

    def _post_id(self, number: int) -> str:
        return f"{self._scope}:p{number}"

    async def _once(self, number: int, send: Callable[[Post], Awaitable[str]]) -> tuple[str, bool]:
        async with self._lost.alone:
            intent = Post(
                post_id=self._post_id(number), turn_id=self.turn_id, created_at=self._clock.now()
            )
            known = await self._store.sending(intent)
            ts = _ts(known)
            if not ts and known.created_at < intent.created_at:
                ts = await self._lost.find(known)
            is_new = not ts
            if is_new:
                ts, is_new = await self._send(known, send)
            await self._sent(known, ts)
            return ts, is_new

    async def _send(self, post: Post, send: Callable[[Post], Awaitable[str]]) -> tuple[str, bool]:
        for _ in range(MAX_TRIES):
            try:
                return await send(post), True
            except UncertainError:
                logger.warning("slack did not confirm a post", extra={"post_id": post.post_id})
                if ts := await self._lost.find(post):
                    return ts, False
        return await send(post), True

    async def _sent(self, post: Post, ts: str) -> None:
        if not post.platform_id:
            channel = self.place.channel_id
            await self._store.sent(replace(post, platform_id=f"{channel}:{ts}", channel_id=channel))


def _ts(post: Post) -> str:
    return post.platform_id.rpartition(":")[2]
