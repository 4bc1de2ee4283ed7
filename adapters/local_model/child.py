"""The demo model's own process: loads its file, serves it on loopback, ends with standard input.

Run as `python -m adapters.local_model.child`. The first line of its input is an `Order`; each line
of its output is a `Report`. Standard output is kept clean for them, since the engine prints too.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, TextIO

EXIT_REFUSED = 3
"""The process said why it cannot serve; trying again would not help."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the parent asks for."""

    path: str
    sha256: str
    """Empty when the file was checked before."""
    api_key: str
    served_name: str
    threads: int
    slots: int
    slot_tokens: int
    warm_up: Sequence[tuple[str, str]] = ()
    """Roles and texts that every prompt begins with: read once, so that the first is as fast."""

    def to_line(self) -> bytes:
        """This order as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the child tells: a stage, and at the end its address or what is wrong."""

    stage: str
    address: str = ""
    memory_bytes: int = 0
    problem: str = ""

    def to_line(self) -> str:
        """This report as one line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self | None:
        """The report in a line; None if it is not one."""
        try:
            values = json.loads(line)
            return cls(**{f.name: values[f.name] for f in fields(cls)})
        except (ValueError, TypeError, KeyError):
            return None


def main() -> int:
    """Serve until standard input ends. Returns the exit code."""
    reports = _own_stdout()
    order = Order(**json.loads(sys.stdin.readline()))
    watcher = threading.Thread(target=_end_with_input, daemon=True)
    watcher.start()
    try:
        server = _serve(order, reports)
    except ImportError as error:
        return _refuse(reports, f"import: {error}")
    except _DamagedFileError:
        return _refuse(reports, "damaged")
    except RuntimeError as error:
        return _refuse(reports, f"engine: {error}")
    memory = _memory_bytes()
    _tell(reports, Report(stage="ready", address=server.listening_address, memory_bytes=memory))
    watcher.join()
    return 0


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    # Not sys.exit: taking the engine down politely can wait for an answer in progress.
    os._exit(0)


class _DamagedFileError(Exception):
    """The file is not the one that was ordered."""


def _serve(order: Order, reports: TextIO) -> Any:
    engine = importlib.import_module("xllamacpp")  # a compiled module without types
    if order.sha256:
        _tell(reports, Report(stage="checking"))
        if _sha256(order.path) != order.sha256:
            raise _DamagedFileError
    _tell(reports, Report(stage="loading"))
    server = engine.Server(_to_params(order, engine.CommonParams()))
    _tell(reports, Report(stage="warming"))
    _read_ahead(server, order)
    return server


def _own_stdout() -> TextIO:
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return reports


def _tell(reports: TextIO, report: Report) -> None:
    reports.write(report.to_line())
    reports.flush()


def _refuse(reports: TextIO, problem: str) -> int:
    _tell(reports, Report(stage="failed", problem=problem))
    return EXIT_REFUSED


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _to_params(order: Order, params: Any) -> Any:
    params.model.path = order.path
    params.model_alias = {order.served_name}
    params.api_keys = [order.api_key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = order.slots
    params.n_ctx = order.slots * order.slot_tokens
    params.cpuparams.n_threads = order.threads
    params.cpuparams_batch.n_threads = order.threads
    # The engine's defaults: a page, any origin, a view into others' prompts, 8 GB of cache.
    params.ui = False
    params.cors_origins = ""
    params.endpoint_slots = False
    params.cache_ram_mib = 0
    params.fit_params = False
    params.offline = True
    params.verbosity = 1
    return params


def _read_ahead(server: Any, order: Order) -> None:
    messages = [{"role": role, "content": text} for role, text in order.warm_up]
    if messages:
        server.handle_chat_completions({"messages": messages, "max_tokens": 1})


def _memory_bytes() -> int:
    """The most memory that this process has had; on Linux `ru_maxrss` counts the parent's too."""
    status = Path("/proc/self/status")
    if status.is_file():
        said = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(said["VmHWM"].split()[0]) * 1024
    import resource  # POSIX only, and the parent imports this module everywhere

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
