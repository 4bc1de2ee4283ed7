"""Delivers answers to Slack threads; one sink for each turn."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from adapters.slack.errors import TokenError
from adapters.slack.posts import Place, TurnPosts
from adapters.slack.preview import Preview, PreviewLimits
from adapters.slack.private import PrivateSink
from adapters.slack.signs import Signs
from adapters.slack.sink import SlackSink
from adapters.slack.workspaces import Workspaces
from bot.ports import Clock, Sink, Store
from bot.replies import Notice, Reply
from bot.turns import Turn

DEFAULT_LIMITS = PreviewLimits()


class SlackDelivery:
    """Opens a sink for each turn; leaving it ends every preview that still runs."""

    def __init__(
        self,
        workspaces: Workspaces,
        store: Store,
        clock: Clock,
        limits: PreviewLimits = DEFAULT_LIMITS,
    ) -> None:
        self._workspaces = workspaces
        self._store = store
        self._clock = clock
        self._limits = limits
        self._sinks: dict[str, SlackSink] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sink in list(self._sinks.values()):
            await sink.close()

    async def open(self, turn: Turn) -> Sink:
        """A sink for this turn; its sign of life is on the way when this returns."""
        if earlier := self._sinks.pop(turn.turn_id, None):
            await earlier.close()
        workspace = await self._workspaces.find(turn.key.workspace_id)
        if workspace is None:
            return LostSink()
        if response_url := turn.anchor.get("response_url", ""):
            return PrivateSink(workspace.api.session, response_url)
        posts = TurnPosts(workspace, self._store, self._clock, turn.turn_id, Place.of(turn))
        settings = await self._store.settings(turn.key)
        limits = replace(self._limits, most_messages=settings.max_parts)
        sink = SlackSink(
            turn.turn_id,
            posts=posts,
            workspace=workspace,
            settings=settings,
            signs=Signs(workspace, posts.place, turn.prompt),
            preview=Preview(posts, workspace, self._clock, limits),
        )
        is_resumed = turn.attempts > 1
        sink.begin(await posts.known() if is_resumed else (), is_resumed=is_resumed)
        self._sinks[turn.turn_id] = sink
        sink.when_closed(lambda: self._forget(turn.turn_id, sink))
        return sink

    def _forget(self, turn_id: str, sink: SlackSink) -> None:
        if self._sinks.get(turn_id) is sink:
            del self._sinks[turn_id]


class LostSink:
    """For a workspace that the app was removed from: there is nobody to tell."""

    def status(self, text: str) -> None:
        """Nobody sees it."""

    def append(self, text: str) -> None:
        """Nobody sees it."""

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> LostSink:
        """Nobody sees it."""
        return self

    async def finish(self, reply: Reply) -> None:
        """Raises TokenError."""
        raise TokenError("not_installed", str(TokenError.__doc__))

    async def fail(self, notice: Notice) -> None:
        """Raises TokenError."""
        raise TokenError("not_installed", str(TokenError.__doc__))

    async def close(self) -> None:
        """Nobody sees it."""
