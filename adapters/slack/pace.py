"""One budget per Web API method and workspace, kept below Slack's tiers; it knows no network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """A steady rate and a burst; together they stay below a tier in any minute."""

    per_minute: float
    burst: int


RATES = {
    "chat.startStream": Rate(15, 5),
    "chat.appendStream": Rate(68, 30),
    "chat.stopStream": Rate(15, 5),
    "chat.update": Rate(40, 10),
    "chat.delete": Rate(40, 10),
    "chat.postMessage": Rate(45, 5),  # each channel has its own
    "assistant.threads.setStatus": Rate(450, 100),
    "assistant.threads.setTitle": Rate(40, 10),
    "assistant.threads.setSuggestedPrompts": Rate(40, 10),
    "agents.sessions.setStatus": Rate(40, 10),
    "conversations.replies": Rate(40, 10),
    "conversations.history": Rate(40, 10),
    "users.info": Rate(80, 20),
}
DEFAULT_RATE = Rate(40, 10)
RECOVERY_S = 60.0


class Bucket:
    """Tokens that refill steadily; a refusal by Slack closes it and halves its rate for a while."""

    def __init__(self, rate: Rate, elapsed_s: Callable[[], float]):
        self._rate = rate
        self._elapsed_s = elapsed_s
        self._tokens = float(rate.burst)
        self._at_s = elapsed_s()
        self._closed_until_s = 0.0
        self._slow_until_s = 0.0
        self._line = asyncio.Lock()

    def wait_s(self, *, reserve: float = 0.0) -> float:
        """How long until one call is allowed that leaves `reserve` for others; 0 when it is."""
        self._refill()
        closed_s = max(0.0, self._closed_until_s - self._at_s)
        missing = max(0.0, 1.0 + reserve - self._tokens)
        return closed_s + missing / self._per_s()

    def may_take(self, *, reserve: float = 0.0) -> bool:
        """Take a token when there is one, beside those reserved for others."""
        if self.wait_s(reserve=reserve) > 0:
            return False
        self._tokens -= 1
        return True

    async def take(self) -> None:
        """Wait for a token and take it; first come, first served."""
        async with self._line:
            while not self.may_take():  # noqa: ASYNC110 — it is the time that is waited for
                await asyncio.sleep(max(0.01, self.wait_s()))

    def refuse(self, retry_after_s: float) -> None:
        """Slack said to wait: nothing until then, and half the rate for a minute."""
        self._refill()
        self._tokens = min(self._tokens, 1.0)
        self._closed_until_s = self._at_s + retry_after_s
        self._slow_until_s = self._closed_until_s + RECOVERY_S

    def _per_s(self) -> float:
        per_s = self._rate.per_minute / 60
        return per_s / 2 if self._at_s < self._slow_until_s else per_s

    def _refill(self) -> None:
        now_s = self._elapsed_s()
        open_s = now_s - max(self._at_s, self._closed_until_s)
        self._tokens += max(0.0, open_s) * self._per_s()
        self._tokens = min(self._tokens, float(self._rate.burst))
        self._at_s = now_s


@dataclass
class Pace:
    """Every bucket of one workspace."""

    elapsed_s: Callable[[], float]
    rates: dict[str, Rate] = field(default_factory=lambda: dict(RATES))
    open_streams: int = 0
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def bucket(self, method: str, channel_id: str = "") -> Bucket:
        """The bucket of a method; posts have one for each channel."""
        key = (method, channel_id if method == "chat.postMessage" else "")
        if key not in self._buckets:
            rate = self.rates.get(method, DEFAULT_RATE)
            self._buckets[key] = Bucket(rate, self.elapsed_s)
        return self._buckets[key]
