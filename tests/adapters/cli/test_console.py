"""What stands in the place of an answer reads like one; only what stands below it is dim."""

from __future__ import annotations

import io

from adapters.cli.console import ConsoleSink
from bot.replies import Notice, Reply
from tests import fakes


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


async def test_a_notice_is_no_small_print() -> None:
    sink = ConsoleSink(fakes.turn(), io.StringIO(), screen := Screen())
    await sink.fail(Notice(text="There is no command `/setings`."))
    assert screen.getvalue() == "There is no command `/setings`.\n"


async def test_a_note_below_an_answer_is_small_print() -> None:
    sink = ConsoleSink(fakes.turn(), out := io.StringIO(), screen := Screen())
    await sink.finish(Reply(text="Yes.", notes=("Mind this.",)))
    assert (out.getvalue(), screen.getvalue()) == ("Yes.\n", "\x1b[2mMind this.\x1b[0m\n")
