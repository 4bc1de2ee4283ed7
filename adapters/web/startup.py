"""What has started already and what is still loading, for the page to show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class StageState(StrEnum):
    """How far one part has come."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of the start, named as people read it: `Demo model`."""

    name: str
    state: StageState = StageState.WAITING
    detail: str = ""
    """A few words: what was found, or why it failed and what to do."""


class Stages(Protocol):
    """Where the page learns how far the start has come."""

    def stages(self) -> tuple[Stage, ...]:
        """Every part, in the order in which they start."""

    def is_ready(self) -> bool:
        """Whether nothing loads any more; a prompt asked before waits."""

    def watch(self) -> AsyncIterator[tuple[Stage, ...]]:
        """The stages now and after each change; ends when all is ready."""


class Startup:
    """The stages as `main` reports them."""

    def __init__(self, *names: str) -> None:
        self._stages = {name: Stage(name=name) for name in names}
        self._changed = asyncio.Event()

    def working(self, name: str, detail: str = "") -> None:
        """A part has begun to load."""
        self._set(name, StageState.WORKING, detail)

    def done(self, name: str, detail: str = "") -> None:
        """A part is there."""
        self._set(name, StageState.DONE, detail)

    def failed(self, name: str, detail: str) -> None:
        """A part will not come; the others go on."""
        self._set(name, StageState.FAILED, detail)

    def stages(self) -> tuple[Stage, ...]:
        """Every part, in the order in which they start."""
        return tuple(self._stages.values())

    def is_ready(self) -> bool:
        """Whether nothing loads any more."""
        return _is_ready(self.stages())

    async def watch(self) -> AsyncIterator[tuple[Stage, ...]]:
        """The stages now and after each change; ends when all is ready."""
        while True:
            changed, stages = self._changed, self.stages()
            yield stages
            if _is_ready(stages):
                return
            await changed.wait()

    def _set(self, name: str, state: StageState, detail: str) -> None:
        stage = self._stages.get(name, Stage(name=name))
        self._stages[name] = replace(stage, state=state, detail=detail)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _is_ready(stages: tuple[Stage, ...]) -> bool:
    return all(stage.state in (StageState.DONE, StageState.FAILED) for stage in stages)
