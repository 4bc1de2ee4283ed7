from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.local_model import assets
from bot.errors import ProviderUnavailableError


def test_a_missing_model_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MODEL_PACKAGE", "no-such-package")
    with pytest.raises(ProviderUnavailableError, match=r"not installed.*Ollama"):
        assets.find_assets()


def test_a_missing_engine_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "ENGINE_MODULE", "no_such_module")
    with pytest.raises(ProviderUnavailableError, match=r"Set a provider's key"):
        assets.find_assets()


@pytest.mark.parametrize("part", ["MODEL_PACKAGE", "ENGINE_MODULE"])
def test_without_either_part_it_is_not_installed(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, part, "no_such_thing")
    assert not assets.is_installed()


@pytest.mark.parametrize(
    ("cpus", "limit", "threads"),
    [
        (1, "max 100000", 1),
        (2, "max 100000", 1),
        (4, "max 100000", 3),
        (64, "max 100000", 4),
        (64, "200000 100000", 1),
        (64, "50000 100000", 1),
        (4, "nonsense", 3),
    ],
)
def test_one_core_is_left_to_everything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpus: int, limit: str, threads: int
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(limit)
    monkeypatch.setattr(assets, "_CGROUP_CPU", quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cpus)), raising=False)
    assert assets.worker_threads() == threads


def test_the_spare_library_is_offered_only_when_asked_for() -> None:
    found = assets.Assets(model_path="model.gguf", openmp_folder="/spare")
    assert "LD_LIBRARY_PATH" not in assets.environment(found, with_spare_openmp=False)
    assert assets.environment(found, with_spare_openmp=True)["LD_LIBRARY_PATH"] == "/spare"
