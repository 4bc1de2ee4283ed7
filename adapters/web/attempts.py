"""How often a wrong token may be given: together, not by address, which a guesser can change."""

from __future__ import annotations

from collections import deque

from bot.ports import Clock

MAX_FAILURES = 10
WITHIN_S = 60.0


class Attempts:
    """Remembers the latest failures; scripts with the token in a header are not held up by them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed_at_s: deque[float] = deque(maxlen=MAX_FAILURES)

    def note_failure(self) -> None:
        """Somebody gave a wrong token."""
        self._failed_at_s.append(self._clock.elapsed_s())

    def are_too_many(self) -> bool:
        """Whether nobody is let in for now."""
        is_full = len(self._failed_at_s) == MAX_FAILURES
        return is_full and self._clock.elapsed_s() - self._failed_at_s[0] < WITHIN_S
