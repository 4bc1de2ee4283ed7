"""Which models failed a moment ago: a hint for the router, in memory only."""

from __future__ import annotations

from bot.catalog import ModelSpec
from bot.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextWindowExceededError,
    GatewayError,
    ModelNotFoundError,
    OutOfCreditError,
)
from bot.ports import Clock

COOLDOWN_S = 30.0
LONG_COOLDOWN_S = 600.0
MAX_COOLDOWN_S = 3_600.0
_LASTING = (AuthenticationError, OutOfCreditError, ModelNotFoundError)
_THE_PROMPTS_OWN = (ContentPolicyError, ContextWindowExceededError)


class Health:
    """Passes over a model for a while after it failed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_s: dict[str, float] = {}

    def note(self, model: ModelSpec, error: GatewayError) -> None:
        """Note a failure; a fault that will not mend itself counts for longer."""
        if isinstance(error, _THE_PROMPTS_OWN):
            return
        pause_s = LONG_COOLDOWN_S if isinstance(error, _LASTING) else COOLDOWN_S
        pause_s = max(pause_s, min(error.retry_after_s or 0.0, MAX_COOLDOWN_S))
        self._until_s[model.alias] = self._clock.elapsed_s() + pause_s

    def unhealthy(self) -> frozenset[str]:
        """The aliases to pass over now."""
        now_s = self._clock.elapsed_s()
        return frozenset(alias for alias, until_s in self._until_s.items() if until_s > now_s)
