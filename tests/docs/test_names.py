"""What the pages link to, and the files, settings and modules that they name, exist."""

import re
from collections.abc import Iterator

import pytest

from adapters.settings import AppSettings
from bot.commands import COMMANDS
from tests.docs.pages import PAGES, ROOT, Found, Page

PLACEHOLDER = re.compile(r"NAME|\bmy-|\Adeploy/\.env\Z|\Adiscord\.py\Z")
"""What a reader makes, and a package that is named like a file."""
FOLDERS = ("adapters", "bot", "storage", "tests", "deploy", "docs", ".ci")
ENDINGS = (".md", ".py", ".toml", ".yaml", ".yml", ".lock", ".example")
OUTSIDE = {"PARLEY_INSTALL", "PARLEY_PYTHON"}
"""Read by the wrapper alone."""
SETTINGS = {name.upper() for name in AppSettings.model_fields}


def within(kind: str) -> Iterator[Found]:
    for page in PAGES:
        yield from page.links() if kind == "links" else page.words()


def leads_nowhere(link: Found) -> bool:
    """Whether a link within the repository has no file or no heading at its end."""
    target, _, anchor = link.text.partition("#")
    name = str((ROOT / link.page).parent.joinpath(target).resolve().relative_to(ROOT))
    name = name if target else link.page
    if not (ROOT / name).exists():
        return True
    return bool(anchor) and anchor not in Page(name).anchors()


def test_links_lead_somewhere() -> None:
    inner = [link for link in within("links") if "://" not in link.text]
    assert inner
    assert [f"{link}: {link.text}" for link in inner if leads_nowhere(link)] == []


def test_a_link_that_leads_nowhere_is_found_out() -> None:
    assert leads_nowhere(Found("docs/slack.md", 1, "nowhere.md"))
    assert leads_nowhere(Found("docs/slack.md", 1, "settings.md#nothing"))
    assert leads_nowhere(Found("docs/slack.md", 1, "#nothing"))


def is_file_name(text: str) -> bool:
    """Whether a word in backticks is a file or folder of this repository."""
    if PLACEHOLDER.search(text) or not re.fullmatch(r"[\w./-]+", text):
        return False
    return text.startswith(tuple(f"{each}/" for each in FOLDERS)) or text.endswith(ENDINGS)


def test_files_that_are_named_are_there() -> None:
    named = [word for word in within("words") if is_file_name(word.text)]
    assert named
    assert [f"{word}: {word.text}" for word in named if not (ROOT / word.text).exists()] == []


def environment_names(text: str) -> set[str]:
    """Every name in a text that looks like a setting of Parley's environment."""
    ours = r"\b(?:(?:PARLEY|DISCORD|SLACK|DATABASE|OTEL)_[A-Z_]+|[A-Z]+_API_(?:KEY|BASE))\b"
    return set(re.findall(ours, text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_of_the_environment_exist(page: Page) -> None:
    own = set(re.findall(r'api_key_env = "(\w+)"', page.text))
    assert environment_names(page.text) - own - SETTINGS - OUTSIDE == set()


def test_the_wrapper_reads_what_is_no_setting() -> None:
    text = (ROOT / "parley").read_text()
    assert [name for name in OUTSIDE if f"${{{name}:-" not in text] == []


def is_code_name(text: str) -> bool:
    """Whether a word in backticks is a class, a constant or a method of one."""
    is_name = re.fullmatch(r"_?[A-Z]\w*[A-Za-z](\.\w+)*(\(.*\))?", text)
    is_file = is_file_name(text) or bool(PLACEHOLDER.search(text))
    return bool(is_name) and not is_file and text not in SETTINGS | OUTSIDE


def test_classes_and_constants_that_contributors_are_told_of_exist() -> None:
    sources = [p for folder in FOLDERS[:4] for p in (ROOT / folder).rglob("*.py")]
    known = set(re.findall(r"\w+", " ".join(path.read_text() for path in sources)))
    pages = [page for page in PAGES if page.name in ("ARCHITECTURE.md", "CONTRIBUTING.md")]
    named = [w for page in pages for w in page.words() if is_code_name(w.text)]
    assert len(named) > 10
    unknown = [w for w in named if not set(re.split(r"\W+", w.text.split("(")[0])) <= known]
    assert [f"{word}: {word.text}" for word in unknown] == []


def test_the_readme_names_every_command_of_a_chat() -> None:
    text = Page("README.md").text
    paragraph = next(part for part in text.split("\n\n") if part.startswith("In a chat, as words"))
    named = paragraph.split("slash: ")[1].split(".")[0]
    assert set(re.findall(r"`(\w+)`", named)) == {n for n, spec in COMMANDS.items() if spec.is_on}


def served() -> set[str]:
    """The paths in the sources of what listens."""
    folders = ("adapters/web", "adapters/slack")
    sources = "".join(p.read_text() for folder in folders for p in (ROOT / folder).glob("*.py"))
    of_turns = {f"/api/turns/ID{tail}" for tail in re.findall(r'f"\{turn\}(/\w+)"', sources)}
    return of_turns | set(re.findall(r'"(/[a-z][\w./]*)"', sources))


def test_addresses_on_the_port_are_served() -> None:
    text = "".join(page.text for page in PAGES)
    named = re.findall(r"localhost:8484(/[\w./]+)|`(?:GET|POST) (/[\w./]+)", text)
    paths = {local or asked for local, asked in named}
    assert "/api/ask" in paths
    assert paths - served() == set()
