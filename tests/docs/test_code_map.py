"""The code map in ARCHITECTURE.md has every module, none that is gone, and the order it says."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT, Page

PAGE = Page("ARCHITECTURE.md")
PACKAGES = ("bot", "adapters", "storage")


def section(package: str) -> str:
    """What the map says of a package."""
    begin = PAGE.text.split(f"\n`{package}/`")[1]
    return re.split(r"\n`\w+/`|\n## ", begin)[0]


def names(text: str) -> set[str]:
    return {name.strip("/") for name in re.findall(r"`([\w/]+)`", text)}


def rows(package: str) -> list[set[str]]:
    """The modules of each row of a package's table."""
    lines = [line for line in section(package).splitlines() if line.startswith("| `")]
    return [names(line.split(" | ")[0]) for line in lines]


def modules(package: str) -> set[str]:
    """The modules and packages that lie directly in a package."""
    folder = ROOT / package
    files = {path.stem for path in folder.glob("*.py")}
    return (files | {path.parent.name for path in folder.glob("*/__init__.py")}) - {"__init__"}


def imported(module: str) -> set[str]:
    """The modules of the core that one of them imports, itself left out."""
    path = ROOT / "bot" / module
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return {name for file in files for name in _imports(file.read_text())} - {module}


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot"):
            inner = (node.module or "").split(".")[1:2]
            yield from inner or [alias.name for alias in node.names]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_on_the_map(package: str) -> None:
    assert modules(package) - names(section(package)) == set()


@pytest.mark.parametrize("package", ["bot", "adapters"])
def test_the_map_has_no_module_that_is_gone(package: str) -> None:
    assert set().union(*rows(package)) - modules(package) == set()


@pytest.mark.parametrize("number", range(len(rows("bot"))))
def test_a_module_of_the_core_imports_only_from_lines_above_its_own(number: int) -> None:
    above = set().union(*rows("bot")[: number + 1])
    wrong = {module: imported(module) - above for module in rows("bot")[number]}
    assert {module: below for module, below in wrong.items() if below} == {}


def test_every_folder_of_tests_is_on_the_map() -> None:
    text = PAGE.text.split("\n`tests/`")[1].split("\n\n")[0]
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert folders - set(re.findall(r"`(\w+)/`", text)) == set()
