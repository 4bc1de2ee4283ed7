"""The steps of a debate and the voices of an ensemble in a terminal: live panels on a screen,
plain sections where standard error goes to a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from bot.replies import Notice, Reply
from bot.settings import FooterStyle

if TYPE_CHECKING:  # it takes its time to load, and only a debate or an ensemble needs it
    from rich.live import Live
    from rich.panel import Panel

LIVE_LINES = 8
"""How much of a text is shown while it is written."""


class Panels:
    """The panels of one turn."""

    def __init__(self, err: TextIO, *, is_quiet: bool) -> None:
        self._err = err
        self._is_quiet = is_quiet
        self._open: list[PanelSink] = []
        self._live: Live | None = None

    def open(self, label: str) -> PanelSink:
        """A new panel under the others."""
        panel = PanelSink(self, label)
        self._open.append(panel)
        self.show()
        return panel

    def show(self) -> None:
        """Draw what is being written, on a screen."""
        if self._is_quiet or not self._err.isatty():
            return
        from rich.console import Console, Group
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=Console(file=self._err), transient=True)
            self._live.start()
        self._live.update(Group(*(panel.drawn(LIVE_LINES) for panel in self._open)))

    def close(self, panel: PanelSink) -> None:
        """Print a panel that is whole, above those that are still being written."""
        self._open.remove(panel)
        if self._is_quiet:
            return
        if self._live is not None:
            self._live.console.print(panel.drawn())
            self.show()
        else:
            self._err.write(f"── {panel.label}\n{panel.text.strip()}\n{panel.small_print}\n")
            self._err.flush()
        if not self._open and self._live is not None:
            self._live.stop()
            self._live = None


@dataclass(slots=True)
class PanelSink:
    """One panel; it ends with its small print."""

    panels: Panels
    label: str
    text: str = ""
    small_print: str = ""

    def status(self, text: str) -> None:
        """The turn itself shows what is going on."""

    def append(self, text: str) -> None:
        """Show more in the panel."""
        self.text += text
        self.panels.show()

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> PanelSink:
        """A panel beside it."""
        return self.panels.open(label)

    async def finish(self, reply: Reply) -> None:
        """Show the whole of it."""
        footer = reply.footer.line(FooterStyle.FULL) if reply.footer else ""
        self._end(reply.text, *reply.notes, footer)

    async def fail(self, notice: Notice) -> None:
        """Show a notice in its place."""
        self._end(notice.text)

    async def close(self) -> None:
        """Leave it as it is."""
        self._end(self.text)

    def _end(self, text: str, *small_print: str) -> None:
        self.text = text
        self.small_print = " · ".join(line for line in small_print if line)
        self.panels.close(self)

    def drawn(self, lines: int | None = None) -> Panel:
        """The panel, with its last lines only when it is still being written."""
        from rich.markdown import Markdown
        from rich.panel import Panel
        from rich.text import Text

        if lines is None:
            inside: Markdown | Text = Markdown(self.text)
        else:
            inside = Text("\n".join(self.text.splitlines()[-lines:]) or "…")
        small_print = Text(self.small_print, style="dim") if self.small_print else None
        return Panel(
            inside,
            title=Text(self.label, style="bold"),
            subtitle=small_print,
            title_align="left",
            subtitle_align="left",
            border_style="dim",
        )
