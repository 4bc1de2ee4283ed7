"""A model that failed is passed over for a while, never for ever."""

import pytest

from bot.errors import (
    AuthenticationError,
    ContentPolicyError,
    GatewayError,
    ProviderUnavailableError,
    RateLimitError,
)
from bot.health import Health
from tests.fakes import FrozenClock, model


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (ProviderUnavailableError(), 30),
        (RateLimitError(retry_after_s=90), 90),
        (RateLimitError(retry_after_s=10**9), 3_600),
        (AuthenticationError(), 600),
    ],
)
def test_a_failure_counts_for_a_while(error: GatewayError, pause_s: float) -> None:
    clock = FrozenClock()
    health = Health(clock)
    health.note(model("a"), error)
    clock.advance(pause_s - 1)
    assert health.unhealthy() == {"a"}
    clock.advance(2)
    assert health.unhealthy() == frozenset()


def test_a_prompt_that_is_refused_says_nothing_about_the_model() -> None:
    health = Health(FrozenClock())
    health.note(model("a"), ContentPolicyError())
    assert health.unhealthy() == frozenset()
