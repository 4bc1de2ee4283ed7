"""Rate limits: fixed windows per route and major parameter, and one global limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.loopback.discord.world import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many requests in so many seconds; the name is the bucket's hash."""

    name: str
    requests: int
    window_s: float


CREATE = Limit(name="create", requests=5, window_s=5.0)
EDIT = Limit(name="edit", requests=5, window_s=5.0)
OTHER = Limit(name="other", requests=20, window_s=1.0)
BY_ROUTE = (
    ("POST", re.compile(r"/channels/\d+/messages$"), CREATE),
    ("PATCH", re.compile(r"/channels/\d+/messages/\d+$"), EDIT),
    ("POST", re.compile(r"/channels/\d+/typing$"), Limit(name="typing", requests=5, window_s=5.0)),
    ("PUT", re.compile(r"/reactions/"), Limit(name="react", requests=1, window_s=0.25)),
    ("DELETE", re.compile(r"/reactions/"), Limit(name="react", requests=1, window_s=0.25)),
    ("", re.compile(r"^/webhooks/"), Limit(name="webhook", requests=5, window_s=2.0)),
    ("", re.compile(r"^/interactions/"), Limit(name="callback", requests=50, window_s=1.0)),
)
MAJOR = re.compile(r"^/(?:channels|guilds|webhooks)/(\d+)(?:/([^/]+)(?=/|$))?")
NOT_GLOBAL = ("/interactions/", "/webhooks/")
PER_SECOND = 50


@dataclass(slots=True)
class Window:
    """One running window."""

    limit: Limit
    ends_s: float = 0.0
    used: int = 0


@dataclass(slots=True)
class Limits:
    """Counts requests; says for each whether it passes and what its headers are."""

    now_s: Callable[[], float]
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    every: Window = field(
        default_factory=lambda: Window(Limit(name="global", requests=PER_SECOND, window_s=1.0))
    )

    def take(self, method: str, path: str) -> tuple[Payload | None, dict[str, str]]:
        """The 429's body, or None when the request may pass; with the headers of either."""
        now_s = self.now_s()
        if not path.startswith(NOT_GLOBAL) and not spend(self.every, now_s):
            return refusal(self.every, now_s, everywhere=True)
        limit = limit_of(method, path)
        window = self.windows.setdefault((limit.name, major_of(path)), Window(limit))
        if not spend(window, now_s):
            return refusal(window, now_s)
        return None, headers_of(window, now_s)


def limit_of(method: str, path: str) -> Limit:
    """The limit that a route falls under."""
    for wanted, pattern, limit in BY_ROUTE:
        if wanted in ("", method) and pattern.search(path):
            return limit
    return OTHER


def major_of(path: str) -> str:
    """Channel, server, or webhook with its token."""
    match = MAJOR.match(path)
    if match is None:
        return ""
    return f"{match[1]}:{match[2]}" if path.startswith("/webhooks/") else match[1]


def spend(window: Window, now_s: float) -> bool:
    """Count one request if there is room for it."""
    if now_s >= window.ends_s:
        window.ends_s, window.used = now_s + window.limit.window_s, 0
    if window.used >= window.limit.requests:
        return False
    window.used += 1
    return True


def headers_of(window: Window, now_s: float) -> dict[str, str]:
    """What a client reads to pace itself."""
    return {
        "X-RateLimit-Limit": str(window.limit.requests),
        "X-RateLimit-Remaining": str(window.limit.requests - window.used),
        "X-RateLimit-Reset": f"{window.ends_s:.3f}",
        "X-RateLimit-Reset-After": f"{max(window.ends_s - now_s, 0.001):.3f}",
        "X-RateLimit-Bucket": window.limit.name,
    }


def refusal(
    window: Window, now_s: float, *, everywhere: bool = False
) -> tuple[Payload, dict[str, str]]:
    """A 429 as Discord words it."""
    wait_s = round(max(window.ends_s - now_s, 0.001), 3)
    body = {"message": "You are being rate limited.", "retry_after": wait_s, "global": everywhere}
    headers = {} if everywhere else headers_of(window, now_s)
    scope = "global" if everywhere else "user"
    headers |= {"Retry-After": str(wait_s), "X-RateLimit-Scope": scope}
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    return body, headers
