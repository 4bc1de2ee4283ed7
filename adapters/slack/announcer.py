"""Posts in a Slack channel where nobody has asked, at most once."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.slack.errors import SlackRefusalError
from adapters.slack.formatting import Block, markdown_block, plain
from adapters.slack.lost import find_in_channel, to_metadata
from adapters.slack.pictures import send
from adapters.slack.workspaces import Workspace, Workspaces
from bot.errors import DeliveryError
from bot.pictures import Card
from bot.ports import Clock, Post, Posts

if TYPE_CHECKING:
    from adapters.announcing import Announcement

TRIES = 5
RETRY_S = 1.0
MOST_ALT = 2_000
_NOT_YET = "invalid_blocks"
"""What Slack says of a picture that it has not looked at yet."""
logger = logging.getLogger(__name__)


class SlackAnnouncer:
    """Announces in every workspace that the app is installed in."""

    def __init__(
        self, workspaces: Workspaces, store: Posts, clock: Clock, retry_s: float = RETRY_S
    ) -> None:
        self._workspaces = workspaces
        self._store = store
        self._clock = clock
        self._retry_s = retry_s

    async def announce(self, announcement: Announcement) -> None:
        """Post a text and its picture; raises DeliveryError in words."""
        workspace = await self._find(announcement.workspace_id)
        channel = announcement.channel_id
        intent = Post(
            post_id=announcement.post_id,
            turn_id=announcement.post_id.rpartition(":")[0],
            created_at=self._clock.now(),
            channel_id=channel,
        )
        known = await self._store.sending(intent)
        if known.platform_id:
            return
        ts = (
            ""
            if known == intent
            else await find_in_channel(workspace, channel, known.post_id, known.created_at)
        )
        ts = ts or await self._post(workspace, announcement)
        await self._store.sent(replace(known, platform_id=f"{channel}:{ts}"))

    async def tell(self, workspace_id: str, user_id: str, text: str) -> None:
        """Write to one person directly; raises DeliveryError in words."""
        workspace = await self._find(workspace_id)
        blocks = [markdown_block(text)]
        await workspace.api.call(
            "chat.postMessage", channel=user_id, text=plain(text), blocks=blocks
        )

    async def _find(self, workspace_id: str) -> Workspace:
        workspace = await self._workspaces.find(workspace_id)
        if workspace is None:
            raise DeliveryError("Parley is no longer installed in that workspace.")
        return workspace

    async def _post(self, workspace: Workspace, announcement: Announcement) -> str:
        text = announcement.text
        words = [markdown_block(text)]
        picture = await _picture(workspace, announcement.card)
        for attempt in range(TRIES):
            try:
                return await _send(workspace, announcement, [*words, *picture])
            except SlackRefusalError as error:
                if error.code != _NOT_YET or not picture:
                    raise
                if attempt == TRIES - 2:  # the figures matter more than their picture
                    logger.warning("slack did not take a picture", extra={"code": error.code})
                    picture = []
            await asyncio.sleep(self._retry_s)
        raise AssertionError("unreachable")


async def _picture(workspace: Workspace, card: Card | None) -> list[Block]:
    """The picture as a block; none without one, or when Slack does not take it."""
    if card is None:
        return []
    try:
        file_id = await send(workspace, card)
        await workspace.api.call(
            "files.completeUploadExternal",
            files=json.dumps([{"id": file_id, "title": card.title}]),
        )
    except DeliveryError:
        logger.warning("slack did not take a picture", exc_info=True)
        return []
    alt = card.alt[:MOST_ALT]
    return [{"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}]


async def _send(workspace: Workspace, announcement: Announcement, blocks: list[Block]) -> str:
    answer = await workspace.api.call(
        "chat.postMessage",
        channel=announcement.channel_id,
        text=plain(announcement.text),
        blocks=blocks,
        metadata=to_metadata(announcement.post_id),
        unfurl_links=False,
        unfurl_media=False,
    )
    return str(answer["ts"])
