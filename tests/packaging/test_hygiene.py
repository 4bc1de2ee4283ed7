"""The rules of `./parley check` that no linter has."""

from pathlib import Path

import pytest

from tests.packaging import hygiene

HASHED = f"    --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x = 1  # TO" + "DO later", "an unfinished mark"),
        ("# FIX" + "ME", "an unfinished mark"),
        ("cd /ho" + "me/alice/parley", "a path of one machine"),
        ("cd /Us" + "ers/alice", "a path of one machine"),
        ("cat /ro" + "ot/x", "a path of one machine"),
        ("https://files.py" + "thonhosted.org/x", "a package host"),
        ("--index-url https://py" + "pi.org/simple", "a package host"),
    ],
)
def test_names_the_line_that_breaks_a_rule(line: str, fault: str) -> None:
    [found] = hygiene.text_faults("a.md", f"fine\n{line}\n")
    assert found.startswith(f"a.md:2: {fault}: ")


@pytest.mark.parametrize(
    "line", ["a todo list", "https://example.com/home/x", "docs/root/x", "/home/parley/data"]
)
def test_leaves_ordinary_lines_alone(line: str) -> None:
    assert list(hygiene.text_faults("a.md", line)) == []


@pytest.mark.parametrize(
    "pin", ["a==1.0", "a[x,y]==1.0", "a==1.0 ; sys_platform == 'linux'", "a-b.c==2!1.0.post1+l"]
)
def test_a_pin_with_its_hash_is_no_fault(pin: str) -> None:
    assert list(hygiene.lock_faults("r.lock", f"{pin} \\\n{HASHED}")) == []


@pytest.mark.parametrize(
    "text",
    [
        f"a>=1.0 \\\n{HASHED}",
        "a==1.0\n",
        "a==1.0 \\\nb==1.0 \\\n" + HASHED,
        f"a @ https://example.com/a.whl \\\n{HASHED}",
        f"--extra-index-url https://example.com\na==1.0 \\\n{HASHED}",
    ],
)
def test_a_loose_line_in_a_lock_is_a_fault(text: str) -> None:
    assert list(hygiene.lock_faults("r.lock", text)) != []


def test_finds_a_start_up_file_that_no_package_should_bring(tmp_path: Path) -> None:
    folder = tmp_path / "lib/python3.11/site-packages"
    folder.mkdir(parents=True)
    (folder / "litellm_init.pth").write_text("import os")
    (folder / "parley.pth").write_text("/srv/parley")
    assert hygiene.unexpected_pth(tmp_path) == ["litellm_init.pth"]
