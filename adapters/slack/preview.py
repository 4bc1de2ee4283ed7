"""Shows an answer while it is written: in a task of its own, at the pace Slack allows."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from adapters.slack.errors import PlaceError, SlackRefusalError, StreamEndedError
from adapters.slack.formatting import fence_end, open_fence, settled, without_pings
from adapters.slack.posts import TurnPosts
from adapters.slack.stream import EditedMessage, StreamedMessage
from adapters.slack.workspaces import Workspace
from bot.errors import DeliveryError
from bot.ports import Clock

logger = logging.getLogger(__name__)

START = "chat.startStream"
APPEND = "chat.appendStream"
UPDATE = "chat.update"


@dataclass(frozen=True, slots=True)
class PreviewLimits:
    """How previews are paced; the figures are Slack's limits with room to spare."""

    flush_s: float = 1.0
    flush_per_stream_s: float = 0.75
    edit_s: float = 3.0
    edit_per_message_s: float = 1.5
    look_again_s: float = 1.0
    most_streams: int = 15
    reserved_appends: int = 15
    """Of the burst, for answers that end: their last text does not wait for previews."""
    most_edited: int = 8
    reserved_edits: int = 4
    life_s: float = 240.0
    """Slack ends a stream about 306 s after its start."""
    soft_characters: int = 9_000
    """From here on, the next good place begins another message."""
    most_messages: int = 8
    """Previews stop there; what is longer comes as a file at the end."""


class Preview:
    """The messages of one answer so far. Older ones are exact, the last one grows."""

    def __init__(
        self, posts: TurnPosts, workspace: Workspace, clock: Clock, limits: PreviewLimits
    ) -> None:
        self._posts = posts
        self._workspace = workspace
        self._clock = clock
        self._limits = limits
        self._start = 0  # where the growing message begins, in the text without pings
        self._prefix = ""  # reopens a code fence in it
        self._started_s = 0.0
        self._flushed_s = 0.0
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.text = ""
        """What the model has written so far."""
        self.number = 1
        """The message that grows, or comes next."""
        self.message: StreamedMessage | EditedMessage | None = None

    def of_branch(self, posts: TurnPosts) -> Preview:
        """A preview of further messages, at the same pace."""
        return Preview(posts, self._workspace, self._clock, self._limits)

    def begin(self, name: str) -> None:
        """Start showing what is appended."""
        self._task = asyncio.create_task(self._run(), name=f"{name} preview")

    def append(self, text: str) -> None:
        """Take more text; never waits."""
        self.text += text
        self._news.set()

    async def end(self) -> None:
        """No more previews; returns when the last call has its answer."""
        self._ending.set()
        self._news.set()
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Stop at once; what was posted stays as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.message is not None:
            self.message.abandon()

    def rest(self) -> str:
        """What belongs into the growing message and those after it."""
        return self._prefix + without_pings(self.text)[self._start :]

    async def _run(self) -> None:
        try:
            while not self._ending.is_set():
                await self._news.wait()
                self._news.clear()
                if self.text and not self._ending.is_set():
                    await self._show_more()
        except DeliveryError as error:
            logger.info("previews ended", extra={"error": str(error)})

    async def _show_more(self) -> None:
        if self.message is None:
            await self._open()
            return
        await self._pause(self._flushed_s + self._every_s() - self._clock.elapsed_s())
        if self._ending.is_set() or not self.message.may_grow:
            return
        if self._is_full(self.message):
            if self.number < self._limits.most_messages:
                await self._roll_over(self.message)
        elif settled(self.rest()) != self.message.shown and await self._may_spend(self.message):
            await self._grow(self.message)

    async def _open(self) -> None:
        """Show the first words, when there is budget for it; else look again soon."""
        message = self._next_message()
        if message is None:
            await self._pause(self._limits.look_again_s)
            self._news.set()
            return
        try:
            await message.start(self._first(self.rest()))
        except SlackRefusalError as error:
            message.abandon()
            if isinstance(error, PlaceError) or START in self._workspace.off:
                raise
            self._workspace.off.add(START)
            logger.warning("slack refuses streams here", extra={"code": error.code})
            self._news.set()
            return
        self.message = message
        self._started_s = self._flushed_s = self._clock.elapsed_s()
        self._news.set()

    def _next_message(self) -> StreamedMessage | EditedMessage | None:
        workspace, limits = self._workspace, self._limits
        if START in workspace.off:
            if workspace.edited >= limits.most_edited:
                return None
            return EditedMessage(self._posts, workspace, self.number)
        pace = workspace.api.pace
        has_room = pace.open_streams < limits.most_streams
        if has_room and pace.bucket(START).may_take():
            return StreamedMessage(self._posts, workspace, self.number)
        return None

    def _first(self, rest: str) -> str:
        """As much as one message takes, when a model writes a lot at once."""
        if len(rest) < self._limits.soft_characters:
            return rest
        room = rest[: self._limits.soft_characters]
        return room[: room.rfind("\n") + 1] or room

    async def _grow(self, message: StreamedMessage | EditedMessage) -> None:
        try:
            await message.grow(self.rest(), is_paid=True)
        except StreamEndedError as error:
            if error.code == "stopped_by_user":
                return
            await self._after_lost_stream(message)
        self._flushed_s = self._clock.elapsed_s()

    def _is_full(self, message: StreamedMessage | EditedMessage) -> bool:
        age_s = self._clock.elapsed_s() - self._started_s
        if isinstance(message, StreamedMessage) and age_s >= self._limits.life_s:
            return True
        return len(self.rest()) >= self._limits.soft_characters

    async def _roll_over(self, message: StreamedMessage | EditedMessage) -> None:
        """End this message at a good place and go on in the next one."""
        rest, shown = self.rest(), message.shown
        room = rest[len(shown) : self._limits.soft_characters + 1_000]
        cut = max(room.rfind("\n\n"), room.rfind("\n")) + 1 or len(room)
        head = shown + room[:cut]
        opener = open_fence(head)
        await message.end(head + fence_end(opener), [])
        self._go_on(head, opener)

    async def _after_lost_stream(self, message: StreamedMessage | EditedMessage) -> None:
        """Slack has ended the stream: what was confirmed stays, the rest gets a new message."""
        head, opener = message.shown, open_fence(message.shown)
        if opener:
            await message.end(head + fence_end(opener), [])
        self._go_on(head, opener)

    def _go_on(self, head: str, opener: str) -> None:
        self._start += len(head) - len(self._prefix)
        self._prefix = f"{opener}\n" if opener else ""
        self.number += 1
        self.message = None
        self._news.set()

    def _every_s(self) -> float:
        limits, workspace = self._limits, self._workspace
        if isinstance(self.message, EditedMessage):
            return max(limits.edit_s, limits.edit_per_message_s * workspace.edited)
        streams = workspace.api.pace.open_streams
        return max(limits.flush_s, limits.flush_per_stream_s * streams)

    async def _may_spend(self, message: StreamedMessage | EditedMessage) -> bool:
        """Wait until a preview is affordable, and pay; False when the end comes before that."""
        is_stream = isinstance(message, StreamedMessage)
        bucket = self._workspace.api.pace.bucket(APPEND if is_stream else UPDATE)
        reserve = self._limits.reserved_appends if is_stream else self._limits.reserved_edits
        while not self._ending.is_set():
            if bucket.may_take(reserve=reserve):
                return True
            await self._pause(bucket.wait_s(reserve=reserve) + 0.01)
        return False

    async def _pause(self, seconds: float) -> None:
        """Wait this long, or until the end comes."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return
