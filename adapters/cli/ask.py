"""`parley ask` and `parley chat`: prompts typed at a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from adapters.cli.console import ConsoleDelivery, ConsoleSink
from adapters.cli.program import Program, Terminal
from adapters.cli.prompting import read_prompts
from bot.attachments import MOST_FILES
from bot.errors import PromptError
from bot.messages import Attachment, ConversationKey, IncomingMessage
from bot.money import format_usd
from bot.strategies.steps import to_steps
from bot.turns import Turn

_YOU = "you"
_HINT = (
    "Ask anything. Tags: @fast @cheap @heavy @auto. Commands: /help. "
    "Ctrl-C stops an answer, Ctrl-D or `exit` ends.\n"
)


async def read_files(paths: tuple[Path, ...], piped: bytes = b"") -> tuple[Attachment, ...]:
    """The files at these paths, and what was piped in as one more.

    Raises PromptError for one that can't be read, before any call.
    """
    is_piped = bool(piped.strip())
    if not paths and not is_piped:
        return ()
    if len(paths) + is_piped > MOST_FILES:
        raise PromptError(f"At most {MOST_FILES} files can come with one prompt.")
    from adapters.files import read_bytes, read_path  # takes a while; most prompts have no file

    own = [await read_bytes("standard input", piped)] if is_piped else []
    return (*own, *[await read_path(path) for path in paths])


def to_incoming(
    text: str,
    conversation_id: str,
    terminal: Terminal,
    attachments: tuple[Attachment, ...] = (),
) -> IncomingMessage:
    """What was typed, as the core takes it."""
    return IncomingMessage(
        key=ConversationKey(
            platform="terminal",
            workspace_id="local",
            channel_id="terminal",
            thread_id=conversation_id,
        ),
        message_id=uuid.uuid4().hex,
        author_id=_YOU,
        workspace_name="terminal",
        channel_name="terminal",
        author_name=_YOU,
        text=text,
        sent_at=terminal.parts.clock.now(),
        attachments=attachments,
        is_admin=True,
    )


async def ask(
    program: Program,
    text: str,
    files: tuple[Path, ...] = (),
    *,
    piped: bytes = b"",
    as_json: bool,
) -> int:
    """Answer one prompt, with files and what was piped in; returns the exit code.

    Raises PromptError for a file.
    """
    delivery = ConsoleDelivery(is_quiet=as_json)
    attachments = await read_files(files, piped)
    async with program.open_terminal(program.settings(), delivery) as terminal:
        await _answer(terminal, delivery, text, uuid.uuid4().hex, attachments)
        steps = await _steps(terminal, delivery.last)
    if as_json and delivery.last:
        record = to_record(delivery.last) | steps
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    return 0 if delivery.last and delivery.last.reply else 1


async def chat(program: Program) -> int:
    """A conversation until the end of the input."""
    delivery = ConsoleDelivery()
    conversation_id = uuid.uuid4().hex
    async with program.open_terminal(program.settings(), delivery) as terminal:
        sys.stderr.write(_HINT)
        async for text in read_prompts():
            await _answer(terminal, delivery, text, conversation_id)
    return 0


def to_record(sink: ConsoleSink) -> dict[str, object]:
    """An answer for scripts; its cost as people read it, and exactly: null when unpriced."""
    reply, footer = sink.reply, sink.reply.footer if sink.reply else None
    return {
        "turn_id": sink.turn.turn_id,
        "answer": reply.text if reply else None,
        "notice": sink.notice.text if sink.notice else None,
        "notes": list(reply.notes) if reply else [],
        "tier": footer.tier.label if footer else None,
        "model": footer.model if footer else None,
        "tokens": footer.tokens if footer else None,
        "cost_nanousd": footer.cost if footer else None,
        "cost": format_usd(footer.cost) if footer else None,
        "latency_s": round(footer.latency_s, 3) if footer else None,
    }


async def _steps(terminal: Terminal, sink: ConsoleSink | None) -> dict[str, object]:
    """The plan of a debate or an ensemble and what each of its models said, for scripts."""
    turn = await terminal.parts.store.turn(sink.turn.turn_id) if sink else None
    if turn is None or "strategy" not in turn.decision:
        return {}
    plan, *steps = to_steps(turn, await terminal.parts.store.entries(turn.turn_id))
    return {
        "plan": plan.reply.text if plan.reply else None,
        "steps": [
            {
                "name": step.name,
                "label": step.label,
                "text": step.reply.text if step.reply else None,
                "notice": step.notice or None,
                "cost_nanousd": (
                    step.reply.footer.cost if step.reply and step.reply.footer else None
                ),
            }
            for step in steps
        ],
    }


async def _answer(
    terminal: Terminal,
    delivery: ConsoleDelivery,
    text: str,
    conversation_id: str,
    attachments: tuple[Attachment, ...] = (),
) -> None:
    incoming = to_incoming(text, conversation_id, terminal, attachments)
    turn = await terminal.parts.inbox.accept(incoming)
    if turn is None:
        return
    with _interrupt_stops(terminal, turn) as stop:
        delivery.on_gone = stop
        await terminal.queue.join()


@contextlib.contextmanager
def _interrupt_stops(terminal: Terminal, turn: Turn) -> Iterator[Callable[[], None]]:
    """While an answer runs, Ctrl-C stops it; what came so far is kept and billed."""
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[bool]] = set()

    def stop() -> None:
        stopping.add(loop.create_task(terminal.parts.inbox.stop(turn.turn_id)))

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
