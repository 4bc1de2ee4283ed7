"""What was learned in use: kept as bytes, read back, and laid over the shipped model."""

import pytest

from bot.catalog import Tier
from bot.difficulty import Estimate, HistoryTurn
from bot.difficulty.learned import LearnedEstimator, from_bytes, may_explore, to_bytes
from bot.difficulty.learning import refit
from tests.unit.difficulty.rating import BASE, BREAD, rated


def test_the_order_of_tiers_is_kept() -> None:
    learned, _ = refit(BASE, rated(200, bread_is_fine=False), 1)
    estimate = LearnedEstimator(BASE, learned).estimate(BREAD.format("x"))
    assert estimate.p_free <= estimate.p_cheap <= estimate.p_full
    assert estimate.version == "local-test+1"


def test_reads_back_what_was_learned() -> None:
    learned, _ = refit(BASE, rated(80, bread_is_fine=False), 3)
    read = from_bytes(to_bytes(learned))
    assert to_bytes(read) == to_bytes(learned)


def test_refuses_bytes_that_are_no_learned_weights() -> None:
    with pytest.raises(ValueError, match="not a file of learned weights"):
        from_bytes(b"hello")
    with pytest.raises(ValueError, match="another version"):
        from_bytes(to_bytes(refit(BASE, [], 1)[0])[:-8])


def test_refuses_to_run_on_another_base() -> None:
    learned, _ = refit(BASE, [], 1)
    other = type(learned)(
        version="x", base_version="local-other", mean=learned.mean, variance=learned.variance
    )
    with pytest.raises(ValueError, match="Refit it"):
        LearnedEstimator(BASE, other)


def test_explores_rarely_and_only_toss_ups() -> None:
    toss_up = Estimate(p_free=0.5, p_cheap=0.7, p_full=0.9, reasons=(), version="x")
    assert may_explore(toss_up, Tier.FREE, 0.029)
    assert not may_explore(toss_up, Tier.FREE, 0.031)
    assert not may_explore(toss_up, Tier.CHEAP, 0.0)


def test_what_was_learned_is_of_the_prompt_that_a_follow_up_means() -> None:
    learned, _ = refit(BASE, rated(200, bread_is_fine=False), 1)
    estimator = LearnedEstimator(BASE, learned)
    before = [HistoryTurn(prompt=BREAD.format("x"), tier=Tier.FREE)]
    assert estimator.estimate("why?", before).p_free < BASE.estimate("why?", before).p_free - 0.1
    thanks = estimator.estimate("thanks", before)
    assert thanks.p_free == pytest.approx(BASE.estimate("thanks", before).p_free)
