"""The terminal's three streams, as they are: without text, without UTF-8, without a reader."""

from __future__ import annotations

import io
import os
import select
import sys

from bot.attachments import LIMITS_BYTES
from bot.errors import PromptError
from bot.legible import decoded

PIPE_WAIT_S = 2.0
"""How long a pipe may stay silent before it is taken for one that nobody writes to."""
_SILENT = (
    "Nothing came on standard input, so only the prompt is asked. "
    "Pipe it in sooner, or put < /dev/null behind the command.\n"
)


def read_piped() -> bytes:
    """What is piped or redirected to a command; nothing from a terminal, or an idle pipe.

    Nothing more is read than a file may have.
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return b""
    try:
        is_ready = bool(select.select([sys.stdin], [], [], PIPE_WAIT_S)[0])
    except (OSError, ValueError):  # a stream without a descriptor, or with a closed one
        return b""
    if not is_ready:
        sys.stderr.write(_SILENT)
        return b""
    return sys.stdin.buffer.read(max(LIMITS_BYTES.values()) + 1)


def read_input() -> str:
    """All of standard input; raises PromptError when it is no text."""
    text = decoded(sys.stdin.buffer.read())
    if text is None:
        raise PromptError("Standard input holds no text. Give a picture or a PDF with --file.")
    return text


def take_any_text() -> None:
    """Replace what a stream's encoding does not know, instead of failing at it."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a test's may be none
            stream.reconfigure(errors="replace")


def give_up_output() -> None:
    """Write no more to whoever has read enough, as `head` does; Python would complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
