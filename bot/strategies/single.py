"""One model answers; if it fails before any text was shown, the next one does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.answer_limits import output_limit
from bot.calls import ModelCall, OnText, Purpose, estimate_input_tokens
from bot.catalog import ModelSpec
from bot.conversation import Fitted
from bot.errors import ContentPolicyError, EmptyAnswerError, GatewayError
from bot.health import Health
from bot.ledger import LedgerEntry
from bot.messages import Message
from bot.metering import Account, Meter
from bot.routes import RouteDecision
from bot.strategies.fallbacks import Shown, first_answer

Fit = Callable[[Sequence[Message], ModelSpec, Account], Awaitable[Fitted]]

MAX_TRIES = 6
"""Models asked for one answer, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the entry of the call that answered, and what the person should know."""

    entry: LedgerEntry
    model: ModelSpec
    notes: tuple[str, ...] = ()
    remark: str = ""
    """What is kept beside the decision, for whoever asks why."""


class CutAnswerError(GatewayError):
    """The answer was cut off by the provider. Ask again for a new one."""


class Single:
    """Asks the chosen model, then its fallbacks in order."""

    def __init__(self, meter: Meter, health: Health, fit: Fit) -> None:
        """`fit` makes of a conversation what a model's window takes."""
        self._meter = meter
        self._health = health
        self._fit = fit

    async def answer(
        self,
        decision: RouteDecision,
        messages: Sequence[Message],
        account: Account,
        on_text: OnText | None,
        *,
        name: str = "answer",
    ) -> Answer:
        """Answer, streaming to `on_text`; once text was shown there is no other model.

        None holds the text back. `name` is the step's, the same in every run of the turn.
        Raises CutAnswerError when the stream ended early, and else as `first_answer` does.
        """
        shown = Shown(on_text)

        async def ask(number: int, model: ModelSpec) -> Answer:
            fitted = await self._fit(messages, model, account)
            call_id = f"{account.turn.turn_id}:{name}{number}"
            call = _to_call(call_id, model, fitted, goes_on=decision.goes_on)
            return await self._ask(call, fitted, account, shown.begin())

        models = (decision.model, *decision.fallbacks)[:MAX_TRIES]
        try:
            answer, failure = await first_answer(models, ask, self._health, shown)
        except GatewayError as error:
            if shown.any:
                raise CutAnswerError from error
            raise
        switched = _switched(decision, answer.model, failure)
        return replace(answer, notes=(*switched, *answer.notes), remark=" ".join(switched))

    async def _ask(
        self, call: ModelCall, fitted: Fitted, account: Account, on_text: OnText
    ) -> Answer:
        entry = await self._meter.complete(call, account, on_text)
        refuse_empty(entry)
        return Answer(entry=entry, model=call.model, notes=_notes(entry, call.model, fitted))


def refuse_empty(entry: LedgerEntry) -> None:
    """Raise ContentPolicyError or EmptyAnswerError for a call that came to no text."""
    if not entry.text.strip():
        is_filtered = entry.finish_reason == "content_filter"
        raise ContentPolicyError if is_filtered else EmptyAnswerError


def _to_call(call_id: str, model: ModelSpec, fitted: Fitted, *, goes_on: bool) -> ModelCall:
    input_tokens = estimate_input_tokens(fitted.messages)
    return ModelCall(
        call_id=call_id,
        purpose=Purpose.ANSWER,
        model=model,
        messages=fitted.messages,
        max_output_tokens=output_limit(model, input_tokens),
        goes_on=goes_on,
    )


def _notes(entry: LedgerEntry, model: ModelSpec, fitted: Fitted) -> tuple[str, ...]:
    length = "The answer reached its length limit." if entry.finish_reason == "length" else ""
    filtered = (
        "The provider's content rules cut this answer short."
        if entry.finish_reason == "content_filter"
        else ""
    )
    return tuple(note for note in (model.note, fitted.note, length, filtered) if note)


def _switched(
    decision: RouteDecision, model: ModelSpec, failure: GatewayError | None
) -> tuple[str, ...]:
    if model is decision.model or failure is None:
        return ()
    return (f"{decision.model.alias} did not answer, so {model.alias} did.",)
