"""Who plays in a debate, for how long, and what it will cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.answer_limits import EXPECTED_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS
from bot.catalog import ModelSpec
from bot.errors import CommandError
from bot.strategies.estimates import CRITIQUE_TOKENS, Cost, PlannedCall, cost_of
from bot.strategies.outcome import to_plan_record, to_record
from bot.strategies.question import Question, diverse, in_tiers, names, whole

MAX_ROUNDS = 3
_INSTRUCTION_TOKENS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DebatePlan:
    """Who plays, for how long, and what it will cost."""

    proposer: ModelSpec
    critic: ModelSpec
    rounds: int
    cost: Cost
    round_cost: Cost
    fallbacks: tuple[ModelSpec, ...] = ()
    """Who answers when the proposer does not."""
    notes: tuple[str, ...] = ()

    @property
    def is_with_itself(self) -> bool:
        """Whether one model plays both."""
        return self.proposer.alias == self.critic.alias

    def record(self) -> dict[str, object]:
        """The choice, as it is kept with the turn."""
        players = (self.proposer, self.critic)
        reason = f"a debate of {names(players)} was asked for"
        record = to_record("debate", self.proposer, reason, self.cost)
        return record | {"plan": to_plan_record(self, players, rounds=self.rounds)}

    @property
    def words(self) -> str:
        """The first message."""
        times = "once" if self.rounds == 1 else f"up to {self.rounds} times"
        who = (
            f"**{self.proposer.alias}** answers, then criticises and revises its own answer {times}"
            if self.is_with_itself
            else f"**{self.proposer.alias}** answers, **{self.critic.alias}** criticises, "
            f"{self.proposer.alias} revises, {times}"
        )
        return "\n\n".join((f"{who}. {self.cost.words}.", *self.notes))


def debate_plans(question: Question) -> Iterator[DebatePlan]:
    """What was asked for, then cheaper ones for when money is short: fewer rounds, lower tiers.

    After a crash, the plan of the run before alone. Raises CommandError, or what the choice of a
    model raises.
    """
    planned = question.planned_players()
    if planned:
        rounds, notes = question.planned.get("rounds"), question.planned.get("notes")
        kept = _plan(question, rounds if isinstance(rounds, int) else 1)
        yield replace(kept, notes=tuple(notes) if isinstance(notes, list | tuple) else ())
        return
    rounds = whole(question.options, "rounds", 1, high=MAX_ROUNDS)
    wanted = _plan(question, rounds)
    yield wanted
    for smaller in _smaller(question, rounds):
        note = f"The budget has no room for more: {_difference(wanted, smaller)}."
        yield replace(smaller, notes=(*smaller.notes, note))


def _smaller(question: Question, rounds: int) -> Iterator[DebatePlan]:
    for fewer in range(rounds - 1, 0, -1):
        yield _plan(question, fewer)
    if question.options.get("models") or question.alias:
        return
    for lower in in_tiers(question)[1:]:
        if lower.has_players:
            yield _plan(lower, 1)


def _difference(wanted: DebatePlan, smaller: DebatePlan) -> str:
    if smaller.proposer.tier < wanted.proposer.tier:
        return f"models of the {smaller.proposer.tier.label} tier play, for one round"
    return f"{smaller.rounds} of {wanted.rounds} rounds"


def _plan(question: Question, rounds: int) -> DebatePlan:
    proposer, critic, rest, notes = _players(question)
    size = question.input_tokens
    propose = PlannedCall(model=proposer, input_tokens=size, most_input_tokens=size)
    round_calls = (
        PlannedCall(
            model=critic,
            input_tokens=size + EXPECTED_OUTPUT_TOKENS + _INSTRUCTION_TOKENS,
            most_input_tokens=size + MAX_OUTPUT_TOKENS + _INSTRUCTION_TOKENS,
            output_tokens=CRITIQUE_TOKENS,
        ),
        PlannedCall(
            model=proposer,
            input_tokens=size + EXPECTED_OUTPUT_TOKENS + CRITIQUE_TOKENS + _INSTRUCTION_TOKENS,
            most_input_tokens=size + 2 * MAX_OUTPUT_TOKENS + _INSTRUCTION_TOKENS,
        ),
    )
    return DebatePlan(
        proposer=proposer,
        critic=critic,
        rounds=rounds,
        cost=cost_of((propose, *round_calls * rounds)),
        round_cost=cost_of(round_calls),
        fallbacks=rest,
        notes=notes,
    )


def _players(
    question: Question,
) -> tuple[ModelSpec, ModelSpec, tuple[ModelSpec, ...], tuple[str, ...]]:
    """Proposer, critic, who stands in for the proposer, and what to know of that."""
    named, ranked = question.named(), question.ranked()
    if len(named) > 2:
        raise CommandError("A debate takes two models: one answers, one criticises.")
    if not named and question.alias:
        named = (question.model(question.alias),)
    planned = question.planned_players()
    proposer = (planned or named or ranked)[0]
    others = tuple(model for model in ranked if model.alias != proposer.alias)
    if len(planned or named) == 2:
        critic: ModelSpec | None = (planned or named)[1]
    else:
        critic = _critic_of(proposer, others)
    if critic is None:
        note = (
            f"{proposer.alias} is the only model here that can take this, so it debates with "
            "itself: as the critic it gets another instruction. A second model would be better."
        )
        return proposer, proposer, (), (note,)
    chosen = critic
    rest = tuple(model for model in others if model.alias != chosen.alias)
    return proposer, critic, rest, ()


def _critic_of(proposer: ModelSpec, others: tuple[ModelSpec, ...]) -> ModelSpec | None:
    """The best of another provider; of the same provider when there is no other."""
    elsewhere = tuple(m for m in others if m.provider != proposer.provider)
    return next(iter(diverse(elsewhere or others, 1)), None)
