"""Every call belongs to something that people know."""

from bot.calls import Purpose
from bot.features import Feature, feature_of, purposes_of, step_of


def test_every_call_has_a_feature_and_a_step_and_every_feature_its_calls() -> None:
    assert {purpose for feature in Feature for purpose in purposes_of(feature)} == set(Purpose)
    assert all(purpose in purposes_of(feature_of(purpose)) for purpose in Purpose)
    assert all(step_of(purpose) for purpose in Purpose)


def test_a_debate_is_no_ensemble() -> None:
    debate = {Purpose.DRAFT, Purpose.CRITICISE, Purpose.REVISE}
    assert purposes_of(Feature.DEBATE) == debate
    assert purposes_of(Feature.ENSEMBLE) == {Purpose.PROPOSE, Purpose.JUDGE}
