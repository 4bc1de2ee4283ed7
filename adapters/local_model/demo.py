"""Keeps the demo model running: one child process, started, watched, restarted, ended.

It knows processes, not prompts; `prompting` has those.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self

from adapters.local_model import assets as parts
from adapters.local_model.child import Order, Report
from adapters.local_model.ending import Ending, explain
from adapters.local_model.process import ChildRun
from adapters.local_model.prompting import CONTEXT_TOKENS, SERVED_NAME, preamble
from bot.errors import ProviderUnavailableError

PROGRAM = (sys.executable, "-P", "-m", "adapters.local_model.child")
SLOTS = 2
START_TIMEOUT_S = 60.0
MAX_RESTARTS = 3
RESTART_WINDOW_S = 600.0
FIRST_PAUSE_S = 0.1

logger = logging.getLogger(__name__)


class Stage(StrEnum):
    """How far the demo model is, in words for the page."""

    FINDING = "looking for the demo model"
    STARTING = "starting the demo model"
    CHECKING = "checking its file"
    LOADING = "loading it"
    WARMING = "warming it up"
    READY = "ready"
    RESTARTING = "starting it again"
    FAILED = "not available"


_TOLD = {
    "checking": Stage.CHECKING,
    "loading": Stage.LOADING,
    "warming": Stage.WARMING,
    "ready": Stage.READY,
}


class DemoModel:
    """The demo model's process: `async with` starts it and does not wait for it.

    `ready()` waits. It is served in OpenAI's protocol at `base_url`, on loopback, for `api_key`.
    """

    def __init__(
        self,
        *,
        program: Sequence[str] = PROGRAM,
        find_assets: Callable[[], parts.Assets] = parts.find_assets,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        """`program` is run as the child; it may be another one in tests."""
        self.api_key = secrets.token_urlsafe(24)
        self.pid: int | None = None
        self.base_url: str | None = None
        """Changes when the process is started again."""
        self.start_s: float | None = None
        """How long the last start took."""
        self.memory_bytes: int | None = None
        """Its memory once loaded."""
        self._program = program
        self._find_assets = find_assets
        self._start_timeout_s = start_timeout_s
        self._stages: list[Stage] = []
        self._settled = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._run_began = time.monotonic()
        self._is_file_checked = self._needs_spare_openmp = False

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What happened so far, in order."""
        return tuple(self._stages)

    @property
    def failure(self) -> str | None:
        """Why there is no demo model, in words; None while there is hope."""
        return self._failure

    async def ready(self) -> str:
        """Wait until it answers; its address. Raises ProviderUnavailableError if it never will."""
        while self.base_url is None:
            await self._settled.wait()
            if self._failure is not None:
                raise ProviderUnavailableError(self._failure)
        return self.base_url

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._supervise(), name="demo-model")
        self._task.add_done_callback(self._close)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()

    def _close(self, task: asyncio.Task[None]) -> None:
        """However it ended, nobody waits for ever."""
        self._failure = self._failure or "The demo model was shut down."
        self._settled.set()

    async def _supervise(self) -> None:
        try:
            self._mark(Stage.FINDING)
            self._fail(await self._keep_running(await asyncio.to_thread(self._find_assets)))
        except ProviderUnavailableError as error:
            self._fail(str(error))
        except OSError as error:
            logger.warning("The demo model's process cannot be started.", exc_info=error)
            self._fail(explain(Ending(code=0)))

    async def _keep_running(self, assets: parts.Assets) -> str:
        """Start the child again when it dies; returns why that is not tried any more."""
        restarts: deque[float] = deque(maxlen=MAX_RESTARTS)
        ending = await self._run(assets, first_stage=Stage.STARTING)
        while ending.may_restart and not _too_often(restarts):
            restarts.append(time.monotonic())
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** len(restarts))
            ending = await self._run(assets, first_stage=Stage.RESTARTING)
        return explain(ending)

    async def _run(self, assets: parts.Assets, *, first_stage: Stage) -> Ending:
        self._mark(first_stage)
        self._run_began = time.monotonic()
        run = ChildRun(self._program, self._hear, start_timeout_s=self._start_timeout_s)
        environment = parts.environment(assets, with_spare_openmp=self._needs_spare_openmp)
        try:
            ending = await run.run(self._order(assets), environment, self._started)
        finally:
            self._settled.clear()
            self.base_url = self.pid = None
        logger.warning(
            "The demo model's process ended.",
            extra={"code": ending.code, "problem": ending.problem, "detail": ending.detail},
        )
        if ending.lacks_openmp and assets.openmp_folder and not self._needs_spare_openmp:
            self._needs_spare_openmp = True
            return await self._run(assets, first_stage=first_stage)
        return ending

    def _order(self, assets: parts.Assets) -> Order:
        return Order(
            path=assets.model_path,
            sha256="" if self._is_file_checked else assets.model_sha256,
            api_key=self.api_key,
            served_name=SERVED_NAME,
            threads=parts.worker_threads(),
            slots=SLOTS,
            slot_tokens=CONTEXT_TOKENS,
            warm_up=tuple((message.role, message.text) for message in preamble()),
        )

    def _started(self, pid: int) -> None:
        self.pid = pid

    def _hear(self, report: Report) -> None:
        stage = _TOLD.get(report.stage)
        if stage is not None:
            self._mark(stage)
        if stage is Stage.READY:
            self._is_file_checked = True
            self.base_url = f"{report.address}/v1"
            self.memory_bytes = report.memory_bytes
            self.start_s = time.monotonic() - self._run_began
            self._settled.set()
            logger.info("The demo model is ready.", extra={"start_s": round(self.start_s, 3)})

    def _mark(self, stage: Stage) -> None:
        self._stages.append(stage)

    def _fail(self, why: str) -> None:
        self._failure = why
        self._mark(Stage.FAILED)


def _too_often(restarts: deque[float]) -> bool:
    is_full = len(restarts) == MAX_RESTARTS
    return is_full and time.monotonic() - restarts[0] < RESTART_WINDOW_S
