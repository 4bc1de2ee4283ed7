"""`./parley` sets itself up wherever it is unpacked, or says in a sentence what to do."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.packaging import checkout as kit
from tests.packaging.checkout import Checkout, Index

pytestmark = pytest.mark.skipif(
    kit.find_uv() is None, reason="needs uv: run the tests with ./parley test"
)

READY = r"parley: Ready after \d+ s\."


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with kit.serve_index(tmp_path / "index") as running:
        yield running


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return kit.tools_only(tmp_path / "bin")


@pytest.fixture
def checkout(tmp_path: Path, index: Index, tools: Path) -> Checkout:
    kit.add_python(tools)
    return kit.make_checkout(tmp_path, index, path=str(tools))


def installed(checkout: Checkout) -> set[str]:
    found = checkout.root.glob(".venv/lib/python*/site-packages/tiny*.py")
    return {path.stem for path in found}


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until the file is there; the process must still be at work by then."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


# ---- A first start


def test_the_first_start_sets_up_and_then_runs_the_command(checkout: Checkout) -> None:
    done = checkout.run("ask", "a  b", "$x")
    assert done.stdout == f"['ask', 'a  b', '$x'] {checkout.home} \n"
    assert re.search(READY, done.stderr)
    assert done.returncode == 0


def test_nothing_is_put_outside_the_folder(checkout: Checkout) -> None:
    checkout.run("ask")
    assert list(checkout.home.iterdir()) == []


def test_the_second_start_says_and_fetches_nothing(checkout: Checkout, index: Index) -> None:
    checkout.run("ask")
    index.requests.clear()
    done = checkout.run("ask")
    assert (done.stderr, index.requests) == ("", [])


def test_the_exit_code_is_the_commands_own(checkout: Checkout) -> None:
    assert checkout.run("fail").returncode == 7


def test_standard_input_reaches_the_command_through_the_set_up(checkout: Checkout) -> None:
    assert checkout.run("ask", "-", stdin="a question").stdout.endswith(" a question\n")


def test_the_environment_of_another_python_does_no_harm(checkout: Checkout) -> None:
    done = checkout.run(
        "ask",
        PYTHONHOME="/nowhere",
        PYTHONPATH="/nowhere",
        CDPATH="/",
        VIRTUAL_ENV="/nowhere",
        PIP_USER="1",
        PIP_REQUIRE_VIRTUALENV="1",
    )
    assert done.returncode == 0, done.stderr


# ---- Where it lies and how it is called


def test_stands_a_path_with_spaces_and_quotes(tmp_path: Path, index: Index, tools: Path) -> None:
    kit.add_python(tools)
    odd = kit.make_checkout(tmp_path, index, path=str(tools), name="my 'new' bot é")
    assert odd.run("ask").returncode == 0
    assert odd.run("ask").stderr == ""


def test_is_found_through_symlinks(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/parley").symlink_to("../parley/parley")
    (tmp_path / "p").symlink_to(tmp_path / "there/parley")
    done = subprocess.run(
        [str(tmp_path / "p"), "ask"],
        cwd="/",
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "['ask'] / \n"
    assert (checkout.root / ".venv/.parley").exists()


@pytest.mark.parametrize("command", [["./parley"], ["sh", "parley"]])
def test_is_run_from_its_own_folder(checkout: Checkout, command: list[str]) -> None:
    done = subprocess.run(
        [*command, "ask"],
        cwd=checkout.root,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"['ask'] {checkout.root} \n"


def test_another_projects_settings_do_not_reach_the_set_up(
    checkout: Checkout, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "uv.toml").write_text('offline = true\nindex-url = "http://127.0.0.1:1/"\n')
    done = checkout.run("ask", cwd=elsewhere)
    assert done.stdout == f"['ask'] {elsewhere} \n"


def test_a_folder_that_was_moved_works_again_without_the_network(
    checkout: Checkout, index: Index, tmp_path: Path
) -> None:
    checkout.run("ask")
    moved = replace(checkout, root=checkout.root.rename(tmp_path / "moved"))
    index.requests.clear()
    assert moved.run("ask").stdout == f"['ask'] {checkout.home} \n"
    assert moved.run("ask").stderr == ""
    assert index.requests == []


# ---- What is installed


def test_a_changed_lock_is_installed_at_the_next_start(checkout: Checkout) -> None:
    checkout.run("ask")
    shutil.copy(checkout.root / "requirements-server.lock", checkout.root / "requirements.lock")
    done = checkout.run("ask")
    assert re.search(READY, done.stderr)
    assert installed(checkout) == {"tiny"}


def test_a_server_install_leaves_the_demo_model_out_and_is_remembered(checkout: Checkout) -> None:
    checkout.run("ask", PARLEY_INSTALL="server")
    assert installed(checkout) == {"tiny"}
    assert checkout.run("ask").stderr == ""


def test_a_server_install_can_be_made_full(checkout: Checkout) -> None:
    checkout.run("ask", PARLEY_INSTALL="server")
    checkout.run("ask", PARLEY_INSTALL="full")
    assert installed(checkout) == {"tiny", "tinydemo"}


def test_an_unknown_kind_of_install_is_named(checkout: Checkout) -> None:
    done = checkout.run("ask", PARLEY_INSTALL="tiny")
    assert "PARLEY_INSTALL is 'tiny'; it may be 'full' or 'server'." in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("command", ["test", "check", "bench"])
def test_the_tests_are_not_promised_on_a_server(checkout: Checkout, command: str) -> None:
    done = checkout.run(command, PARLEY_INSTALL="server")
    assert f"PARLEY_INSTALL=full ./parley {command}" in done.stderr
    assert done.returncode == 1


def test_goes_on_without_the_demo_model_where_there_is_none(
    checkout: Checkout, index: Index
) -> None:
    project = index.folder / "simple/xllamacpp"
    project.mkdir()
    wheel = "xllamacpp-1.0-cp311-cp311-win_arm64.whl"
    (project / wheel).touch()
    (project / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
    with (checkout.root / "requirements.lock").open("a") as lock:
        lock.write(kit.pin("xllamacpp", "1.0", "0" * 64))
    done = checkout.run("ask")
    assert "there is no demo model for this system" in done.stderr
    assert done.returncode == 0
    assert checkout.run("ask").stderr == ""


def test_a_package_that_is_not_the_locked_one_is_refused(checkout: Checkout) -> None:
    (checkout.root / "requirements.lock").write_text(kit.pin("tiny", "1.0", "0" * 64))
    done = checkout.run("ask")
    assert "hash" in done.stderr.lower()
    assert done.returncode == 1


def test_a_package_with_a_start_up_file_of_its_own_is_refused(
    checkout: Checkout, index: Index
) -> None:
    poisoned = index.add("poisoned", "1.0", {"poisoned_init.pth": "import os\n"})
    (checkout.root / "requirements.lock").write_text(poisoned)
    done = checkout.run("ask")
    assert "Refused" in done.stderr
    assert "poisoned_init.pth" in done.stderr
    assert done.stdout == ""


def test_a_lost_environment_is_made_again(checkout: Checkout) -> None:
    checkout.run("ask")
    shutil.rmtree(checkout.root / ".venv")
    assert checkout.run("ask").returncode == 0


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    checkout.run("ask")
    python = checkout.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert checkout.run("ask").returncode == 0


# ---- For those who work on Parley


def test_a_new_lock_keeps_the_pins_that_still_fit(checkout: Checkout, index: Index) -> None:
    index.add("tiny", "2.0", {"tiny.py": "value = 2\n"})
    before = (checkout.root / "requirements-server.lock").read_text()
    done = checkout.run("lock")
    assert done.returncode == 0, done.stderr
    assert (checkout.root / "requirements-server.lock").read_text() == before
    assert (checkout.root / "requirements.lock").read_text() == before


def test_a_new_lock_moves_the_pins_it_is_told_to(checkout: Checkout, index: Index) -> None:
    newer = index.add("tiny", "2.0", {"tiny.py": "value = 2\n"})
    done = checkout.run("lock", "--upgrade-package", "tiny")
    assert done.returncode == 0, done.stderr
    assert (checkout.root / "requirements.lock").read_text() == newer


def test_a_lock_that_cannot_be_made_leaves_the_old_one(checkout: Checkout) -> None:
    before = (checkout.root / "requirements.lock").read_text()
    wish = (checkout.root / "pyproject.toml").read_text().replace('["tiny"]', '["nowhere"]')
    (checkout.root / "pyproject.toml").write_text(wish)
    done = checkout.run("lock")
    assert "No lock could be made." in done.stderr
    assert "nowhere" in done.stderr
    assert (checkout.root / "requirements.lock").read_text() == before


def with_tools(checkout: Checkout, **scripts: str) -> None:
    """Set up, and put programs where the development tools would be."""
    checkout.run("ask")
    for name, script in {"pytest": "exit 0", **scripts}.items():
        kit.add_program(checkout.root / ".venv/bin", name.replace("_", "-"), script)


def test_the_check_stops_at_the_first_failure(checkout: Checkout) -> None:
    with_tools(checkout, ruff='[ "$1" = format ]', lint_imports="echo too far")
    done = checkout.run("check")
    assert done.stderr.splitlines()[1:] == [
        "parley: check: lint",
        "parley: check stopped here. Mend what is named above, then run ./parley check again.",
    ]
    assert (done.returncode, done.stdout) == (1, "")


def test_the_tests_get_their_arguments_in_the_folder_of_the_project(checkout: Checkout) -> None:
    with_tools(checkout, pytest='echo "$PWD: $*"; exit 3')
    done = checkout.run("test", "-k", "a or b")
    assert done.stdout == f"{checkout.root}: -k a or b\n"
    assert done.returncode == 3


def test_all_tests_are_run_with_the_coverage_of_the_core(checkout: Checkout) -> None:
    with_tools(checkout, pytest='echo "$*"')
    assert " --cov " in checkout.run("test").stdout


# ---- Which Python


def test_debians_bare_python_gets_the_command_to_run(
    tmp_path: Path, index: Index, tools: Path
) -> None:
    kit.add_stripped_python(tools, tmp_path / "lib", with_pip=False)
    kit.add_program(tools, "apt-get", "exit 0")
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt install python{version}-venv" in done.stderr
    assert done.returncode == 1


def test_a_managed_python_with_pip_and_no_venv_is_enough(
    tmp_path: Path, index: Index, tools: Path
) -> None:
    kit.add_stripped_python(tools, tmp_path / "lib", with_pip=True)
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    assert done.returncode == 0, done.stderr


def test_a_python_with_venv_and_no_pip_is_enough(tmp_path: Path, index: Index, tools: Path) -> None:
    without_pip = tmp_path / "without-pip"
    subprocess.run([kit.PYTHON, "-m", "venv", "--without-pip", without_pip], check=True)
    kit.add_program(tools, "python3", f'exec "{without_pip}/bin/python" "$@"')
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("tool", "advice"),
    [
        ("apt-get", "sudo apt install python3.11 python3.11-venv"),
        ("dnf", "sudo dnf install python3.12"),
        ("pacman", "sudo pacman -S python"),
        ("apk", "sudo apk add python3"),
        ("zypper", "sudo zypper install python312"),
        ("brew", "brew install python@3.13"),
        ("none", "https://www.python.org/downloads/"),
    ],
)
def test_no_python_at_all_gets_the_command_of_the_system(
    tmp_path: Path, index: Index, tools: Path, tool: str, advice: str
) -> None:
    kit.add_program(tools, tool, "exit 0")
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    assert "there is none on this system" in done.stderr
    assert advice in done.stderr
    assert done.returncode == 1


def test_a_python_that_is_too_old_is_named(tmp_path: Path, index: Index, tools: Path) -> None:
    kit.add_program(tools, "python3", "echo 3.9 False pip /usr/bin/python3.9")
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    assert "needs Python 3.11 or newer; the newest here is 3.9" in done.stderr


def test_a_newer_python_beside_an_old_one_is_used(
    tmp_path: Path, index: Index, tools: Path
) -> None:
    kit.add_program(tools, "python3", "echo 3.9 False pip /usr/bin/python3.9")
    kit.add_program(tools, "python3.11", f'exec "{kit.PYTHON}" "$@"')
    done = kit.make_checkout(tmp_path, index, path=str(tools)).run("ask")
    assert done.returncode == 0, done.stderr


def test_a_python_can_be_named(tmp_path: Path, index: Index, tools: Path) -> None:
    checkout = kit.make_checkout(tmp_path, index, path=str(tools))
    assert checkout.run("ask", PARLEY_PYTHON=str(kit.PYTHON)).returncode == 0


def test_a_named_python_that_will_not_do_is_refused(checkout: Checkout) -> None:
    done = checkout.run("ask", PARLEY_PYTHON="/nowhere/python")
    assert "PARLEY_PYTHON is '/nowhere/python'" in done.stderr
    assert done.returncode == 1


# ---- When something goes wrong


def test_no_network_is_told_and_the_next_start_goes_on(checkout: Checkout) -> None:
    done = checkout.run("ask", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")
    assert "The installer (uv) could not be fetched." in done.stderr
    assert "Offline?" in done.stderr
    assert done.returncode == 1
    assert checkout.run("ask").returncode == 0


def test_a_network_lost_half_way_is_told_and_the_next_start_goes_on(checkout: Checkout) -> None:
    done = checkout.run("ask", UV_DEFAULT_INDEX="http://127.0.0.1:1/simple")
    assert "The packages could not be fetched." in done.stderr
    assert "HTTPS_PROXY" in done.stderr
    assert done.returncode == 1
    assert checkout.run("ask").returncode == 0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_a_folder_that_cannot_be_written_to_is_named(open_folder: Path, index: Index) -> None:
    tools = kit.tools_only(open_folder / "bin")
    checkout = kit.make_checkout(open_folder, index, path=str(tools))
    checkout.root.chmod(0o555)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        checkout.command("ask"),
        cwd="/",
        env=checkout.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        **nobody,  # type: ignore[call-overload]  # the keywords of one overload, by name
    )
    checkout.root.chmod(0o755)
    assert "This folder cannot be written to" in done.stderr
    assert str(checkout.root) in done.stderr
    assert done.returncode == 1


def test_a_folder_that_is_set_up_may_be_read_only(checkout: Checkout) -> None:
    checkout.run("ask")
    checkout.root.chmod(0o555)
    done = checkout.run("ask")
    checkout.root.chmod(0o755)
    assert done.returncode == 0


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_set_up_that_was_cut_short_is_done_again(
    checkout: Checkout, tmp_path: Path, blow: signal.Signals
) -> None:
    hang_once(checkout, tmp_path / "hanging")
    with start(checkout, "ask") as first:
        wait_for(tmp_path / "hanging", first)
        first.send_signal(blow)
    assert first.returncode != 0
    again = checkout.run("ask")
    assert again.returncode == 0, again.stderr
    assert installed(checkout) == {"tiny", "tinydemo"}


def test_a_set_up_that_is_stopped_says_that_it_can_go_on(
    checkout: Checkout, tmp_path: Path
) -> None:
    hang_once(checkout, tmp_path / "hanging")
    with start(checkout, "ask") as first:
        wait_for(tmp_path / "hanging", first)
        first.terminate()
        _, told = first.communicate(timeout=30)
    assert told.endswith("parley: Stopped. Run the same command again; what was fetched is kept.\n")


def test_two_at_once_set_up_once_and_both_run(checkout: Checkout) -> None:
    with start(checkout, "first") as first, start(checkout, "second") as second:
        told = [first.communicate(timeout=60)[1], second.communicate(timeout=60)[1]]
    assert (first.returncode, second.returncode) == (0, 0), told
    assert sum("Ready after" in text for text in told) == 1
    assert sum("waiting for it" in text for text in told) == 1


def hang_once(checkout: Checkout, sign: Path) -> None:
    """Let the first sync hang, with a sign when it does, as a slow download would."""
    checkout.run("ask")
    shutil.rmtree(checkout.root / ".venv")
    uv = checkout.root / ".uv/bin/uv"
    real = uv.with_name("real-uv")
    uv.rename(real)
    kit.add_program(
        uv.parent,
        "uv",
        f'case "$*" in *sync*) [ -e "{sign}" ] || {{ : >"{sign}"; sleep 3; exit 1; }} ;; esac\n'
        f'exec "{real}" "$@"',
    )


def start(checkout: Checkout, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        checkout.command(*args),
        cwd=checkout.home,
        env=checkout.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
