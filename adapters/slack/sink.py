"""Takes one reply to a Slack thread: signs of life, previews, then exactly the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.replies import split
from adapters.slack.errors import PlaceError
from adapters.slack.formatting import (
    PART_CHARACTERS,
    Block,
    buttons,
    fence_end,
    markdown_block,
    open_fence,
    plain,
    small_print,
    without_pings,
)
from adapters.slack.posts import TurnPosts
from adapters.slack.preview import Preview
from adapters.slack.signs import NoSigns, Signs
from adapters.slack.workspaces import Workspace
from bot.errors import DeliveryError
from bot.replies import Notice, Reply
from bot.settings import Settings

BRIEF = 700
"""How much of a brief message is shown."""
logger = logging.getLogger(__name__)


class SlackSink:
    """One turn's answer."""

    def __init__(
        self,
        turn_id: str,
        *,
        posts: TurnPosts,
        workspace: Workspace,
        settings: Settings,
        signs: Signs,
        preview: Preview,
    ) -> None:
        self._turn_id = turn_id
        self._posts = posts
        self._workspace = workspace
        self._settings = settings
        self._signs = signs
        self._preview = preview
        self._earlier: Sequence[str] = ()
        self._on_close: Callable[[], None] = lambda: None
        self._branches: list[SlackBranch] = []
        self._is_resumed = False

    def begin(self, earlier: Sequence[str], *, is_resumed: bool = False) -> None:
        """Show a sign of life. After a crash there are no previews: the end is written over
        the messages that are there."""
        self._earlier = earlier
        self._is_resumed = self._is_resumed or is_resumed
        self._signs.begin()
        if not earlier:
            self._preview.begin(self._turn_id)

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call this once the sink is done with."""
        self._on_close = callback

    def status(self, text: str) -> None:
        """Show what is going on, beside the app's name."""
        if not self._preview.text:
            is_model = " · " in text
            self._signs.status(f"is asking {text}…" if is_model else f"listens: {text}…")

    def append(self, text: str) -> None:
        """Take more of the answer."""
        self._preview.append(text)

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> SlackBranch:
        """A further message of the turn, in the same thread."""
        posts = self._posts.of_branch(name)
        branch = SlackBranch(
            self._turn_id,
            posts=posts,
            workspace=self._workspace,
            settings=self._settings,
            signs=NoSigns(self._workspace, self._posts.place, ""),
            preview=self._preview.of_branch(posts),
        )
        branch.start(label, is_brief=is_brief, is_resumed=self._is_resumed)
        self._branches.append(branch)
        return branch

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer exactly."""
        footer = reply.footer.line(self._settings.footer) if reply.footer else ""
        blocks = [
            *small_print([*reply.notes, footer]),
            *buttons(self._turn_id, reply.actions),
        ]
        await self._conclude(reply.text, blocks)
        if reply.card is not None:
            await self._posts.show(reply.card)

    async def fail(self, notice: Notice) -> None:
        """Show a notice in place of an answer."""
        await self._conclude(notice.text, buttons(self._turn_id, notice.actions))

    async def close(self) -> None:
        """End the previews; what was posted stays as it is."""
        for branch in self._branches:
            await branch.close()
        await self._preview.close()
        await self._signs.close()
        self._on_close()

    async def _conclude(self, text: str, blocks: list[Block]) -> None:
        try:
            await self._preview.end()
            await self._signs.hush()
            await self._show_all(text, blocks)
        except PlaceError as error:
            await self._tell_directly(text, error)
            raise
        finally:
            await self.close()
        await self._tidy()

    async def _show_all(self, text: str, blocks: list[Block]) -> None:
        if self._earlier:
            await self._rewrite(self._earlier, text, blocks)
        elif text.startswith(self._preview.text):
            self._preview.text = text
            await self._show_rest(blocks)
        else:
            await self._rewrite(await self._posts.known(), text, blocks)

    async def _show_rest(self, blocks: list[Block]) -> None:
        """End the message that grows with what fits into it, post the others."""
        message, number = self._preview.message, self._preview.number
        pieces = _pieces(self._preview.rest(), message.shown if message else "")
        pieces[-1] += fence_end(open_fence(pieces[-1]))
        room = max(1, self._settings.max_parts - number + 1)
        has_file = len(pieces) > room
        for index, piece in enumerate(pieces[:room]):
            below = blocks if index == min(len(pieces), room) - 1 and not has_file else []
            if message is not None and index == 0:
                session = "active" if self._signs.has_session and below else None
                await message.end(piece, below, session=session)
            else:
                await self._posts.post(number + index, piece, [*_body(piece), *below])
        if has_file:
            await self._post_file("\n".join(pieces[room:]), number + room, blocks)

    async def _post_file(self, rest: str, number: int, blocks: list[Block]) -> None:
        """What is past `max_parts` comes as a file, with the buttons below it."""
        await self._workspace.api.upload(
            channel=self._posts.place.channel_id,
            thread_ts=self._posts.place.thread_ts,
            name="answer.md",
            content=rest.encode(),
            comment="The rest of the answer is in this file.",
        )
        above = "The answer goes on in the file above."
        await self._posts.post(number, above, [*_body(above), *blocks])

    async def _rewrite(self, posted: Sequence[str], text: str, blocks: list[Block]) -> None:
        """Make the messages that are there, and more if need be, exactly this answer."""
        for ts in posted:
            await self._posts.end_stream(ts)
        pieces = _pieces(without_pings(text), "")
        for index, piece in enumerate(pieces):
            content = [*_body(piece), *(blocks if index == len(pieces) - 1 else [])]
            if index < len(posted):
                await self._posts.edit(posted[index], piece, content)
            else:
                await self._posts.post(index + 1, piece, content)
        for ts in posted[len(pieces) :]:
            await self._posts.remove(ts)

    async def _tidy(self) -> None:
        """The answer stands: whatever stands beside it by mistake goes."""
        try:
            await self._posts.remove_lost()
        except DeliveryError as error:
            facts = {"turn_id": self._turn_id, "error": str(error)}
            logger.warning("a lost message could not be removed", extra=facts)

    async def _tell_directly(self, text: str, error: PlaceError) -> None:
        """The thread can't be written to: the answer goes to the person, with the reason."""
        if self._posts.place.is_direct:
            return
        try:
            for piece in [str(error), *split(without_pings(text), PART_CHARACTERS)]:
                await self._workspace.api.call(
                    "chat.postMessage",
                    channel=self._posts.place.user_id,
                    text=plain(piece),
                    blocks=_body(piece),
                )
        except DeliveryError:
            logger.warning("the person could not be told", extra={"turn_id": self._turn_id})


