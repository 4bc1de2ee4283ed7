"""The estimate's values."""

from bot.catalog import Tier
from bot.difficulty import Estimate


def test_gives_the_probability_of_a_tier() -> None:
    estimate = Estimate(p_free=0.1, p_cheap=0.5, p_full=0.9, reasons=(), version="x")
    assert [estimate.p(tier) for tier in Tier] == [0.1, 0.5, 0.9]
