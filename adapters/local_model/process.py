"""One run of the demo model's process: it gets its order, its reports are passed on, it is ended.

The child lives as long as its standard input is open, so it never outlives this process.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence

from adapters.local_model.child import Order, Report
from adapters.local_model.ending import Ending

END_TIMEOUT_S = 1.0
_TAIL_BYTES = 2_000


class ChildRun:
    """Runs the child once; `on_report` hears each of its reports."""

    def __init__(
        self, program: Sequence[str], on_report: Callable[[Report], None], *, start_timeout_s: float
    ) -> None:
        self._program = program
        self._on_report = on_report
        self._start_timeout_s = start_timeout_s
        self._problem = ""
        self._was_ready = False
        self._tail = b""

    async def run(
        self, order: Order, environment: Mapping[str, str], on_start: Callable[[int], None]
    ) -> Ending:
        """Start it and wait for its end; cancelled, it ends the child. `on_start` hears its id."""
        # A session of its own: Ctrl-C reaches Parley, which ends the child after its last answer.
        process = await asyncio.create_subprocess_exec(
            *self._program,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=dict(environment),
            start_new_session=True,
        )
        try:
            on_start(process.pid)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_tail(process))
                group.create_task(self._listen(process, order))
        finally:
            await _end(process)
        return Ending(
            code=process.returncode or 0,
            problem=self._problem,
            detail=self._tail.decode(errors="replace"),
        )

    async def _listen(self, process: Process, order: Order) -> None:
        try:
            async with asyncio.timeout(self._start_timeout_s):
                await _send(process, order)
                while not self._was_ready and await self._hear(process):
                    pass
        except TimeoutError:
            self._problem = "timeout"
            process.kill()
        while await self._hear(process):
            pass

    async def _hear(self, process: Process) -> bool:
        """Take one line; False at the end."""
        assert process.stdout is not None
        try:
            line = await process.stdout.readline()
        except ValueError:  # a line beyond any report's length
            return True
        report = Report.from_line(line)
        if report is not None:
            self._problem = report.problem or self._problem
            self._was_ready = self._was_ready or report.stage == "ready"
            self._on_report(report)
        return bool(line)

    async def _keep_tail(self, process: Process) -> None:
        assert process.stderr is not None
        while chunk := await process.stderr.read(_TAIL_BYTES):
            self._tail = (self._tail + chunk)[-_TAIL_BYTES:]


async def _send(process: Process, order: Order) -> None:
    assert process.stdin is not None
    # A child that has ended already cannot be written to; its exit code tells why.
    with contextlib.suppress(ConnectionError):
        process.stdin.write(order.to_line())
        await process.stdin.drain()


async def _end(process: Process) -> None:
    """End a child by closing its input, and by force if it does not mind that."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
