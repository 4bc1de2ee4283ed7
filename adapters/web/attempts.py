"""How many wrong tokens may be given: together, not by address, which a guesser can change."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from bot.ports import Clock

MAX_FAILURES = 10
WITHIN_S = 60.0


class Attempts:
    """Remembers the latest wrong tokens, by their hashes.

    One that is given again and again, as by a script that was not told of the new one, is no guess
    and counts once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed_at_s: OrderedDict[bytes, float] = OrderedDict()

    def note_failure(self, given: str) -> None:
        """Somebody gave a wrong token."""
        guess = sha256(given.encode()).digest()
        if guess in self._failed_at_s:
            return
        self._failed_at_s[guess] = self._clock.elapsed_s()
        if len(self._failed_at_s) > MAX_FAILURES:
            self._failed_at_s.popitem(last=False)

    def are_too_many(self) -> bool:
        """Whether nobody is let in for now."""
        is_full = len(self._failed_at_s) == MAX_FAILURES
        oldest_s = next(iter(self._failed_at_s.values()), 0.0)
        return is_full and self._clock.elapsed_s() - oldest_s < WITHIN_S
