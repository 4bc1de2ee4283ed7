"""`parley train --from-ledger`, `--versions`, `--rollback`: what opinions taught each workspace."""

from __future__ import annotations

import sys

from adapters.cli.program import Program
from adapters.clock import SystemClock
from adapters.settings import made_home
from adapters.teaching import Lesson, Teacher
from bot.errors import PromptError
from bot.lessons import LearnedVersion
from bot.settings import parse_setting
from storage import SqlStore, open_store

_NOTHING = "Nobody has given an opinion yet: 👍, 👎 and Heavier under the answers are opinions.\n"
_SWITCH = "It is used where `settings workspace learn on` is typed in that workspace.\n"


async def from_ledger(program: Program, workspace: str) -> int:
    """Refit every workspace with opinions, or one; returns the exit code."""
    async with open_store(made_home(program.settings())) as store:
        names = await _workspaces(store, workspace)
        for name in names:
            _say_lesson(await _teacher(program, store).refit(name))
            if not await _learns(store, name):
                sys.stdout.write(_SWITCH)
        if not names:
            sys.stdout.write(_NOTHING)
    return 0


async def versions(program: Program, workspace: str) -> int:
    """List what was learned, the newest first; returns the exit code."""
    async with open_store(made_home(program.settings())) as store:
        names = await _workspaces(store, workspace)
        for name in names:
            learns = await _learns(store, name)
            sys.stdout.write(f"{name} (learn is {'on' if learns else 'off'})\n")
            used = await store.learned(name)
            in_use = "in use" if learns else "ready, and in use once learn is on"
            for version in await store.learned_versions(name):
                state = in_use if version == used else _state(version)
                sys.stdout.write(_line(version, state))
            if used is None or not learns:
                sys.stdout.write("  The shipped model is in use.\n")
        if not names:
            sys.stdout.write(_NOTHING)
    return 0


async def roll_back(program: Program, workspace: str) -> int:
    """Take the version in use back; returns the exit code."""
    async with open_store(made_home(program.settings())) as store:
        names = await _workspaces(store, workspace)
        if len(names) != 1:
            raise PromptError(
                "Say whose with --workspace: "
                f"{', '.join(names) or 'nobody has given an opinion yet, so nothing was learned'}."
            )
        taken = await _teacher(program, store).roll_back(names[0])
        now = await store.learned(names[0])
    if taken is None:
        sys.stdout.write(f"{names[0]}: nothing was learned here; the shipped model is in use.\n")
        return 0
    sys.stdout.write(
        f"{names[0]}: {taken.version} was taken back. In use from the next prompt on: "
        f"{now.version if now else 'the shipped model'}.\n"
        "The next nightly refit waits for 30 new opinions; `settings workspace learn off` "
        "stops them.\n"
    )
    return 0


async def _workspaces(store: SqlStore, workspace: str) -> tuple[str, ...]:
    """The one that was named, else all with opinions; raises PromptError for an unknown one."""
    known = await store.rated_workspaces()
    if not workspace:
        return known
    if workspace not in known and not await store.learned_versions(workspace):
        there = ", ".join(known) or "nowhere"
        raise PromptError(f"Nobody has given an opinion in {workspace!r}. There are: {there}.")
    return (workspace,)


def _teacher(program: Program, store: SqlStore) -> Teacher:
    catalog = program.listed_models(program.settings()).listed
    return Teacher(store, program.estimator(), SystemClock(), catalog.aliases)


async def _learns(store: SqlStore, scope_id: str) -> bool:
    """Whether the workspace, or a place in it, uses what was learned."""
    places = await store.places_with("learn")
    return any(
        bool(parse_setting("learn", text))
        for place, text in places.items()
        if place == scope_id or place.startswith(f"{scope_id}/")
    )


def _say_lesson(lesson: Lesson) -> None:
    name = f": version {lesson.version.version}" if lesson.version else ""
    sys.stdout.write(f"{lesson.scope_id}{name}\n{_indented(lesson.report)}")


def _state(version: LearnedVersion) -> str:
    if version.is_withdrawn:
        return "taken back"
    return "replaced" if version.is_accepted else "refused"


def _line(version: LearnedVersion, state: str) -> str:
    return (
        f"  {version.version}, {version.created_at:%-d %B %Y %H:%M} UTC, {state}\n"
        f"{_indented(version.report, '    ')}"
    )


def _indented(text: str, by: str = "  ") -> str:
    return "".join(f"{by}{line}\n" for line in text.splitlines())
