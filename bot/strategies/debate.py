"""One model answers, another objects, the first revises: once, or up to three times.

It ends early when nothing serious is left to object to. Whatever fails on the way, the best answer
so far stands, and what happened is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.budget import to_exceeded_error
from bot.calls import OnText, Purpose
from bot.catalog import ModelSpec
from bot.errors import BudgetExceededError, CommandError, GatewayError, PromptTooLongError
from bot.messages import Message, Role
from bot.router import EXPECTED_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS
from bot.strategies.critique import NOTHING, Critique, parse_critique, to_list
from bot.strategies.estimates import CRITIQUE_TOKENS, Cost, PlannedCall, cost_of
from bot.strategies.outcome import Outcome, to_record
from bot.strategies.question import Question, diverse, in_tiers, names, whole
from bot.strategies.quoting import asked_further, excerpt, quotable_tokens
from bot.strategies.stage import Said, Stage, Step

MAX_ROUNDS = 3
CHANGES = "### What the debate changed"
_INSTRUCTION_TOKENS = 200
_CRITICISE = """\
---
Somebody has answered the above as follows.

<answer>
{answer}
</answer>

You are the critic. Check every fact, number, step and line of code in this answer, and look for \
what is missing or misleading. Don't write an answer of your own. List your objections, gravest \
first, each on one line:
- [serious] what is wrong, and what is right instead
- [minor] what would be better

Serious means that a reader who trusts the answer would be misled. Don't invent objections. When \
nothing is wrong, write only: {nothing}"""
_AS_STRANGER = """

You may have written this answer yourself. Judge it as a stranger would: work the question out \
anew, then compare."""
_REVISE = """\
A critic objects to your answer:

{objections}

Check each objection. Where it is right, correct your answer; where it is wrong, keep what you \
had. Write the whole answer anew, for somebody who has seen neither your first answer nor the \
critic. Then add the heading `{changes}` and below it at most five bullets of one line each: \
what you changed and why, and which objections you rejected."""


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
        players = names((self.proposer, self.critic))
        return to_record("debate", self.proposer, f"a debate of {players} was asked for", self.cost)

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


def plan_debate(question: Question) -> DebatePlan:
    """Choose the players and the rounds that the budget has room for.

    Raises CommandError, BudgetExceededError, or what the choice of a model raises.
    """
    rounds = whole(question.options, "rounds", 1, high=MAX_ROUNDS)
    wanted = _plan(question, rounds)
    if question.kept or _has_room(wanted, question):
        return wanted
    for smaller in _smaller(question, rounds):
        if _has_room(smaller, question):
            note = f"The budget has no room for more: {_difference(wanted, smaller)}."
            return replace(smaller, notes=(*smaller.notes, note))
    assert question.budget is not None
    raise to_exceeded_error(question.budget)


def _smaller(question: Question, rounds: int) -> list[DebatePlan]:
    """Cheaper debates, the best first: fewer rounds, then lower tiers."""
    fewer = [_plan(question, n) for n in range(rounds - 1, 0, -1)]
    if question.options.get("models") or question.alias:
        return fewer
    return [*fewer, *(_plan(lower, 1) for lower in in_tiers(question)[1:] if lower.has_players)]


def _has_room(plan: DebatePlan, question: Question) -> bool:
    if question.budget is None or plan.cost.expected is None:
        return True
    return plan.cost.expected <= question.budget.available


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
    kept = question.kept_model("propose1")
    proposer = kept or (named[0] if named else ranked[0])
    others = tuple(model for model in ranked if model.alias != proposer.alias)
    if len(named) == 2:
        critic: ModelSpec | None = named[1]
    else:
        critic = question.kept_model("criticise1") or _critic_of(proposer, others)
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


async def debate(question: Question, stage: Stage, on_text: OnText) -> Outcome:
    """Debate to the end; the text of the last revision goes to `on_text`.

    Raises when not even a first answer came, as `plan_debate` and `Stage.run` do.
    """
    plan = plan_debate(question)
    await stage.announce("Debate", plan.words, plan.record())
    stage.status(f"{plan.proposer.alias} is answering")
    proposal = await stage.run(_propose(plan, question))
    stage.standing = proposal.text
    course = _Course(plan, question, stage, on_text, proposal)
    for number in range(1, plan.rounds + 1):
        if not await course.may_begin(number):
            break
        critique = await course.criticise(number)
        if critique is None or not await course.revise(number, critique):
            break
    return course.outcome()


