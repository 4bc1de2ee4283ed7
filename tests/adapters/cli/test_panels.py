"""Panels on a screen: what is written is shown, what is whole stays, and nothing is shown twice."""

from __future__ import annotations

import io
import re

from adapters.cli.panels import Panels
from bot.replies import Notice, Reply


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def _shown(screen: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


async def test_a_panel_that_is_whole_is_printed_with_its_label_and_notes() -> None:
    screen = Screen()
    panel = Panels(screen, is_quiet=False).open("Answer · ada")
    panel.append("Half")
    await panel.finish(Reply(text="Whole **text**", notes=("A note.",)))
    last = _shown(screen).rpartition("Answer · ada")[2]
    assert "Whole text" in last
    assert "A note." in last


async def test_panels_are_written_at_once_and_one_that_fails_says_why() -> None:
    screen = Screen()
    panels = Panels(screen, is_quiet=False)
    one, two = panels.open("Voice 1 · ada"), panels.open("Voice 2 · bob")
    one.append("One so far")
    await two.fail(Notice(text="bob did not answer: Down."))
    assert "bob did not answer: Down." in _shown(screen)
    await one.finish(Reply(text="One"))
    assert _shown(screen).rstrip().endswith("╯")


async def test_without_a_screen_a_panel_is_a_section_once_it_is_whole() -> None:
    file = io.StringIO()
    panel = Panels(file, is_quiet=False).open("Answer · ada")
    panel.append("Half")
    assert file.getvalue() == ""
    await panel.finish(Reply(text="Whole"))
    assert file.getvalue() == "── Answer · ada\nWhole\n\n"


async def test_for_json_nothing_is_printed() -> None:
    screen = Screen()
    panel = Panels(screen, is_quiet=True).open("Answer · ada")
    panel.append("Half")
    await panel.finish(Reply(text="Whole"))
    assert screen.getvalue() == ""
