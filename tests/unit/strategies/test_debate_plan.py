"""Who plays in a debate and for how long, known before anything is asked."""

from dataclasses import replace

from bot.messages import Message, Role
from bot.strategies.debate_plan import debate_plans
from bot.strategies.question import Question
from tests.unit.strategies.discussing import players

QUESTION = Question(
    turn_id="test:m1", messages=(Message(role=Role.USER, text="Why?"),), models=players()
)


def test_when_money_is_short_fewer_rounds_then_lower_tiers_are_tried() -> None:
    plans = list(debate_plans(replace(QUESTION, options={"rounds": "3"})))
    assert [(plan.rounds, plan.proposer.alias) for plan in plans] == [
        (3, "ada"), (2, "ada"), (1, "ada"), (1, "eve"),
    ]  # fmt: skip
    costs = [plan.cost.expected or 0 for plan in plans]
    assert costs == sorted(costs, reverse=True)
    assert plans[2].notes == ("The budget has no room for more: 1 of 3 rounds.",)
    assert plans[3].notes[-1].endswith("models of the cheap tier play, for one round.")


def test_named_models_are_never_replaced_for_the_budget() -> None:
    question = replace(QUESTION, options={"models": "ada,bob", "rounds": "2"})
    assert [plan.rounds for plan in debate_plans(question)] == [2, 1]
    assert len(list(debate_plans(replace(QUESTION, alias="bob")))) == 1


def test_after_a_crash_the_plan_is_the_same_and_the_only_one() -> None:
    wanted = replace(QUESTION, options={"rounds": "3"})
    smaller = list(debate_plans(wanted))[1]
    planned = smaller.record()["plan"]
    assert isinstance(planned, dict)
    again = debate_plans(replace(wanted, planned=planned, unhealthy=frozenset({"ada"})))
    assert [plan.words for plan in again] == [smaller.words]


def test_the_plan_of_a_model_with_itself_is_kept_too() -> None:
    alone = replace(QUESTION, allowed=frozenset({"eve"}))
    plan = next(debate_plans(alone))
    planned = plan.record()["plan"]
    assert isinstance(planned, dict)
    assert next(debate_plans(replace(alone, planned=planned))).words == plan.words


def test_when_a_player_is_gone_the_plan_is_made_anew() -> None:
    planned = {"players": ["ada", "gone"], "rounds": 1, "notes": []}
    plan = next(debate_plans(replace(QUESTION, planned=planned)))
    assert (plan.proposer.alias, plan.critic.alias) == ("ada", "bob")
