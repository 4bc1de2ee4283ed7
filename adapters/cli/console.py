"""One reply on a terminal: text on standard output as it comes, the rest on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from adapters.cli.panels import Panels, PanelSink
from adapters.cli.streams import give_up_output
from bot.replies import Notice, Reply
from bot.settings import FooterStyle
from bot.turns import Turn


@dataclass(slots=True)
class ConsoleSink:
    """Prints an answer; with `is_quiet` it only remembers it, for `--json`."""

    turn: Turn
    out: TextIO
    err: TextIO
    is_quiet: bool = False
    shown: str = ""
    reply: Reply | None = None
    notice: Notice | None = None
    panels: Panels | None = None
    """The further messages of the turn, made with the first of them."""
    on_gone: Callable[[], object] = lambda: None
    """Called once when nobody reads standard output any more."""
    is_gone: bool = False

    def status(self, text: str) -> None:
        """Show what was chosen, on a screen only."""
        if self.err.isatty() and not self.is_quiet:
            self.err.write(f"\x1b[2m{text}\x1b[0m\n")
            self.err.flush()

    def append(self, text: str) -> None:
        """Print the next piece at once."""
        self.shown += text
        if not self.is_quiet:
            self._write(text)

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> PanelSink:
        """A panel of its own on standard error; standard output is for the answer."""
        self.panels = self.panels or Panels(self.err, is_quiet=self.is_quiet)
        return self.panels.open(label)

    async def finish(self, reply: Reply) -> None:
        """Print what was not shown yet, then the notes and the small print."""
        self.reply = reply
        if self.is_quiet:
            return
        is_whole = reply.text.startswith(self.shown)
        rest = reply.text[len(self.shown) :] if is_whole else f"\n\n{reply.text}"
        self._write(rest.rstrip("\n") + "\n")
        for note in reply.notes:
            self._say(note)
        if reply.footer:
            self._say(reply.footer.line(FooterStyle.FULL))

    async def fail(self, notice: Notice) -> None:
        """Say what happened; nothing goes to standard output."""
        self.notice = notice
        if not self.is_quiet:
            self._say(notice.text, is_small=False)

    async def close(self) -> None:
        """What was printed stays."""

    def _write(self, text: str) -> None:
        if self.is_gone:
            return
        try:
            self.out.write(text)
            self.out.flush()
        except BrokenPipeError:  # whoever reads this has seen enough, as `head` does
            self.is_gone = True
            give_up_output()
            self.on_gone()

    def _say(self, text: str, *, is_small: bool = True) -> None:
        dim, plain = ("\x1b[2m", "\x1b[0m") if is_small and self.err.isatty() else ("", "")
        self.err.write(f"{dim}{text}{plain}\n")
        self.err.flush()


@dataclass(slots=True)
class ConsoleDelivery:
    """Opens console sinks and remembers the last one."""

    is_quiet: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    last: ConsoleSink | None = None
    on_gone: Callable[[], object] = lambda: None
    """Called when nobody reads the answer any more."""

    async def open(self, turn: Turn) -> ConsoleSink:
        """A sink that prints here."""
        self.last = ConsoleSink(
            turn, self.out, self.err, self.is_quiet, on_gone=lambda: self.on_gone()
        )
        return self.last
