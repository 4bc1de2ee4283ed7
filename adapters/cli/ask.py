"""`parley ask` and `parley chat`: prompts typed at a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import uuid
from collections.abc import Iterator

from adapters.cli.console import ConsoleDelivery, ConsoleSink
from adapters.cli.program import Program, Terminal
from adapters.cli.prompting import read_prompts
from bot.messages import ConversationKey, IncomingMessage
from bot.money import format_usd
from bot.turns import Turn

_YOU = "you"
_HINT = "Ask anything. Tags: @fast @cheap @heavy @auto. Ctrl-C stops an answer, Ctrl-D ends.\n"


def to_incoming(text: str, conversation_id: str, terminal: Terminal) -> IncomingMessage:
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
        author_name=_YOU,
        text=text,
        sent_at=terminal.parts.clock.now(),
        is_admin=True,
    )


async def ask(program: Program, text: str, *, as_json: bool) -> int:
    """Answer one prompt; returns the exit code."""
    delivery = ConsoleDelivery(is_quiet=as_json)
    async with program.open_terminal(program.settings(), delivery) as terminal:
        await _answer(terminal, text, uuid.uuid4().hex)
    if as_json and delivery.last:
        sys.stdout.write(json.dumps(to_record(delivery.last), ensure_ascii=False) + "\n")
    return 0 if delivery.last and delivery.last.reply else 1


async def chat(program: Program) -> int:
    """A conversation until the end of the input."""
    delivery = ConsoleDelivery()
    conversation_id = uuid.uuid4().hex
    async with program.open_terminal(program.settings(), delivery) as terminal:
        sys.stderr.write(_HINT)
        async for text in read_prompts():
            await _answer(terminal, text, conversation_id)
    return 0


def to_record(sink: ConsoleSink) -> dict[str, object]:
    """An answer for scripts; costs in dollars as text, null when unpriced."""
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


async def _answer(terminal: Terminal, text: str, conversation_id: str) -> None:
    turn = await terminal.parts.inbox.accept(to_incoming(text, conversation_id, terminal))
    if turn is None:
        return
    with _interrupt_stops(terminal, turn):
        await terminal.queue.join()


@contextlib.contextmanager
def _interrupt_stops(terminal: Terminal, turn: Turn) -> Iterator[None]:
    """While an answer runs, Ctrl-C stops it; what came so far is kept and billed."""
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[bool]] = set()

    def stop() -> None:
        stopping.add(loop.create_task(terminal.parts.inbox.stop(turn.turn_id)))

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
