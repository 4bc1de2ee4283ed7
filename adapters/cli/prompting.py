"""Reads what a person types: a line editor with history on a screen, plain lines from a pipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

_CARET = "› "
_ENDS = frozenset({"exit", "quit", "/exit", "/quit"})


async def read_prompts() -> AsyncIterator[str]:
    """Each prompt, until the end of the input (Ctrl-D on a screen) or the word `exit`."""
    lines = _edited() if sys.stdin.isatty() and sys.stderr.isatty() else _piped()
    async for line in lines:
        if line.strip().lower() in _ENDS:
            return
        if line.strip():
            yield line


async def _edited() -> AsyncIterator[str]:
    from prompt_toolkit import PromptSession  # a fifth of a second: only who talks pays it
    from prompt_toolkit.output import create_output

    session: PromptSession[str] = PromptSession(output=create_output(sys.stderr))
    while True:
        sys.stderr.write("\n")
        try:
            yield await session.prompt_async(_CARET)
        except EOFError:
            return
        except KeyboardInterrupt:
            sys.stderr.write("Ctrl-D or `exit` ends the chat.\n")


async def _piped() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line
