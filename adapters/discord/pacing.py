"""How fast we may write: one lane of edits for each channel, one throttle for the whole bot.

Discord takes 5 edits in 5 seconds in a channel, whoever's answer they belong to, and 50 requests
a second of one bot. A preview always leaves room for the last edit of an answer.
"""

from __future__ import annotations

import asyncio
import heapq
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from itertools import count

LANE_WINDOW_S = 5.0
LANE_EDITS = 5
PREVIEW_EVERY_S = 1.2
STREAMS_A_SECOND = 30
REQUESTS_A_SECOND = 40.0
REQUESTS_AT_ONCE = 6
IDLE_LANES = 500

Now = Callable[[], float]


class Urgency(IntEnum):
    """Who goes first when not everybody may."""

    FINAL = 0
    FIRST = 1
    PREVIEW = 2
    TYPING = 3


class Gate(ABC):
    """Lets callers through one by one: the most urgent first, then in the order they came."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._queue: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not self._queue

    @abstractmethod
    def wait_s(self, urgency: Urgency) -> float:
        """How long a caller of this urgency has still to wait; 0 lets it through."""

    @abstractmethod
    def take(self) -> None:
        """Count one caller."""

    async def admit(self, urgency: Urgency) -> None:
        """Return as soon as the caller may go. Cancelling it gives up the place."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (urgency, next(self._order), turn))
        self._move()
        await turn

    def _move(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            urgency, _, turn = self._queue[0]
            if turn.done():
                heapq.heappop(self._queue)
                continue
            wait_s = self.wait_s(urgency)
            if wait_s > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._move)
                return
            heapq.heappop(self._queue)
            self.take()
            turn.set_result(None)


class Throttle(Gate):
    """So many requests a second, a few of them at once."""

    def __init__(self, now: Now, rate: float = REQUESTS_A_SECOND) -> None:
        super().__init__(now)
        self._rate = rate
        self._tokens = float(REQUESTS_AT_ONCE)
        self._at_s = now()

    def wait_s(self, urgency: Urgency) -> float:
        now_s = self._now()
        grown = self._tokens + (now_s - self._at_s) * self._rate
        self._tokens, self._at_s = min(grown, float(REQUESTS_AT_ONCE)), now_s
        # What is not urgent leaves a little for what is.
        needed = 1.0 if urgency is Urgency.FINAL else 2.0
        return max(0.0, (needed - self._tokens) / self._rate)

    def take(self) -> None:
        self._tokens -= 1.0


class Lane(Gate):
    """The edits of one channel."""

    def __init__(self, now: Now, spacing_s: Callable[[], float]) -> None:
        super().__init__(now)
        self._spacing_s = spacing_s
        self._sent: deque[float] = deque(maxlen=LANE_EDITS)
        self._shown_s = float("-inf")

    def note_post(self) -> None:
        """A new message appeared: its first edit comes no sooner than any other."""
        self._shown_s = self._now()

    def wait_s(self, urgency: Urgency) -> float:
        now_s = self._now()
        while self._sent and now_s - self._sent[0] >= LANE_WINDOW_S:
            self._sent.popleft()
        is_preview = urgency is Urgency.PREVIEW
        room = LANE_EDITS - len(self._sent) - (1 if is_preview else 0)
        for_room_s = 0.0 if room > 0 else self._sent[0] + LANE_WINDOW_S - now_s
        for_pace_s = self._shown_s + self._spacing_s() - now_s if is_preview else 0.0
        return max(0.0, for_room_s, for_pace_s)

    def take(self) -> None:
        self._shown_s = self._now()
        self._sent.append(self._shown_s)


class Pacer:
    """All lanes and the throttle, stretched as more answers stream."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._throttle = Throttle(now)
        self._lanes: dict[str, Lane] = {}
        self._streams = 0

    @property
    def spacing_s(self) -> float:
        """How far apart the previews of one channel are now."""
        return max(PREVIEW_EVERY_S, self._streams / STREAMS_A_SECOND)

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Count one more answer for as long as it streams."""
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    async def edit(self, channel_id: str, urgency: Urgency) -> None:
        """Wait until a message in this channel may be edited."""
        await self._lane(channel_id).admit(urgency)
        await self._throttle.admit(urgency)

    def note_post(self, channel_id: str) -> None:
        """A new message of an answer appeared in this channel."""
        self._lane(channel_id).note_post()

    async def send(self, urgency: Urgency) -> None:
        """Wait until something else may be sent."""
        await self._throttle.admit(urgency)

    def _lane(self, channel_id: str) -> Lane:
        if channel_id not in self._lanes:
            self._forget_idle()
            self._lanes[channel_id] = Lane(self._now, lambda: self.spacing_s)
        return self._lanes[channel_id]

    def _forget_idle(self) -> None:
        """A lane that is not used has nothing to remember."""
        if len(self._lanes) < IDLE_LANES:
            return
        for channel_id, lane in list(self._lanes.items()):
            if lane.is_idle and lane.wait_s(Urgency.PREVIEW) == 0.0:
                del self._lanes[channel_id]
