"""What the pages tell people to run is run, without a key, and answers as they show."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.local_model.assets import find_assets
from bot.errors import ProviderUnavailableError
from tests.docs.lines import Kind, Line, is_transcript, lines, to_line, typed
from tests.docs.pages import PAGES, Found

pytestmark = [pytest.mark.demo, pytest.mark.timeout(300)]
SAFE = {"doctor", "export", "migrate", "models", "prices", "route", "settings", "spend", "train"}
"""Commands that spend nothing and end by themselves."""
LIMIT_S = 60.0


@dataclass(frozen=True)
class Newcomer:
    """Somebody in an empty folder, without any key."""

    folder: Path

    def run(self, arguments: tuple[str, ...], local: str = "off") -> tuple[int, str]:
        """What a command ends with, and all that it says."""
        environment = os.environ | {"PARLEY_HOME": str(self.folder / "data"), "PARLEY_LOCAL": local}
        ended = subprocess.run(
            (sys.executable, "-m", "adapters.main", *arguments),
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip
        return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    try:
        find_assets()
    except ProviderUnavailableError as error:
        pytest.skip(str(error))
    (tmp_path / ".env").touch()
    return Newcomer(tmp_path)


def shape(text: str) -> list[str]:
    """Words without their figures, which another machine or another model file may have."""
    return re.sub(r"\d+(?:[.,]\d+)*", "0", text).split()


def transcripts() -> Iterator[tuple[Line, str]]:
    """Each command of a transcript, and what the page says it answers."""
    for block in (b for page in PAGES for b in page.blocks() if is_transcript(b)):
        answers = re.split(r"^\$ .*\n", block.text, flags=re.MULTILINE)[1:]
        yield from zip(map(to_line, typed(block)), answers, strict=True)


def is_safe(line: Line) -> bool:
    """Whether it can be run here: `FILE` is the reader's own, and there is nothing to roll back."""
    if line.kind is not Kind.PARLEY or line.arguments[0] not in SAFE:
        return False
    own = {word for word in line.arguments if re.fullmatch(r"[A-Z]{3,}", word)}
    return own <= {"CONVERSATION"} and not {"--help", "--rollback"} & set(line.arguments)


def runnable() -> dict[tuple[str, ...], Found]:
    """Each safe command of the pages once, in their order."""
    shown = {line.arguments for line, _ in transcripts()}
    found = [line for page in PAGES for line in lines(page) if is_safe(line)]
    return {line.arguments: line.found for line in found if line.arguments not in shown}


def test_everything_safe_runs_behind_a_first_question(newcomer: Newcomer) -> None:
    for line, answer in transcripts():
        _, told = newcomer.run(line.arguments, local="demo")
        assert shape(told) == shape(answer), f"{line} now answers\n{told}"
    conversation = newcomer.run(("export",))[1].split()[0]
    ended = {
        found: newcomer.run(tuple(conversation if w == "CONVERSATION" else w for w in arguments))
        for arguments, found in runnable().items()
    }
    assert {f"{found}: {found.text}": told for found, (code, told) in ended.items() if code} == {}
