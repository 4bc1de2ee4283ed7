"""Signs of life beside the app's name: the thread's status, and the session's stop control."""

from __future__ import annotations

import asyncio
import logging
from asyncio import FIRST_COMPLETED

from adapters.slack.errors import PlaceError, SlackRefusalError, TokenError
from adapters.slack.posts import Place
from adapters.slack.workspaces import Workspace
from bot.errors import DeliveryError

logger = logging.getLogger(__name__)

REFRESH_S = 90.0
"""Slack clears a status after two minutes."""
STATUS = "assistant.threads.setStatus"
SESSION = "agents.sessions.setStatus"
CLOSE_S = 5.0
RESERVED_ENDS = 5.0
"""Of the sessions' budget: a session that was opened can also be ended."""


class Signs:
    """Shows that somebody is at work; the latest word wins, and none is left behind.

    When the budget for it is used up, there is none: nobody waits for a sign of life.
    """

    def __init__(self, workspace: Workspace, place: Place, title: str) -> None:
        self._workspace = workspace
        self._place = place
        self._title = " ".join(title.split())[:80]
        self._wanted = ""
        self._news = asyncio.Event()
        self._is_quiet = asyncio.Event()
        self._may_end = asyncio.Event()
        self._is_over = False
        self.has_session = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Show a status now, and Slack's stop control when its budget allows."""
        self.status("is thinking…")
        self._task = asyncio.create_task(self._run(), name="slack status")

    def status(self, text: str) -> None:
        """Show this; never waits."""
        self._wanted = text
        self._news.set()

    async def hush(self) -> None:
        """No more words: what is posted from now on clears the status, and none comes after it."""
        self._is_over = True
        self._news.set()
        if self._task is not None:
            quiet = asyncio.create_task(self._is_quiet.wait())
            await asyncio.wait({quiet, self._task}, timeout=CLOSE_S, return_when=FIRST_COMPLETED)
            quiet.cancel()

    async def close(self, *, is_session_over: bool = False) -> None:
        """The answer is there, or nobody waits for it: the session waits for the person again."""
        self.has_session = self.has_session and not is_session_over
        await self.hush()
        self._may_end.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_S)
            self._task.cancel()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._open_session())
            while not self._is_over:
                self._news.clear()
                await self._call(STATUS, status=self._wanted)
                await self._next()
        self._is_quiet.set()
        await self._may_end.wait()
        if self.has_session:
            await self._workspace.api.pace.bucket(SESSION).take()
            await self._call(SESSION, is_paid=True, status="active")

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(REFRESH_S):
                await self._news.wait()
        except TimeoutError:
            return

    async def _open_session(self) -> None:
        if self._workspace.api.pace.bucket(SESSION).may_take(reserve=RESERVED_ENDS):
            self.has_session = await self._call(
                SESSION,
                is_paid=True,
                status="processing",
                title=self._title or None,
                initiator_user_id=self._place.user_id,
            )

    async def _call(self, method: str, *, is_paid: bool = False, **args: object) -> bool:
        """Whether there was budget and Slack took it; what it refuses is not tried again."""
        if method in self._workspace.off:
            return False
        if not (is_paid or self._workspace.api.pace.bucket(method).may_take()):
            return False
        place = {"channel_id": self._place.channel_id, "thread_ts": self._place.thread_ts}
        try:
            await self._workspace.api.call(method, is_paid=True, **place, **args)
        except SlackRefusalError as error:
            if not isinstance(error, (PlaceError, TokenError)):
                self._workspace.off.add(method)
            logger.info("slack refuses signs of life", extra={"method": method, "code": error.code})
            return False
        except DeliveryError as error:
            logger.info("no sign of life", extra={"method": method, "error": str(error)})
            return False
        return True


class NoSigns(Signs):
    """For a further message of a turn: its answer shows the signs."""

    def begin(self) -> None:
        """Nothing to show."""

    def status(self, text: str) -> None:
        """Nothing to show."""
