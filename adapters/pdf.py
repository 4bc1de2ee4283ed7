"""Reads the words of a PDF in a process of its own, under limits on time, memory and pages.

A PDF is a program for whoever reads it; nothing that one does can stop or fill this process.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE

from bot.attachments import TEXT_CHARACTERS

MOST_PAGES = 200
MOST_S = 20
MOST_MEMORY_BYTES = 1_000_000_000
AT_ONCE = 2
_turns = asyncio.Semaphore(AT_ONCE)


class PdfError(Exception):
    """A PDF that could not be read; the message says why."""


async def pdf_text(content: bytes) -> str:
    """The words of a PDF, with a line on what was left out; raises PdfError in words."""
    if not content[:1_024].lstrip().startswith(b"%PDF-"):
        raise PdfError("it says that it is a PDF, and is none")
    async with _turns:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapters.pdf",
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(MOST_S):
                out, _ = await process.communicate(content)
        except TimeoutError as error:
            raise PdfError(f"its pages take longer than {MOST_S} seconds to read") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return _to_text(out)


def _to_text(out: bytes) -> str:
    if not out:
        raise PdfError("it is damaged, or far too large once unpacked")
    answer = json.loads(out)
    if answer["problem"]:
        raise PdfError(str(answer["problem"]))
    text, read, pages = str(answer["text"]), int(answer["read"]), int(answer["pages"])
    if not text.strip():
        raise PdfError("it has no text, only pictures of it")
    if read < pages or len(text) > TEXT_CHARACTERS:
        left = f"Of {pages} pages, {read} were read" if read < pages else "It was cut"
        text = f"{text[:TEXT_CHARACTERS]}\n({left}; the rest of this file was left out.)"
    return text


def main() -> None:
    """The child: a PDF on standard input, its words as JSON on standard output."""
    _limit_itself()
    json.dump(read(sys.stdin.buffer.read()), sys.stdout)


def read(content: bytes) -> dict[str, object]:
    """The words of as many pages as are taken, how many pages were read and are there."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    texts: list[str] = []
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return _refused("it is locked with a password")
        pages = len(reader.pages)
        for page in reader.pages[:MOST_PAGES]:
            texts.append(page.extract_text())
            if sum(map(len, texts)) > TEXT_CHARACTERS:
                break
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        return _refused("it is damaged")
    return {"problem": "", "text": "\n".join(texts), "read": len(texts), "pages": pages}


def _refused(problem: str) -> dict[str, object]:
    return {"problem": problem, "text": "", "read": 0, "pages": 0}


def _limit_itself() -> None:
    """Bound memory and processor time, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit of the parent holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_S, MOST_S))


if __name__ == "__main__":
    main()