@dataclass(slots=True)
class _Course:
    """A debate on its way, with the answer that stands so far."""

    plan: DebatePlan
    question: Question
    stage: Stage
    on_text: OnText
    answer: Said
    revisions: int = 0
    objections: int = 0
    serious: int = 0
    endings: tuple[str, ...] = ()

    async def may_begin(self, number: int) -> bool:
        """Whether the budget has room for one more round; one that was begun is ended."""
        needed = self.plan.round_cost.expected
        if f"criticise{number}" in self.question.kept or needed is None:
            return True
        available = await self.stage.available()
        if available is None or needed <= available:
            return True
        return self._end(f"The budget has no room for round {number}, so it was not begun.")

    async def criticise(self, number: int) -> Critique | None:
        """What the critic objects to; None ends the debate."""
        critic = self.plan.critic
        self.stage.status(f"{critic.alias} is criticising")
        try:
            said = await self.stage.run(self._criticism(number))
        except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
            self._end(
                f"{critic.alias} did not criticise it, so the answer stands as it is: {error}"
            )
            return None
        critique = parse_critique(said.text)
        self.objections += len(critique.objections)
        self.serious += len(critique.serious)
        if critique.serious:
            return critique
        what = "nothing serious" if critique.objections else "nothing"
        self._end(f"{critic.alias} has {what} to object to, so this answer stands.")
        return None

    async def revise(self, number: int, critique: Critique) -> bool:
        """Answer anew; False when that failed, and the answer before it stands."""
        model = self.answer.model
        self.stage.status(f"{model.alias} is revising")
        step = self._revision(number, critique)
        try:
            if number == self.plan.rounds:
                self.answer = await self.stage.run_last(step, self.on_text)
            else:
                self.answer = await self.stage.run(step)
        except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
            return self._end(
                f"{model.alias} did not revise its answer, so the one before stands: {error}"
            )
        self.stage.standing = self.answer.text
        self.revisions += 1
        return True

    def outcome(self) -> Outcome:
        """The answer that stands, and how it came to be."""
        answer = self.answer
        return Outcome(
            text=answer.text,
            entry=answer.entry,
            notes=(self._summary(), *self.endings, *answer.notes),
        )

    def _summary(self) -> str:
        alias = self.answer.model.alias
        if not self.revisions:
            return f"Final answer: {alias}'s first one, unchanged."
        minor = self.objections - self.serious
        objections = f"{self.serious} serious" + (f" and {minor} minor" if minor else "")
        noun = "objection" if self.objections == 1 else "objections"
        times = "once" if self.revisions == 1 else f"{self.revisions} times"
        return (
            f"Final answer: revised {times} by {alias} after {objections} {noun} "
            f"by {self.plan.critic.alias}."
        )

    def _end(self, why: str) -> bool:
        self.endings = (*self.endings, why)
        return False

    def _criticism(self, number: int) -> Step:
        critic, messages = self.plan.critic, self.question.messages
        quoted = excerpt(self.answer.text, quotable_tokens(critic, messages, 1))
        text = _CRITICISE.format(answer=quoted, nothing=NOTHING)
        if self.answer.model.alias == critic.alias:
            text += _AS_STRANGER
        return Step(
            name=f"criticise{number}",
            purpose=Purpose.CRITICISE,
            title="Critique",
            messages=asked_further(messages, text),
            models=(critic,),
            is_brief=True,
        )

    def _revision(self, number: int, critique: Critique) -> Step:
        model, messages = self.answer.model, self.question.messages
        quoted = quotable_tokens(model, messages, 2)
        objections = excerpt(to_list(critique), quoted)
        return Step(
            name=f"revise{number}",
            purpose=Purpose.REVISE,
            title="Revision",
            messages=(
                *messages,
                Message(role=Role.ASSISTANT, text=excerpt(self.answer.text, quoted)),
                Message(
                    role=Role.USER, text=_REVISE.format(objections=objections, changes=CHANGES)
                ),
            ),
            models=(model,),
        )


def _propose(plan: DebatePlan, question: Question) -> Step:
    return Step(
        name="propose1",
        purpose=Purpose.DRAFT,
        title="Answer",
        messages=question.messages,
        models=(plan.proposer, *plan.fallbacks),
    )
