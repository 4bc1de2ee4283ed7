"""One model answers, another objects, the first revises: once, or up to three times.

It ends early when nothing serious is left to object to. Whatever fails on the way, the best answer
so far stands, and what happened is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.calls import OnText, Purpose
from bot.errors import BudgetExceededError, GatewayError, PromptTooLongError
from bot.messages import Message, Role
from bot.strategies.critique import NOTHING, Critique, parse_critique, to_list
from bot.strategies.debate_plan import DebatePlan, debate_plans
from bot.strategies.outcome import Outcome
from bot.strategies.question import Question
from bot.strategies.quoting import asked_further, excerpt, quotable_tokens
from bot.strategies.stage import Said, Stage, Step

CHANGES = "### What the debate changed"
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


async def debate(question: Question, stage: Stage, on_text: OnText) -> Outcome:
    """Debate to the end; the text of the last revision goes to `on_text`.

    Raises when not even a first answer came, as `debate_plans`, `Stage.begin` and `Stage.run` do.
    """
    plan = await stage.begin("Debate", debate_plans(question))
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
        if f"criticise{number}" in self.question.begun or needed is None:
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
