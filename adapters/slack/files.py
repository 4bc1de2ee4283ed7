"""Reads the files that people send, with the bot's token and within limits, from Slack alone."""

from __future__ import annotations

import asyncio
import io
import logging
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from bot.messages import Attachment

logger = logging.getLogger(__name__)

IMAGE_BYTES = 5_000_000
TEXT_BYTES = 1_000_000
PDF_BYTES = 10_000_000
TEXT_CHARACTERS = 100_000
MOST_FILES = 5
READ_S = 20.0
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/sql",
        "application/toml",
        "application/x-sh",
        "application/xml",
        "application/yaml",
    }
)


class SlackFiles:
    """Fetches files from Slack's own hosts."""

    def __init__(self, session: aiohttp.ClientSession, api_base: str) -> None:
        self._session = session
        self._own_host = urlsplit(api_base).hostname or ""

    async def read(self, files: tuple[Attachment, ...], token: str) -> tuple[Attachment, ...]:
        """The same files with their content; what can't be read says so in its text."""
        kept = files[:MOST_FILES]
        read = await asyncio.gather(*(self._read(file, token) for file in kept))
        refused = (_refused(file, f"more than {MOST_FILES} files") for file in files[MOST_FILES:])
        return (*read, *refused)

    async def _read(self, file: Attachment, token: str) -> Attachment:
        limit = _limit(file)
        if limit == 0:
            return _refused(file, f"{file.media_type} is not a kind I can read")
        if file.size_bytes > limit:
            return _refused(file, f"it is larger than {limit // 1_000_000} MB")
        if not self._is_slacks(file.url):
            return _refused(file, "it is not kept at Slack")
        try:
            async with asyncio.timeout(READ_S):
                content = await self._fetch(file.url, token, limit, is_html=_is_html(file))
            return await asyncio.to_thread(_with_content, file, content)
        except (aiohttp.ClientError, TimeoutError, ValueError, PyPdfError) as error:
            logger.info("a file could not be read", extra={"error": str(error)})
            return _refused(file, "Slack did not hand it over, or it is damaged")

    async def _fetch(self, url: str, token: str, limit: int, *, is_html: bool) -> bytes:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            if response.content_type == "text/html" and not is_html:
                raise ValueError("a login page: the app lacks files:read")
            content = await response.content.read(limit + 1)
            while len(content) <= limit and (more := await response.content.read(limit)):
                content += more
        if len(content) > limit:
            raise ValueError("larger than announced")
        return content

    def _is_slacks(self, url: str) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host == self._own_host:
            return True
        return parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))


def _limit(file: Attachment) -> int:
    if file.media_type in IMAGES:
        return IMAGE_BYTES
    if file.media_type == "application/pdf":
        return PDF_BYTES
    return TEXT_BYTES if _is_text(file) else 0


def _is_text(file: Attachment) -> bool:
    return file.media_type.startswith("text/") or file.media_type in _TEXTS


def _is_html(file: Attachment) -> bool:
    return file.media_type == "text/html"


def _with_content(file: Attachment, content: bytes) -> Attachment:
    if file.media_type in IMAGES:
        return replace(file, data=content)
    text = _pdf_text(content) if file.media_type == "application/pdf" else _decoded(content)
    if len(text) > TEXT_CHARACTERS:
        text = f"{text[:TEXT_CHARACTERS]}\n(The rest of this file was left out.)"
    return replace(file, text=text)


def _pdf_text(content: bytes) -> str:
    pages, size = [], 0
    for page in PdfReader(io.BytesIO(content)).pages:
        pages.append(page.extract_text())
        size += len(pages[-1])
        if size > TEXT_CHARACTERS:
            break
    return "\n".join(pages)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _refused(file: Attachment, reason: str) -> Attachment:
    """A file that was not read: the model is told so, and can say it."""
    text = f"(This file could not be read: {reason}.)"
    return replace(file, media_type="text/plain", text=text)
