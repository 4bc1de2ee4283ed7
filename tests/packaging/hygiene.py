"""What a linter does not see: unfinished marks, one machine's paths, loose pins.

`./parley check` runs it as a program; each rule is a pure function from text to faults.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-server.lock", "requirements-uv.lock")

# Written in two parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
ONE_MACHINE = re.compile(
    r"(?<![\w.-])/(?:ho" r"me/(?!parley\b|you\b)|Us" r"ers/(?!you\b)|ro" r"ot/)\w"
)
PACKAGE_HOST = re.compile(
    r"\b(?:files\.py" r"thonhosted\.org|py" r"pi\.org/simple|registry\.np" r"mjs\.org)"
)
TEXT_RULES = {
    "an unfinished mark": UNFINISHED,
    "a path of one machine": ONE_MACHINE,
    "a package host": PACKAGE_HOST,
}

PIN = re.compile(r"^[A-Za-z0-9._-]+(\[[\w,-]+\])?==[\w.!+]+( ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")

# Only coverage's runs code; the others are one folder's name each.
EXPECTED_PTH = {"a1_coverage.pth", "parley.pth", "_editable_impl_parley.pth", "_virtualenv.pth"}


def text_faults(name: str, text: str) -> Iterator[str]:
    """Each line of a tracked file that breaks a rule, as `file:line: what`."""
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in TEXT_RULES.items():
            if pattern.search(line):
                yield f"{name}:{number}: {what}: {line.strip()[:80]}"


def lock_faults(name: str, text: str) -> Iterator[str]:
    """Each line of a lock that is neither an exact version nor a hash, and pins without a hash."""
    lines = text.splitlines()
    for number, (line, after) in enumerate(zip(lines, [*lines[1:], ""], strict=True), start=1):
        if PIN.match(line):
            if not HASH.match(after):
                yield f"{name}:{number}: a pin without a hash: {line}"
        elif not HASH.match(line):
            yield f"{name}:{number}: not an exact pin: {line.strip()[:80]}"


def unexpected_pth(environment: Path) -> list[str]:
    """Start-up files that no package of ours is known to bring; a poisoned release used one."""
    found = environment.glob("lib/python*/site-packages/*.pth")
    return sorted(path.name for path in found if path.name not in EXPECTED_PTH)


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every tracked text file's name and content."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content:
            yield name, content.decode("utf-8", errors="replace")


def faults() -> Iterator[str]:
    """Everything that is wrong in this checkout."""
    for name, text in tracked_texts():
        if name not in LOCKS:
            yield from text_faults(name, text)
    for name in LOCKS:
        yield from lock_faults(name, (ROOT / name).read_text())
    for name in unexpected_pth(Path(sys.prefix)):
        yield f"{name}: an installed package brought a start-up file that is not expected"


def main() -> int:
    """Print the faults; the exit code says whether there are any."""
    found = list(faults())
    for fault in found:
        print(fault)
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
