"""Who speaks in an ensemble, who judges, and what it will cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.answer_limits import EXPECTED_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS
from bot.catalog import ModelSpec
from bot.errors import CommandError
from bot.strategies.estimates import JUDGE_TOKENS, Cost, PlannedCall, cost_of
from bot.strategies.outcome import to_plan_record, to_record
from bot.strategies.question import Question, diverse, in_tiers, names, whole

DEFAULT_VOICES = 3
MAX_VOICES = 6
_INSTRUCTION_TOKENS = 300


class Mode(StrEnum):
    """What becomes of the answers."""

    SYNTHESIS = "synthesis"
    SHOW = "show"
    VOTE = "vote"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsemblePlan:
    """Who answers, who judges, and what it will cost."""

    mode: Mode
    voices: tuple[ModelSpec, ...]
    judge: ModelSpec
    cost: Cost
    judges: tuple[ModelSpec, ...] = ()
    """Who judges when the judge does not."""
    notes: tuple[str, ...] = ()

    @property
    def is_one_model(self) -> bool:
        """Whether one model speaks with several voices."""
        return len({model.alias for model in self.voices}) == 1

    @property
    def words(self) -> str:
        """The first message."""
        count = len(self.voices)
        who = (
            f"**{self.voices[0].alias}** answers {count} times, each time instructed differently"
            if self.is_one_model
            else f"**{names(self.voices)}** answer at once, without seeing one another"
        )
        then = {
            Mode.SYNTHESIS: f"; then **{self.judge.alias}** makes one answer of theirs, "
            "not knowing whose is whose",
            Mode.SHOW: "",
            Mode.VOTE: "; then the most frequent answer wins",
        }[self.mode]
        return "\n\n".join((f"{who}{then}. {self.cost.words}.", *self.notes))

    def voice_name(self, place: int) -> str:
        """What a voice is called: its model, numbered when it is always the same."""
        alias = self.voices[place].alias
        return f"{alias} ({place + 1})" if self.is_one_model else alias

    def record(self) -> dict[str, object]:
        """The choice, as it is kept with the turn."""
        first = self.judge if self.mode is Mode.SYNTHESIS else self.voices[0]
        aliases = names(tuple(dict.fromkeys(self.voices)))
        reason = f"an ensemble of {aliases} was asked for"
        record = to_record("ensemble", first, reason, self.cost)
        plan = to_plan_record(self, self.voices, mode=self.mode.value, judge=self.judge.alias)
        return record | {"plan": plan}


def ensemble_plans(question: Question) -> Iterator[EnsemblePlan]:
    """What was asked for, then cheaper ones for when money is short: fewer voices, lower tiers.

    After a crash, the plan of the run before alone. Raises CommandError, or what the choice of a
    model raises.
    """
    mode = Mode(question.options.get("mode", Mode.SYNTHESIS))
    planned = question.planned_players()
    if planned:
        notes = question.planned.get("notes")
        kept = _plan(question, mode, len(planned))
        yield replace(kept, notes=tuple(notes) if isinstance(notes, list | tuple) else ())
        return
    wanted = _plan(question, mode, _count(question))
    yield wanted
    for smaller in _smaller(question, mode, len(wanted.voices)):
        note = f"The budget has no room for more: {names(smaller.voices)} answer."
        yield replace(smaller, notes=(*smaller.notes, note))


def _count(question: Question) -> int:
    named = len(question.named())
    if named > MAX_VOICES:
        raise CommandError(f"An ensemble has at most {MAX_VOICES} voices.")
    if named > 1 and "n" in question.options:
        raise CommandError("Give either `models:` or `n:`, not both.")
    count = whole(question.options, "n", DEFAULT_VOICES, low=2, high=MAX_VOICES)
    return named if named > 1 else count


def _smaller(question: Question, mode: Mode, count: int) -> Iterator[EnsemblePlan]:
    if question.options.get("models"):
        return
    for fewer in range(count - 1, 1, -1):
        yield _plan(question, mode, fewer)
    for lower in in_tiers(question)[1:]:
        if lower.has_players:
            yield _plan(lower, mode, count)


def _plan(question: Question, mode: Mode, count: int) -> EnsemblePlan:
    ranked = question.ranked()
    voices, notes = _voices(question, ranked, count)
    judge = question.planned_model("judge") or ranked[0]
    size = question.input_tokens
    calls = [PlannedCall(model=m, input_tokens=size, most_input_tokens=size) for m in voices]
    if mode is Mode.SYNTHESIS:
        size += _INSTRUCTION_TOKENS
        calls.append(
            PlannedCall(
                model=judge,
                input_tokens=size + len(voices) * EXPECTED_OUTPUT_TOKENS,
                most_input_tokens=size + len(voices) * MAX_OUTPUT_TOKENS,
                output_tokens=JUDGE_TOKENS,
            )
        )
    return EnsemblePlan(
        mode=mode,
        voices=voices,
        judge=judge,
        judges=tuple(model for model in ranked if model.alias != judge.alias),
        cost=cost_of(calls),
        notes=notes,
    )


def _voices(
    question: Question, ranked: tuple[ModelSpec, ...], count: int
) -> tuple[tuple[ModelSpec, ...], tuple[str, ...]]:
    """Who answers: those that were named, else the best of as many providers as there are."""
    planned = question.planned_players()
    if planned:
        return planned, ()
    named = question.named()
    if len(named) == 1:
        return named * count, ()
    first = (question.model(question.alias),) if question.alias else ()
    others = tuple(model for model in ranked if model not in first)
    chosen = named or (*first, *diverse(others, count - len(first)))
    if len(chosen) == 1:
        note = (
            f"{chosen[0].alias} is the only model here that can take this, so it speaks with "
            f"{count} voices under different instructions. More models would be better."
        )
        return chosen * count, (note,)
    if len(chosen) < count:
        return chosen, (f"Only {len(chosen)} models here can take this, so {count} can't answer.",)
    return chosen, ()
