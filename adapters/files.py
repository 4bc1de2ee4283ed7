"""Reads the files that people send: images, text, code and PDF, within limits, from known hosts."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

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
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
READ_S = 20.0
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF = "application/pdf"
_TEXT_TYPES = ("json", "javascript", "xml", "yaml", "toml", "sql", "x-sh", "x-httpd-php")
_TEXT_NAMES = (
    ".c",
    ".cc",
    ".cfg",
    ".conf",
    ".cpp",
    ".cs",
    ".css",
    ".csv",
    ".go",
    ".h",
    ".hpp",
    ".html",
    ".ini",
    ".java",
    ".js",
    ".json",
    ".jsx",
    ".kt",
    ".log",
    ".lua",
    ".md",
    ".php",
    ".pl",
    ".py",
    ".rb",
    ".rs",
    ".rst",
    ".scala",
    ".sh",
    ".sql",
    ".swift",
    ".tex",
    ".toml",
    ".ts",
    ".tsx",
    ".txt",
    ".xml",
    ".yaml",
    ".yml",
    ".zig",
)


class FileReader:
    """Fetches files from the hosts of one platform, never following a redirect."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        is_own: Callable[[str], bool],
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        """`is_own` says whether an address belongs to the platform; no other is asked.

        `headers` may carry a token, which only those addresses see.
        """
        self._session = session
        self._is_own = is_own
        self._headers = headers

    async def read(self, files: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
        """The same files with their content; what can't be read says so in its text."""
        read = await asyncio.gather(*(self._read(file) for file in files[:MOST_FILES]))
        left = (to_refused(file, f"more than {MOST_FILES} files") for file in files[MOST_FILES:])
        return (*read, *left)

    async def _read(self, file: Attachment) -> Attachment:
        limit = limit_bytes(file)
        if limit == 0:
            return to_refused(file, f"{file.media_type} is not a kind I can read")
        if file.size_bytes > limit:
            return to_refused(file, f"it is larger than {limit // 1_000_000} MB")
        if not self._is_own(file.url):
            return to_refused(file, "it is kept somewhere else")
        try:
            async with asyncio.timeout(READ_S):
                content = await self._fetch(file, limit)
            return await asyncio.to_thread(with_content, file, content)
        except (aiohttp.ClientError, TimeoutError, ValueError, PyPdfError) as error:
            logger.info("a file could not be read", extra={"error": type(error).__name__})
            return to_refused(file, "it was not handed over, or is damaged")

    async def _fetch(self, file: Attachment, limit: int) -> bytes:
        async with self._session.get(
            file.url, headers=self._headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            if response.content_type == "text/html" != file.media_type:
                raise ValueError("a page, such as a request to log in")
            content = bytearray()
            async for piece in response.content.iter_chunked(65_536):
                content += piece
                if len(content) > limit:
                    raise ValueError("larger than announced")
        return bytes(content)


def limit_bytes(file: Attachment) -> int:
    """How large a file of this kind may be; 0 for a kind that is not read."""
    if file.media_type in IMAGES:
        return IMAGE_BYTES
    if file.media_type == PDF:
        return PDF_BYTES
    return TEXT_BYTES if _is_text(file) else 0


def with_content(file: Attachment, content: bytes) -> Attachment:
    """The file with what is in it: the bytes of an image, else its words."""
    if file.media_type in IMAGES:
        return replace(file, data=content)
    text = _pdf_text(content) if file.media_type == PDF else _decoded(content)
    if len(text) > TEXT_CHARACTERS:
        text = f"{text[:TEXT_CHARACTERS]}\n(The rest of this file was left out.)"
    return replace(file, text=text)


def to_refused(file: Attachment, reason: str) -> Attachment:
    """A file that was not read: the model is told so, and can say it."""
    text = f"(This file could not be read: {reason}.)"
    return replace(file, media_type="text/plain", text=text)


def _is_text(file: Attachment) -> bool:
    kind = file.media_type.partition("/")[2]
    is_named = file.name.lower().endswith(_TEXT_NAMES)
    return file.media_type.startswith("text/") or kind.endswith(_TEXT_TYPES) or is_named


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
