"""The commands' functions: learning from too few turns keeps the shipped model."""

from adapters.training.commands import learn
from adapters.training.shipped import load_shipped_estimator
from bot.catalog import Tier
from bot.difficulty.learning import LearnedEstimator, RatedTurn, from_bytes


def test_too_few_rated_turns_leave_the_shipped_model_as_it_is() -> None:
    turns = [RatedTurn(prompt="hello", tier=Tier.FREE, is_content=False)] * 3
    data, report = learn(turns, 1)
    shipped = load_shipped_estimator()
    learned = LearnedEstimator(shipped, from_bytes(data))
    assert not report.is_accepted
    assert "Only 3 rated turns" in report.reason
    assert abs(learned.estimate("hello").p_free - shipped.estimate("hello").p_free) < 1e-9
