"""A turn's stage: each step on it is one model call with a message of its own.

A step that was finished before a crash is shown again as kept and not paid again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.answer_limits import output_limit
from bot.budget import tightest
from bot.calls import ModelCall, OnText, Purpose, estimate_input_tokens
from bot.catalog import ModelSpec
from bot.errors import (
    BudgetExceededError,
    DeliveryError,
    GatewayError,
    NoModelError,
    PromptTooLongError,
)
from bot.health import Health
from bot.ledger import LedgerEntry
from bot.messages import Message
from bot.metering import Account, Meter
from bot.ports import Ledger, Sink
from bot.replies import Notice, Reply
from bot.strategies.fallbacks import Ask, Shown, first_answer
from bot.strategies.footers import to_footer
from bot.strategies.outcome import Plan
from bot.strategies.single import Fit, refuse_empty
from bot.strategies.steps import PLAN, to_label

STEP_TIMEOUT_S = 300.0
"""Reasoning models think for minutes before they write; a hanging one ends its step, no more."""
MAX_TRIES = 4
P = TypeVar("P", bound=Plan)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a model is to do."""

    name: str
    """The same in every run: `propose1`, `criticise1`, `revise1`, `judge`."""
    purpose: Purpose
    title: str
    """What its message is called: `Answer`, `Critique`."""
    messages: tuple[Message, ...]
    models: tuple[ModelSpec, ...]
    """Who does it, then who does it when that one fails."""
    temperature: float | None = None
    most_output_tokens: int | None = None
    """Less than the model could write, when the budget is shared with others."""
    is_brief: bool = False
    """Whether its message is only the beginning of a long text, where messages crowd a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a step came to."""

    entry: LedgerEntry
    model: ModelSpec
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the model wrote."""
        return self.entry.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What steps are made with, the same for every turn."""

    meter: Meter
    ledger: Ledger
    fit: Fit
    """Makes of a conversation what a model's window takes."""
    health: Health
    step_timeout_s: float = STEP_TIMEOUT_S


class _Branch:
    """A further message of the turn, and what it shows so far."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.text = ""

    def show(self, text: str) -> None:
        self.text += text
        self.sink.append(text)


class Stage:
    """Where the steps of one turn are made and shown."""

    def __init__(self, means: Means, account: Account, sink: Sink) -> None:
        self._means = means
        self._account = account
        self._sink = sink
        self._open: dict[str, _Branch] = {}
        self._fitting = asyncio.Lock()
        self.record: Mapping[str, object] = {}
        """The choice of the players, in plain values."""
        self.standing = ""
        """The answer so far, for when the turn is stopped."""

    async def begin(self, title: str, plans: Iterable[P]) -> P:
        """Hold the estimate of the first plan that the budgets have room for, and announce it.

        The plan is kept with the turn, in the same commit. Raises the first refusal when there is
        no room for any, and what `plans` raises.
        """
        refused: BudgetExceededError | None = None
        for plan in plans:
            record, amount = plan.record(), plan.cost.expected or 0
            turn = replace(self._account.turn, decision=record)
            try:
                await self._means.ledger.reserve(turn, amount, self._account.limits)
            except BudgetExceededError as error:
                refused = refused or error
                continue
            self.record = record
            self._account = replace(self._account, has_reserved=amount > 0)
            shown = self._sink.branch(PLAN, title).finish(Reply(text=plan.words, actions=()))
            await _shown(shown)
            return plan
        raise refused or NoModelError

    async def available(self) -> int | None:
        """How many nano-dollars may still be held for this turn, None without a cap."""
        account = self._account
        states = await self._means.ledger.states(account.limits, turn_id=account.turn.turn_id)
        state = tightest(states)
        return None if state is None else state.available

    def status(self, text: str) -> None:
        """Say what goes on now."""
        self._sink.status(text)

    async def run(self, step: Step) -> Said:
        """Take a step in a message of its own, by the first of its models that answers.

        Raises as `first_answer` does.
        """

        async def ask(number: int, model: ModelSpec) -> Said:
            return await self._in_branch(step, model, _name(step, number))

        return await self._first(step, ask, Shown(None))

    async def run_last(self, step: Step, on_text: OnText) -> Said:
        """Take the last step, whose text is the answer itself; once text came, there is no other.

        Raises as `first_answer` does.
        """
        shown = Shown(on_text)

        async def ask(number: int, model: ModelSpec) -> Said:
            return await self._ask(step, model, _name(step, number), shown.begin())

        return await self._first(step, ask, shown)

    async def close(self, note: str) -> None:
        """End the messages that are still being written, with what they have."""
        while self._open:
            _, branch = self._open.popitem()
            reply = Reply(text=branch.text, notes=(note,), actions=())
            await _shown(branch.sink.finish(reply))

    async def _first(self, step: Step, ask: Ask[Said], shown: Shown) -> Said:
        said, _ = await first_answer(step.models[:MAX_TRIES], ask, self._means.health, shown)
        return said

    async def _in_branch(self, step: Step, model: ModelSpec, name: str) -> Said:
        label = to_label(step.title, model.alias)
        branch = _Branch(self._sink.branch(name, label, is_brief=step.is_brief))
        self._open[name] = branch
        try:
            said = await self._ask(step, model, name, branch.show)
        except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
            del self._open[name]
            await _shown(_broken_off(branch, f"{model.alias} did not answer: {error}"))
            raise
        del self._open[name]
        await _shown(branch.sink.finish(_to_reply(said)))
        return said

    async def _ask(self, step: Step, model: ModelSpec, name: str, on_text: OnText) -> Said:
        async with self._fitting:  # voices that begin at once share one summary
            fitted = await self._means.fit(step.messages, model, self._account)
        most = output_limit(model, estimate_input_tokens(fitted.messages))
        call = ModelCall(
            call_id=f"{self._account.turn.turn_id}:{name}",
            purpose=step.purpose,
            model=model,
            messages=fitted.messages,
            max_output_tokens=min(most, step.most_output_tokens or most),
            temperature=step.temperature,
            timeout_s=self._means.step_timeout_s,
        )
        entry = await self._means.meter.complete(call, self._account, on_text)
        refuse_empty(entry)
        length = "It reached its length limit." if entry.finish_reason == "length" else ""
        notes = tuple(note for note in (model.note, fitted.note, length) if note)
        return Said(entry=entry, model=model, notes=notes)


def _name(step: Step, number: int) -> str:
    """What a try of a step is called: `judge`, then `judge.2`."""
    return step.name if number == 1 else f"{step.name}.{number}"


def _to_reply(said: Said) -> Reply:
    footer = to_footer(said.entry, (said.entry,))
    return Reply(text=said.text, footer=footer, notes=said.notes, actions=())


async def _broken_off(branch: _Branch, sentence: str) -> None:
    if branch.text.strip():
        await branch.sink.finish(Reply(text=branch.text, notes=(sentence,), actions=()))
    else:
        await branch.sink.fail(Notice(text=sentence))


async def _shown(showing: Awaitable[None]) -> None:
    """Show a step to its end, also when the turn is stopped meanwhile: broken off half-way, it
    would look as if more were coming.

    One that a platform refuses to show is kept all the same, and the others go on.
    """
    end = asyncio.ensure_future(showing)
    try:
        await asyncio.shield(end)
    except DeliveryError as error:
        logger.warning("a step could not be posted", extra={"error": str(error)})
    except asyncio.CancelledError:
        await asyncio.gather(end, return_exceptions=True)
        raise
