"""Answers a slash command to the one person who wrote it, by the address Slack gave for it."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from adapters.replies import split
from adapters.slack.errors import UncertainError
from adapters.slack.formatting import markdown_block, plain, small_print, without_pings
from bot.replies import Notice, Reply

PRIVATE_CHARACTERS = 11_000
MOST_PARTS = 4
"""Slack takes five answers to a command, within half an hour."""
CUT_NOTE = (
    "It goes on, but Slack takes no more here. Mention me with the same command for all of it."
)


class PrivateSink:
    """One answer that nobody else sees; there is nothing to preview."""

    def __init__(self, session: aiohttp.ClientSession, response_url: str) -> None:
        self._session = session
        self._response_url = response_url

    def status(self, text: str) -> None:
        """Commands are quick."""

    def append(self, text: str) -> None:
        """It comes whole."""

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> PrivateSink:
        """Further messages go to the same person."""
        return self

    async def finish(self, reply: Reply) -> None:
        """Send it; a second time after a crash is harmless, since only one person sees it."""
        parts = split(without_pings(reply.text), PRIVATE_CHARACTERS)
        notes = (CUT_NOTE, *reply.notes) if len(parts) > MOST_PARTS else reply.notes
        parts = parts[:MOST_PARTS]
        for part in parts:
            below = small_print(notes) if part is parts[-1] else []
            await self._send({"text": plain(part), "blocks": [markdown_block(part), *below]})

    async def fail(self, notice: Notice) -> None:
        """Send a notice."""
        await self._send({"text": plain(notice.text), "blocks": [markdown_block(notice.text)]})

    async def close(self) -> None:
        """There is nothing to end."""

    async def _send(self, body: Mapping[str, object]) -> None:
        message = {"response_type": "ephemeral", "replace_original": False, **body}
        try:
            async with self._session.post(self._response_url, json=message) as response:
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UncertainError("Slack did not take the answer to a command.") from error
