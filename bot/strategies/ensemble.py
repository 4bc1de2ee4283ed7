"""Several models answer at once and apart; then a judge makes one answer of theirs, they are
counted, or they are shown side by side. The judge sees numbers, never names.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.calls import OnText, Purpose, estimate_input_tokens
from bot.errors import (
    BotError,
    BudgetExceededError,
    EmptyAnswerError,
    GatewayError,
    PromptTooLongError,
)
from bot.messages import Message
from bot.strategies.ensemble_plan import EnsemblePlan, Mode, ensemble_plans
from bot.strategies.estimates import fair_output_tokens
from bot.strategies.outcome import Outcome
from bot.strategies.question import Question
from bot.strategies.quoting import asked_further, excerpt, quotable_tokens
from bot.strategies.stage import Said, Stage, Step
from bot.strategies.steps import VOICE
from bot.strategies.vote import (
    Ballot,
    Option,
    Tally,
    agreement_percent,
    most_typical,
    short_answer,
    tally,
)

_SAY_ANSWER = """\
End with one line that holds nothing but your final answer, as short as it can be:
ANSWER: <the answer>"""
_MANNERS = (
    "",
    "Before you answer, think of what is most often got wrong about this, and avoid it.",
    "Work it out step by step from the beginning, then check the result in another way.",
    "Take the least obvious reading of this seriously before you settle on an answer.",
    "Answer as a specialist in the subject would answer another one.",
    "Doubt your first answer: look for a case against it, then decide.",
)
"""What one model is told, so that its voices differ, when it is the only one."""
_JUDGE = """\
---
{count} assistants have answered the above, each without seeing the others. Their answers come in \
random order, under numbers.

{answers}

