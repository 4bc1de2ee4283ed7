"""A small checkout for the wrapper to set up: one tiny dependency, from an index on this machine.

The wrapper, pip, venv and uv are the real ones; only what they fetch is small.
"""

import base64
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.packaging.hygiene import ROOT

PYTHON = Path(sys.executable).resolve()
# What the wrapper may call on a system that has little else.
TOOLS = (
    *("sh", "env", "awk", "cat", "cksum", "cut", "date", "dirname", "du"),
    *("grep", "ls", "mkdir", "printf", "rm", "sleep", "tail", "uname"),
)

PYPROJECT = """
[project]
name = "parley"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["tiny"]

[project.scripts]
parley = "adapters.main:main"

[dependency-groups]
demo = []
dev = []
"""

MAIN = '''
import os
import sys


def main():
    """Say what was asked, from where."""
    text = sys.stdin.read() if "-" in sys.argv else ""
    print(sys.argv[1:], os.getcwd(), text)
    return 7 if "fail" in sys.argv else 0
'''


def find_uv() -> str | None:
    """The installer of this very checkout, or one on the path."""
    own = ROOT / ".uv/bin/uv"
    return str(own) if own.exists() else shutil.which("uv")


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> str:
    """Make a pure wheel of these files and return its sha256."""
    info = f"{name}-{version}.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents = files | meta
    record = "".join(f"{path},{_record_hash(text)}\n" for path, text in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16  # a program stays one
            archive.writestr(entry, text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _record_hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()},{len(text.encode())}"


def pin(name: str, version: str, sha256: str) -> str:
    """One package's lines in a lock."""
    return f"{name}=={version} \\\n    --hash=sha256:{sha256}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A package index on loopback: what was made, where it is served, what was asked of it."""

    folder: Path
    url: str
    requests: list[str]

    def add(self, name: str, version: str, files: dict[str, str]) -> str:
        """Publish a wheel and return its lines for a lock."""
        project = self.folder / "simple" / name
        project.mkdir(parents=True, exist_ok=True)
        sha256 = write_wheel(project, name, version, files)
        links = (f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in project.glob("*.whl"))
        (project / "index.html").write_text("\n".join(links))
        return pin(name, version, sha256)


@contextmanager
def serve_index(folder: Path) -> Iterator[Index]:
    """Serve a folder of wheels on a free port until the end of the block."""
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            requests.append(format % args)

    handler = functools.partial(Handler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/simple/"
        yield Index(folder=folder, url=url, requests=requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A folder with the wrapper in it, a HOME that is empty, and the PATH it is run with."""

    root: Path
    home: Path
    path: str
    index_url: str

    def command(self, *args: str) -> list[str]:
        """What a person types."""
        return [str(self.root / "parley"), *args]

    def environment(self, **extra: str) -> dict[str, str]:
        """As `env -i` leaves it, and the index on loopback."""
        return {
            "HOME": str(self.home),
            "PATH": self.path,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index_url,
            "UV_HTTP_RETRIES": "0",
            **extra,
        }

    def run(
        self, *args: str, cwd: Path | None = None, stdin: str = "", **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the wrapper to its end."""
        return subprocess.run(
            self.command(*args),
            cwd=cwd or self.home,
            env=self.environment(**extra),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )


def make_checkout(folder: Path, index: Index, *, path: str, name: str = "parley") -> Checkout:
    """A checkout that asks for `tiny` (in the server lock too) and `tinydemo`."""
    root, home = folder / name, folder / "home"
    (root / "adapters").mkdir(parents=True)
    home.mkdir()
    shutil.copy2(ROOT / "parley", root)
    build = (ROOT / "pyproject.toml").read_text().split("[build-system]")[1].split("[tool.uv.")[0]
    backend = '[tool.uv.build-backend]\nmodule-name = ["adapters"]\nmodule-root = ""\n'
    (root / "pyproject.toml").write_text(f"{PYPROJECT}\n[build-system]{build}{backend}")
    (root / "adapters/__init__.py").touch()
    (root / "adapters/main.py").write_text(MAIN)
    tiny = index.add("tiny", "1.0", {"tiny.py": "value = 1\n"})
    demo = index.add("tinydemo", "1.0", {"tinydemo.py": "value = 2\n"})
    (root / "requirements.lock").write_text(tiny + demo)
    (root / "requirements-server.lock").write_text(tiny)
    (root / "requirements-uv.lock").write_text(publish_uv(index))
    return Checkout(root=root, home=home, path=path, index_url=index.url)


def publish_uv(index: Index) -> str:
    """A wheel under uv's name whose program hands over to the real one."""
    version = re.findall(r"^uv==(\S+)", (ROOT / "requirements-uv.lock").read_text())[0]
    program = f'#!/bin/sh\nexec "{find_uv()}" "$@"\n'
    return index.add("uv", version, {f"uv-{version}.data/scripts/uv": program})


def tools_only(folder: Path) -> Path:
    """A PATH with the few programs every system has, and no Python."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"this system has no {tool}"
        (folder / tool).symlink_to(found)
    return folder


def add_program(folder: Path, name: str, script: str) -> None:
    """Put a shell program on a PATH."""
    program = folder / name
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def add_python(folder: Path) -> None:
    """The Python that runs the tests, whole, as python3."""
    add_program(folder, "python3", f'exec "{PYTHON}" "$@"')


def add_stripped_python(folder: Path, lib: Path, *, with_pip: bool) -> None:
    """A Python as Debian gives it: no ensurepip; pip, if at all, closed to the outside."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    source, target = PYTHON.parents[1] / "lib" / version, lib / "lib" / version
    target.mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name not in {"ensurepip", "site-packages"}:
            (target / entry.name).symlink_to(entry)
    (target / "site-packages").mkdir()
    (target / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=use the package tool\n")
    if with_pip:
        (target / "site-packages/pip").symlink_to(source / "site-packages/pip")
    add_program(folder, "python3", f'PYTHONHOME="{lib}" exec "{PYTHON}" "$@"')
