"""What must stay true of the repository itself."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.packaging.hygiene import EXPECTED_PTH, ROOT, unexpected_pth

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WRAPPER = (ROOT / "parley").read_text()


def normal(name: str) -> str:
    """A package's name as locks spell it, without extras, bounds and markers."""
    [bare] = re.findall(r"^[A-Za-z0-9._-]+", name)
    return re.sub(r"[-_.]+", "-", bare).lower()


def locked(lock: str) -> dict[str, str]:
    """Name to version of everything a lock pins."""
    lines = (ROOT / lock).read_text().splitlines()
    pins = (re.match(r"([\w.-]+)(?:\[.*\])?==(\S+)", line) for line in lines)
    return {normal(pin[1]): pin[2] for pin in pins if pin}


def declared(*groups: str) -> set[str]:
    """Names that pyproject.toml asks for: always, and in these groups."""
    wanted = list(PYPROJECT["project"]["dependencies"])
    for group in groups:
        wanted += PYPROJECT["dependency-groups"][group]
    return {normal(name) for name in wanted}


def test_the_lock_has_everything_the_project_asks_for() -> None:
    assert declared("demo", "dev") - locked("requirements.lock").keys() == set()


def test_the_server_lock_has_what_a_server_needs_and_no_demo_model() -> None:
    pins = locked("requirements-server.lock").keys()
    assert declared() - pins == set()
    assert pins & (declared("demo", "dev") - declared()) == set()


def test_both_locks_agree_on_every_version() -> None:
    assert locked("requirements-server.lock").items() <= locked("requirements.lock").items()


def test_litellm_is_one_exact_version_and_none_of_the_poisoned_ones() -> None:
    [asked] = [n for n in PYPROJECT["project"]["dependencies"] if normal(n) == "litellm"]
    version = locked("requirements.lock")["litellm"]
    assert asked == f"litellm=={version}"
    assert version not in {"1.82.7", "1.82.8"}


def test_the_installer_can_build_the_project_itself() -> None:
    [asked] = PYPROJECT["build-system"]["requires"]
    series = ".".join(locked("requirements-uv.lock")["uv"].split(".")[:2])
    assert asked.startswith(f"uv_build>={series},")


def test_no_installed_package_brought_an_unexpected_start_up_file() -> None:
    assert unexpected_pth(ROOT / ".venv") == []


def test_the_wrapper_expects_the_same_start_up_files() -> None:
    [line] = re.findall(r"^ +(\S+\.pth \|.*)\) ;;$", WRAPPER, re.MULTILINE)
    assert set(line.split(" | ")) == EXPECTED_PTH | {"'*.pth'"}


def test_what_the_wrapper_can_spare_is_no_dependency_of_a_server() -> None:
    [names] = re.findall(r"^SPARE='(.*)'$", WRAPPER, re.MULTILINE)
    spare = set(names.split("|"))
    assert spare <= declared("demo", "dev") - declared()
    assert spare >= declared("demo") - declared()


def test_no_lock_with_addresses_in_it_is_kept() -> None:
    assert "/uv.lock" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize(("name", "most"), [("README.md", 150), ("ARCHITECTURE.md", 200)])
def test_the_pages_stay_short(name: str, most: int) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= most


def decides(source: str) -> bool:
    """Whether a module does anything: a port or a list of words has nothing to test."""
    nodes = list(ast.walk(ast.parse(source)))
    protocols = [n for n in nodes if isinstance(n, ast.ClassDef) and is_protocol(n)]
    inside = {id(part) for protocol in protocols for part in ast.walk(protocol)}
    return any(
        isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and id(n) not in inside
        for n in nodes
    )


def is_protocol(node: ast.ClassDef) -> bool:
    """Whether a class only says what others must be able to do."""
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def modules() -> list[str]:
    """Every module of the core that decides something, as a path below bot/."""
    found = (path for path in (ROOT / "bot").rglob("*.py") if decides(path.read_text()))
    return sorted(str(path.relative_to(ROOT / "bot")) for path in found)


def homes_of_tests(module: str) -> list[Path]:
    """Where a module's tests may stand: in its folder's mirror, or one file for the folder."""
    path = Path(module)
    unit = ROOT / "tests/unit"
    own = unit / path.parent / f"test_{path.name}"
    of_folder = [unit / f"test_{path.parts[0]}.py"] if len(path.parts) > 1 else []
    return [own, *of_folder]


@pytest.mark.parametrize("module", modules())
def test_every_module_of_the_core_has_its_tests(module: str) -> None:
    assert any(path.is_file() for path in homes_of_tests(module)), f"no test file for bot/{module}"


def test_the_wrapper_reads_the_same_in_every_locale() -> None:
    assert WRAPPER.isascii()