Write the best single answer to the question: keep what is right, correct what is wrong, leave out \
what you can't support. A claim that most of them make is not right for that alone. Write for \
somebody who has seen none of these answers. Then add these headings, each with one to three short \
bullets, and refer to the answers by their numbers:
### Agreement
what they share
### Contradictions
where they differ, and who is right
### Unique points
what only one of them saw
### Blind spots
what all of them missed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One answer of an ensemble, and who gave it."""

    name: str
    said: Said


async def ensemble(question: Question, stage: Stage, on_text: OnText) -> Outcome:
    """Ask all voices, then make one outcome of what they said; it goes to `on_text`.

    Raises the first voice's error when none answered, and as `ensemble_plans` and `Stage.begin` do.
    """
    plan = await stage.begin("Ensemble", ensemble_plans(question))
    stage.status(f"{len(plan.voices)} voices are answering")
    heard = await _hear(plan, question, stage)
    voices = [voice for voice in heard if isinstance(voice, Voice)]
    missing = tuple(
        f"{plan.voice_name(place)} is missing: {error}"
        for place, error in enumerate(heard)
        if not isinstance(error, Voice)
    )
    if not voices:
        raise next((e for e in heard if not isinstance(e, Voice)), EmptyAnswerError())
    outcome = await _concluded(plan, question, stage, voices, on_text)
    return replace(outcome, notes=(*outcome.notes, *missing))


async def _hear(plan: EnsemblePlan, question: Question, stage: Stage) -> list[Voice | BotError]:
    """What each voice said, or why it is missing; one that fails leaves the others alone."""
    available = await stage.available()

    async def hear(place: int) -> Voice | BotError:
        try:
            said = await stage.run(_step(plan, question, place, available))
        except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
            return error
        return Voice(name=plan.voice_name(place), said=said)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(hear(place)) for place in range(len(plan.voices))]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]


def _step(plan: EnsemblePlan, question: Question, place: int, available: int | None) -> Step:
    instructions = [_MANNERS[place]] if plan.is_one_model and _MANNERS[place] else []
    if plan.mode is Mode.VOTE:
        instructions.append(_SAY_ANSWER)
    messages = question.messages
    for instruction in instructions:
        messages = asked_further(messages, instruction)
    return Step(
        name=f"propose{place + 1}",
        purpose=Purpose.PROPOSE,
        title=f"{VOICE} {place + 1}",
        messages=messages,
        models=(plan.voices[place],),
        temperature=1.0 if plan.is_one_model else None,
        is_brief=plan.mode is not Mode.SHOW,
        most_output_tokens=fair_output_tokens(
            plan.voices[place], estimate_input_tokens(messages), plan.cost, available
        ),
    )


async def _concluded(
    plan: EnsemblePlan,
    question: Question,
    stage: Stage,
    voices: Sequence[Voice],
    on_text: OnText,
) -> Outcome:
    if plan.mode is Mode.VOTE:
        return _voted(voices)
    if plan.mode is Mode.SHOW:
        return _shown(voices)
    if len(voices) == 1:
        note = f"Only {voices[0].name} answered, so there was nothing to judge."
        return _single(voices[0], (note,))
    stage.standing = voices[most_typical([voice.said.text for voice in voices])].said.text
    stage.status(f"{plan.judge.alias} is judging")
    return await _judged(plan, question, stage, voices, on_text)


async def _judged(
    plan: EnsemblePlan,
    question: Question,
    stage: Stage,
    voices: Sequence[Voice],
    on_text: OnText,
) -> Outcome:
    order = shuffled(voices, question.turn_id)
    agreement = _agreement(voices)
    try:
        said = await stage.run_last(_judgement(plan, question, order), on_text)
    except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
        typical = voices[most_typical([voice.said.text for voice in voices])]
        note = f"There is no judgement: {error} This is the answer most like the others."
        return _single(typical, (note, agreement))
    key = ", ".join(f"{number} is {voice.name}" for number, voice in enumerate(order, 1))
    notes = (f"One answer of {len(voices)}, by {said.model.alias}.", f"Of the answers, {key}.")
    return Outcome(
        text=said.text,
        entry=said.entry,
        notes=(*notes, agreement, *said.notes),
    )


def shuffled(voices: Sequence[Voice], turn_id: str) -> list[Voice]:
    """The voices in the order in which the judge sees them: random, but the same in every run."""
    order = sorted(voices, key=lambda voice: voice.name)
    seed = hashlib.sha256(turn_id.encode()).digest()
    random.Random(seed).shuffle(order)
    return order


def _judgement(plan: EnsemblePlan, question: Question, order: Sequence[Voice]) -> Step:
    limit = min(
        quotable_tokens(judge, question.messages, len(order))
        for judge in (plan.judge, *plan.judges)
    )
    return Step(
        name="judge",
        purpose=Purpose.JUDGE,
        title="Synthesis",
        messages=judged_messages(question.messages, order, limit),
        models=(plan.judge, *plan.judges),
    )


def judged_messages(
    messages: tuple[Message, ...], order: Sequence[Voice], limit_tokens: int
) -> tuple[Message, ...]:
    """What the judge reads: the conversation and the answers by their numbers, without names."""
    answers = "\n\n".join(
        f'<answer number="{number}">\n{_anonymous(voice, order, limit_tokens)}\n</answer>'
        for number, voice in enumerate(order, 1)
    )
    return asked_further(messages, _JUDGE.format(count=len(order), answers=answers))


def _anonymous(voice: Voice, order: Sequence[Voice], limit_tokens: int) -> str:
    """An answer without the ids under which its provider and others know the models."""
    text = voice.said.text
    for other in order:
        model_id = other.said.model.model_id
        for name in (model_id, model_id.split("/", 1)[-1]):
            text = text.replace(name, "an assistant")
    return excerpt(text, limit_tokens)


def _voted(voices: Sequence[Voice]) -> Outcome:
    by_name = {voice.name: voice for voice in voices}
    counted = tally([Ballot(voice=v.name, answer=short_answer(v.said.text)) for v in voices])
    first = by_name[counted.winners[0].voices[0]]
    text = _result(counted)
    share = len(counted.winners[0].voices)
    return Outcome(
        text=text,
        entry=first.said.entry,
        by=_many(voices),
        remembered=f"{text}\n\nOne of the answers in full:\n\n{first.said.text}",
        notes=(f"Agreement: {share} of {counted.votes}.",),
    )


def _result(counted: Tally) -> str:
    winners, votes = counted.winners, counted.votes
    share = len(winners[0].voices)
    if len(winners) == 1:
        head = f"**{_bounded(winners[0])}**, with {share} of {votes} votes"
    elif share == 1:
        head = f"**No two agree**: {votes} voices, {votes} answers"
    else:
        head = f"**A tie**, with {share} votes each"
    rows = [f"- {_bounded(o)} · {len(o.voices)} · {', '.join(o.voices)}" for o in counted.options]
    return "\n".join((head, "", *rows))


def _bounded(option: Option) -> str:
    answer = " ".join(option.answer.split()) or "(nothing)"
    return answer if len(answer) <= 200 else f"{answer[:200]}…"


def _shown(voices: Sequence[Voice]) -> Outcome:
    listed = ", ".join(f"**{voice.name}**" for voice in voices)
    return Outcome(
        text=f"{len(voices)} answers, each as it was given: {listed}.",
        entry=voices[0].said.entry,
        by=_many(voices),
        remembered="\n\n".join(
            f"**{voice.name}** answered:\n\n{voice.said.text}" for voice in voices
        ),
        notes=(_agreement(voices),),
    )


def _single(voice: Voice, notes: tuple[str, ...]) -> Outcome:
    return Outcome(
        text=voice.said.text,
        entry=voice.said.entry,
        notes=(*notes, *voice.said.notes),
    )


def _agreement(voices: Sequence[Voice]) -> str:
    percent = agreement_percent([voice.said.text for voice in voices])
    return f"Agreement in wording: {percent} %."


def _many(voices: Sequence[Voice]) -> str:
    return "1 voice" if len(voices) == 1 else f"{len(voices)} voices"
