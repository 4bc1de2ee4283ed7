"""The terminal's three streams, as they are: without text, without UTF-8, without a reader."""

from __future__ import annotations

import io
import os
import sys

from bot.errors import PromptError
from bot.legible import decoded


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
