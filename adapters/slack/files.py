"""Files that people send on Slack: fetched with the bot's token, from Slack's hosts alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from adapters.files import FileReader
from bot.messages import Attachment


class SlackFiles:
    """Fetches files for any workspace."""

    def __init__(self, session: aiohttp.ClientSession, api_base: str) -> None:
        self._session = session
        self._own_host = urlsplit(api_base).hostname or ""

    async def read(self, files: tuple[Attachment, ...], token: str) -> tuple[Attachment, ...]:
        """The same files with their content; what can't be read says so in its text."""
        headers = {"Authorization": f"Bearer {token}"}
        return await FileReader(self._session, self._is_slacks, headers).read(files)

    def _is_slacks(self, url: str) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host and host == self._own_host:
            return True
        return parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
