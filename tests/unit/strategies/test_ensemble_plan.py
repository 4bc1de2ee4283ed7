"""Who speaks and who judges, known before anything is asked."""

from dataclasses import replace

import pytest

from bot.catalog import Catalog, Tier
from bot.errors import CommandError
from bot.messages import Message, Role
from bot.question_grammar import MODES
from bot.strategies.ensemble_plan import EnsemblePlan, Mode, ensemble_plans
from bot.strategies.question import Question, names
from tests.fakes import model
from tests.unit.strategies.discussing import players

QUESTION = Question(
    turn_id="test:m1", messages=(Message(role=Role.USER, text="Why?"),), models=players()
)


def _plan(question: Question) -> EnsemblePlan:
    return next(ensemble_plans(question))


def _with(**options: str) -> Question:
    return replace(QUESTION, options=options)


def test_three_voices_of_different_providers_and_the_best_as_judge() -> None:
    plan = _plan(QUESTION)
    assert (plan.mode, names(plan.voices)) == (Mode.SYNTHESIS, "ada, bob and eve")
    assert (plan.judge.alias, names(plan.judges)) == ("ada", "bob and eve")


def test_a_vote_pays_for_no_judge() -> None:
    judged, voted = _plan(QUESTION).cost, _plan(_with(mode="vote")).cost
    assert judged.expected is not None
    assert voted.expected is not None
    assert voted.expected < judged.expected


def test_a_mode_that_can_be_typed_is_one_of_the_plans() -> None:
    assert tuple(Mode) == MODES


def test_a_tagged_model_is_the_first_voice() -> None:
    assert _plan(replace(QUESTION, alias="eve")).voices[0].alias == "eve"


def test_one_named_model_speaks_several_times() -> None:
    plan = _plan(_with(models="bob", n="4"))
    assert [plan.voice_name(place) for place in range(4)] == [
        "bob (1)", "bob (2)", "bob (3)", "bob (4)",
    ]  # fmt: skip
    assert "answers 4 times, each time instructed differently" in plan.words


def test_more_than_six_named_voices_are_refused() -> None:
    models = Catalog(tuple(model(f"m{number}", Tier.FULL) for number in range(7)))
    question = replace(_with(models=",".join(models.aliases())), models=models)
    with pytest.raises(CommandError, match="at most 6"):
        _plan(question)


def test_when_money_is_short_fewer_voices_then_lower_tiers_are_tried() -> None:
    plans = list(ensemble_plans(QUESTION))
    assert [names(plan.voices) for plan in plans] == [
        "ada, bob and eve", "ada and bob", "eve, eve and eve",
    ]  # fmt: skip
    costs = [plan.cost.expected or 0 for plan in plans]
    assert costs == sorted(costs, reverse=True)
    assert plans[0].notes == ()
    assert plans[1].notes == ("The budget has no room for more: ada and bob answer.",)


def test_named_models_are_never_replaced_for_the_budget() -> None:
    assert len(list(ensemble_plans(_with(models="ada,bob")))) == 1


def test_after_a_crash_the_plan_is_the_same_and_the_only_one() -> None:
    smaller = list(ensemble_plans(replace(QUESTION, alias="eve")))[1]
    planned = smaller.record()["plan"]
    assert isinstance(planned, dict)
    again = list(ensemble_plans(replace(QUESTION, planned=planned, unhealthy=frozenset({"eve"}))))
    assert [plan.words for plan in again] == [smaller.words]
    assert names(again[0].voices) == "eve and ada"
