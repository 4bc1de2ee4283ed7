"""One message of an answer while it grows: as a native stream, or by edits."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from adapters.slack.errors import StreamEndedError, UncertainError
from adapters.slack.formatting import Block, buttons, markdown_block, settled
from adapters.slack.posts import TurnPosts
from adapters.slack.workspaces import Workspace
from bot.replies import Action

logger = logging.getLogger(__name__)

LONG_WAIT_S = 1.0
"""When a stop has to wait longer for its budget, the text is shown before it."""


class StreamedMessage:
    """A native stream. What Slack has not confirmed is never thought of as shown."""

    def __init__(self, posts: TurnPosts, workspace: Workspace, number: int) -> None:
        self._posts = posts
        self._workspace = workspace
        self._number = number
        self._ts = ""
        self._is_certain = True
        self._is_open = False
        self.shown = ""
        """What people certainly see of it."""

    @property
    def may_grow(self) -> bool:
        """Whether more can be shown before the end."""
        return self._is_certain and self._is_open

    async def start(self, text: str) -> None:
        """Start the stream with the first words."""
        first = settled(text)
        self._ts, self._is_certain = await self._posts.start_stream(self._number, first)
        self._is_open = True
        self._workspace.api.pace.open_streams += 1
        self.shown = first if self._is_certain else ""

    async def grow(self, text: str, *, is_paid: bool = False) -> None:
        """Append what is new of the whole text so far.

        After an unanswered call nothing more until the end. Raises StreamEndedError when Slack
        has closed the stream.
        """
        whole = settled(text)
        if len(whole) <= len(self.shown):
            return
        try:
            await self._workspace.api.call(
                "chat.appendStream",
                is_paid=is_paid,
                channel=self._posts.place.channel_id,
                ts=self._ts,
                markdown_text=whole[len(self.shown) :],
            )
        except UncertainError:
            self._is_certain = False
            return
        except StreamEndedError:
            self.abandon()
            raise
        self.shown = whole

    async def end(self, text: str, blocks: Sequence[Block], *, session: str | None = None) -> None:
        """Make it exactly this text with these blocks: by the stream's stop, else by an edit."""
        if self._is_open and await self._stop(text, blocks, session):
            return
        await self._posts.edit(self._ts, text, [markdown_block(text), *blocks])

    async def _stop(self, text: str, blocks: Sequence[Block], session: str | None) -> bool:
        """Whether the message is now exactly this."""
        api = self._workspace.api
        if api.pace.bucket("chat.stopStream").wait_s() > LONG_WAIT_S:
            await self._show_before_stop(text)
        if not self._is_open:
            return False
        is_exact = self._is_certain and text.startswith(self.shown)
        try:
            await api.call(
                "chat.stopStream",
                channel=self._posts.place.channel_id,
                ts=self._ts,
                markdown_text=text[len(self.shown) :] or None if is_exact else None,
                blocks=list(blocks) or None,
                metadata=self._posts.metadata(self._number),
                session_status=session,
            )
        except (StreamEndedError, UncertainError):
            is_exact = False
        self.abandon()
        return is_exact

    async def _show_before_stop(self, text: str) -> None:
        if not (self._is_certain and text.startswith(self.shown)):
            return
        try:
            await self.grow(text)
        except StreamEndedError:
            logger.info("slack has ended a stream", extra={"ts": self._ts})

    def abandon(self) -> None:
        """It is not a stream any more, as far as we are concerned."""
        if self._is_open:
            self._workspace.api.pace.open_streams -= 1
        self._is_open = False


class EditedMessage:
    """A post that is edited; for workspaces without native streams."""

    may_grow = True

    def __init__(self, posts: TurnPosts, workspace: Workspace, number: int) -> None:
        self._posts = posts
        self._workspace = workspace
        self._number = number
        self._stop_button = buttons(posts.turn_id, (Action.STOP,))
        self._ts = ""
        self._is_open = False
        self.shown = ""

    async def start(self, text: str) -> None:
        """Post the first words, with a Stop button."""
        self._is_open = True
        self._workspace.edited += 1
        below = [markdown_block(text), *self._stop_button]
        self._ts = await self._posts.post(self._number, text, below)
        self.shown = text

    async def grow(self, text: str, *, is_paid: bool = False) -> None:
        """Edit the message to the text so far."""
        if text != self.shown:
            below = [markdown_block(text), *self._stop_button]
            await self._posts.edit(self._ts, text, below, is_paid=is_paid)
            self.shown = text

    async def end(self, text: str, blocks: Sequence[Block], *, session: str | None = None) -> None:
        """The last edit: exact, without the Stop button."""
        await self._posts.edit(self._ts, text, [markdown_block(text), *blocks])
        self.abandon()

    def abandon(self) -> None:
        """Nothing more is shown in it."""
        if self._is_open:
            self._workspace.edited -= 1
        self._is_open = False
