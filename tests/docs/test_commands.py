"""Every command that a page names exists, with these words and options."""

import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from adapters.cli.app import build_app
from adapters.main import Main
from adapters.settings import load_settings
from bot.commands import COMMANDS, parse_command
from bot.settings import parse_setting
from tests.bench.__main__ import benches
from tests.docs.lines import WRAPPED, Kind, Line, lines, wrapper_commands
from tests.docs.pages import PAGES, ROOT, Found

APP: Any = typer.main.get_command(build_app(Main()))
LINES = [line for page in PAGES for line in lines(page)]
SERVICES = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]


def of_kind(*kinds: Kind) -> list[Line]:
    return [line for line in LINES if line.kind in kinds]


def parse(arguments: Sequence[str]) -> None:
    """Read a command line as Parley does, and run nothing; raises what a person would be told."""
    command, path = APP, ["parley"]
    while hasattr(command, "commands") and arguments and arguments[0] in command.commands:
        command, path, arguments = (
            command.commands[arguments[0]],
            [*path, arguments[0]],
            arguments[1:],
        )
    try:
        command.make_context(" ".join(path), list(arguments))
    except typer.Exit:  # --help
        return
    assert not hasattr(command, "commands") or not arguments, f"no command {arguments[0]}"


def parsed(module: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a module says when it is asked for help."""
    monkeypatch.setattr("sys.argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_line_of_code_is_taken_by_somebody() -> None:
    assert [str(line) for line in of_kind(Kind.UNKNOWN)] == []


def test_the_wrapper_s_own_commands_are_known() -> None:
    assert set(WRAPPED) == wrapper_commands()


@pytest.mark.parametrize("line", of_kind(Kind.PARLEY), ids=str)
def test_parley_takes_it(line: Line) -> None:
    parse(line.arguments)


@pytest.mark.parametrize("arguments", [("speed",), ("ask",), ("spend", "--from", "x")])
def test_a_command_that_is_not_there_is_found_out(arguments: tuple[str, ...]) -> None:
    with pytest.raises(Exception, match=r"no command|Missing parameter|No such option"):
        parse(arguments)


def test_every_bench_is_described() -> None:
    text = (ROOT / "docs/benchmarks.md").read_text()
    assert [name for name in benches() if f"`{name}`" not in text] == []


@pytest.mark.parametrize("line", of_kind(Kind.WRAPPER), ids=str)
def test_the_wrapper_takes_it(line: Line) -> None:
    command, *rest = line.arguments
    names = [word for word in rest if not word.startswith("-")]
    if command == "bench":
        assert set(names) <= benches().keys()
    if command == "test" and names:
        assert (ROOT / names[0]).exists()


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("module", sorted({line.arguments[0] for line in of_kind(Kind.MODULE)}))
def test_a_module_says_how_it_is_used_and_has_these_options(
    module: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = parsed(module, capsys, monkeypatch)
    named = {w for line in LINES if line.arguments[:1] == (module,) for w in line.arguments[1:]}
    assert {word for word in named if word.startswith("--")} <= set(re.findall(r"--[\w-]+", told))


def sources(words: Sequence[str]) -> list[str]:
    """The files that a line of another program reads from this repository."""
    if "cp" in words or "install" in words:
        words = words[:-1]
    ours = (word.removeprefix("/opt/parley/") for word in words)
    return [w for w in ours if re.match(r"(deploy/|\.env|[\w-]+\.(toml|lock)$)", w)]


@pytest.mark.parametrize("line", of_kind(Kind.TOOL), ids=str)
def test_what_another_program_is_given_is_there(line: Line) -> None:
    first = " ".join(line.arguments).split(" && ")[0].split(" > ")[0].split()
    made = {".env", "requirements-uv.lock"}
    assert [
        name for name in sources(first) if name not in made and not (ROOT / name).exists()
    ] == []


@pytest.mark.parametrize(
    "line", [n for n in LINES if n.arguments[:2] == ("docker", "compose")], ids=str
)
def test_services_are_those_of_the_compose_file(line: Line) -> None:
    words = list(line.arguments)
    for verb in {"exec", "logs"} & set(words):
        plain = [word for word in words[words.index(verb) + 1 :] if not word.startswith("-")]
        assert plain[0] in SERVICES
        if plain[1:2] == ["parley"]:
            parse(plain[2:])


@pytest.mark.parametrize("line", of_kind(Kind.VALUE), ids=str)
def test_a_line_of_the_environment_is_accepted(line: Line, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(" ".join(line.arguments) + "\n")
    load_settings(tmp_path / ".env")


def said_in_a_chat() -> list[Found]:
    """Commands of a chat, in code and in sentences: `settings dial 7`, `/spend month`."""
    words = [word for page in PAGES for word in page.words() if " " in word.text]
    known = [word for word in words if word.text.lstrip("/").split()[0] in COMMANDS]
    whole = [word for word in known if not re.search("…|COMMAND", word.text)]
    return [*(line.found for line in of_kind(Kind.CHAT)), *whole]


@pytest.mark.parametrize("found", said_in_a_chat(), ids=lambda found: f"{found}: {found.text}")
def test_a_chat_takes_it(found: Found) -> None:
    sent = found.text.replace("#team-ai", "<#123>")  # what the platform makes of a channel's name
    command = parse_command("/" + sent.lstrip("/"))
    assert command is not None
    if command.name == "settings" and command.text:
        parse_setting(command.words[0], command.text)
