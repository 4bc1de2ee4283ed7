"""Reads the files that people send: images, text, code and PDF, within limits, from known hosts."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import aiohttp

from adapters.pdf import PdfError, pdf_text
from bot.attachments import (
    LIMITS_BYTES,
    Kind,
    kind_of,
    refusal,
    to_refused,
    with_picture,
    with_refusals,
    with_words,
)
from bot.errors import PromptError
from bot.image_headers import read_picture
from bot.legible import to_legible
from bot.messages import Attachment

logger = logging.getLogger(__name__)

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
READ_S = 20.0


class _NotHandedOverError(Exception):
    """A host that did not give the file as announced."""


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
        return tuple(await asyncio.gather(*(self._read(file) for file in with_refusals(files))))

    async def _read(self, file: Attachment) -> Attachment:
        if file.problem:
            return file
        if not self._is_own(file.url):
            return to_refused(file, "it is kept somewhere else")
        try:
            async with asyncio.timeout(READ_S):
                content = await self._fetch(file)
        except (aiohttp.ClientError, TimeoutError, _NotHandedOverError) as error:
            logger.info("a file could not be read", extra={"error": type(error).__name__})
            return to_refused(file, "it was not handed over, or is damaged")
        return await with_content(file, content)

    async def _fetch(self, file: Attachment) -> bytes:
        limit = LIMITS_BYTES[kind_of(file) or Kind.TEXT]
        async with self._session.get(
            file.url, headers=self._headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise _NotHandedOverError(f"status {response.status}")
            if response.content_type == "text/html" != file.media_type:
                raise _NotHandedOverError("a page, such as a request to log in")
            content = bytearray()
            async for piece in response.content.iter_chunked(65_536):
                content += piece
                if len(content) > limit:
                    raise _NotHandedOverError("larger than announced")
        return bytes(content)


async def with_content(file: Attachment, content: bytes) -> Attachment:
    """The file with what is in it: the bytes of an image, else its words; or refused."""
    kind = kind_of(file)
    if kind is None or len(content) > LIMITS_BYTES[kind]:
        return to_refused(file, refusal(file) or "it is larger than announced")
    if kind is Kind.IMAGE:
        return with_picture(file, content)
    if kind is Kind.TEXT:
        return with_words(file, content)
    try:
        return with_words(file, to_legible(await pdf_text(content)).encode())
    except PdfError as error:
        return to_refused(file, str(error))


async def read_path(path: Path) -> Attachment:
    """A file of this computer; raises PromptError when it is not there or can't be read."""
    file, content = await asyncio.to_thread(_opened, path)
    read = await with_content(file, content)
    if read.problem:
        raise PromptError(f"{path} can't be read: {read.problem}.")
    return read


async def read_bytes(name: str, content: bytes) -> Attachment:
    """What came without a name of its own; its kind shows in it. Raises as `read_path` does."""
    file = Attachment(name=name, media_type=_seen_in(content), size_bytes=len(content))
    read = await with_content(file, content)
    if read.problem:
        raise PromptError(f"{name.capitalize()} can't be read: {read.problem}.")
    return read


def _seen_in(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    picture = read_picture(content)
    return "text/plain" if picture is None else picture.media_type


def _opened(path: Path) -> tuple[Attachment, bytes]:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        size = path.stat().st_size
        file = Attachment(name=path.name, media_type=media_type, size_bytes=size)
        if path.is_file() and (reason := refusal(file)):
            raise PromptError(f"{path} can't be read: {reason}.")
        return file, path.read_bytes()
    except OSError as error:
        raise PromptError(f"{path} can't be read: {error.strerror}.") from error
