"""Who speaks and who judges, known before anything is asked."""

from dataclasses import replace

import pytest

from bot.budget import BudgetState, Limit, Period, Scope, window_at
from bot.catalog import Catalog, Tier
from bot.errors import BudgetExceededError, CommandError
from bot.messages import Message, Role
from bot.strategies.ensemble_plan import Mode, plan_ensemble
from bot.strategies.question import Question, names
from tests.fakes import NOON, model
from tests.unit.strategies.discussing import players
from tests.unit.strategies.examples import entry

QUESTION = Question(
    turn_id="test:m1", messages=(Message(role=Role.USER, text="Why?"),), models=players()
)


def _with(**options: str) -> Question:
    return replace(QUESTION, options=options)


def _left(available: int) -> BudgetState:
    window = window_at(NOON, Period.MONTH, NOON.tzinfo)  # type: ignore[arg-type]  # it is aware
    limit = Limit(scope=Scope.INSTANCE, scope_id="", window=window, cap=available)
    return BudgetState(limit=limit, spent=0, held=0)


def test_three_voices_of_different_providers_and_the_best_as_judge() -> None:
    plan = plan_ensemble(QUESTION)
    assert (plan.mode, names(plan.voices)) == (Mode.SYNTHESIS, "ada, bob and eve")
    assert (plan.judge.alias, names(plan.judges)) == ("ada", "bob and eve")


def test_a_vote_pays_for_no_judge() -> None:
    judged, voted = plan_ensemble(QUESTION).cost, plan_ensemble(_with(mode="vote")).cost
    assert judged.expected is not None
    assert voted.expected is not None
    assert voted.expected < judged.expected


def test_a_tagged_model_is_the_first_voice() -> None:
    assert plan_ensemble(replace(QUESTION, alias="eve")).voices[0].alias == "eve"


def test_one_named_model_speaks_several_times() -> None:
    plan = plan_ensemble(_with(models="bob", n="4"))
    assert [plan.voice_name(place) for place in range(4)] == [
        "bob (1)", "bob (2)", "bob (3)", "bob (4)",
    ]  # fmt: skip
    assert "answers 4 times, each time instructed differently" in plan.words


def test_more_than_six_named_voices_are_refused() -> None:
    models = Catalog(tuple(model(f"m{number}", Tier.FULL) for number in range(7)))
    question = replace(_with(models=",".join(models.aliases())), models=models)
    with pytest.raises(CommandError, match="at most 6"):
        plan_ensemble(question)


def test_a_low_budget_goes_down_a_tier_when_fewer_voices_are_still_too_dear() -> None:
    plan = plan_ensemble(replace(QUESTION, budget=_left(12_000_000)))
    assert {voice.alias for voice in plan.voices} == {"eve"}
    assert "The budget has no room for more" in plan.notes[-1]


def test_a_budget_without_room_is_refused() -> None:
    with pytest.raises(BudgetExceededError):
        plan_ensemble(replace(QUESTION, budget=_left(1)))


def test_named_models_are_never_replaced_for_the_budget() -> None:
    question = replace(_with(models="ada,bob"), budget=_left(12_000_000))
    with pytest.raises(BudgetExceededError):
        plan_ensemble(question)


def test_after_a_crash_the_voices_keep_their_places() -> None:
    kept = {"propose1": entry("propose1", alias="bob"), "propose2": entry("propose2", alias="ada")}
    plan = plan_ensemble(replace(QUESTION, kept=kept, unhealthy=frozenset({"bob"})))
    assert names(plan.voices) == "bob, ada and eve"
