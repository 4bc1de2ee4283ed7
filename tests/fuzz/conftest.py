"""Every parser of what comes in, fuzzed: briefly with all tests, for long by command.

./parley test tests/fuzz --hypothesis-profile=long
"""

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "short", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile("long", max_examples=20_000, deadline=None, suppress_health_check=_SLOW)
if settings.get_current_profile_name() == "unhurried":
    settings.load_profile("short")
