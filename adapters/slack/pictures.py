"""Pictures on Slack: drawn, brought there, shared in a channel or a thread."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

import aiohttp

from adapters.charts import to_png, to_svg
from adapters.slack.errors import UncertainError
from adapters.slack.workspaces import Workspace
from bot.pictures import Card

NAME = "spend.png"
MOST_ALT = 1_000


async def share(workspace: Workspace, card: Card, *, channel: str, thread_ts: str = "") -> None:
    """Share a picture, described for who cannot see it. Doing it twice shows it twice."""
    file_id = await send(workspace, card)
    await workspace.api.call(
        "files.completeUploadExternal",
        files=json.dumps([{"id": file_id, "title": card.title}]),
        channel_id=channel,
        thread_ts=thread_ts or None,
    )


async def send(workspace: Workspace, card: Card) -> str:
    """Bring a picture to Slack and return its id; nobody sees it yet."""
    content = await asyncio.to_thread(lambda: to_png(to_svg(card)))
    place = await workspace.api.call(
        "files.getUploadURLExternal",
        filename=NAME,
        length=len(content),
        alt_txt=card.alt[:MOST_ALT],
    )
    try:
        async with workspace.api.session.post(place["upload_url"], data=content) as response:
            if response.status != HTTPStatus.OK:
                raise UncertainError("Slack did not take the picture.")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UncertainError("Slack did not take the picture.") from error
    return str(place["file_id"])
