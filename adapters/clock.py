"""The system's clock, behind the core's port."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()