class SlackBranch(SlackSink):
    """A further message of a turn, under a label."""

    _head = ""
    _is_brief = False

    def start(self, label: str, *, is_brief: bool, is_resumed: bool) -> None:
        """Begin under this label; after a crash, what was posted is looked for at the end."""
        self._head = f"**{label}**\n\n"
        self._is_brief = is_brief
        self._is_resumed = is_resumed
        self._preview.text = self._head
        if not is_resumed:
            self._preview.begin(self._turn_id)

    def append(self, text: str) -> None:
        """Take more; of a brief message only the beginning is shown."""
        room = len(self._head) + BRIEF - len(self._preview.text)
        more = text[: max(0, room)] if self._is_brief else text
        if more:
            super().append(more)

    async def finish(self, reply: Reply) -> None:
        """Show it; the whole of a long brief one comes as a file below it."""
        is_cut = self._is_brief and len(reply.text) > BRIEF
        shown = f"{reply.text[:BRIEF]}…" if is_cut else reply.text
        await super().finish(replace(reply, text=f"{self._head}{shown}"))
        if is_cut and not self._is_resumed:
            await self._workspace.api.upload(
                channel=self._posts.place.channel_id,
                thread_ts=self._posts.place.thread_ts,
                name="answer.md",
                content=reply.text.encode(),
                comment=f"The whole of it: {self._head.strip()}",
            )

    async def fail(self, notice: Notice) -> None:
        """Say under the label what happened."""
        await super().fail(replace(notice, text=f"{self._head}{notice.text}"))

    async def _show_all(self, text: str, blocks: list[Block]) -> None:
        if self._is_resumed:
            self._earlier = await self._posts.known()
        await super()._show_all(text, blocks)

    async def _tidy(self) -> None:
        """The answer itself does it, in the end."""

    async def _tell_directly(self, text: str, error: PlaceError) -> None:
        """The answer itself tells it, once."""


def _pieces(rest: str, shown: str) -> list[str]:
    """The messages that the rest becomes; the first one begins with what is shown of it."""
    pieces = split(rest, PART_CHARACTERS) or [" "]
    if pieces[0].startswith(shown):
        return pieces
    opener = open_fence(shown)
    reopened = f"{opener}\n" if opener else ""
    tail = split(reopened + rest[len(shown) :], PART_CHARACTERS)
    return [shown + fence_end(opener), *tail]


def _body(text: str) -> list[Block]:
    return [markdown_block(text)] if text.strip() else []
