"""Check, then escalate: an answer that may be poor is held back, checked, and asked anew higher up.

It happens once, only in the uncertain band, and only before anything was shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from bot.calls import ModelCall, OnText, Purpose
from bot.catalog import Catalog, ModelSpec
from bot.clerks import judges
from bot.difficulty.answer_check import (
    MAX_OUTPUT_TOKENS,
    TIMEOUT_S,
    Fault,
    find_fault,
    is_passed,
    is_worth_checking,
    to_check_prompt,
)
from bot.errors import BudgetExceededError, GatewayError, PromptTooLongError
from bot.health import Health
from bot.messages import Message, Role
from bot.metering import Account, Meter
from bot.preparation import Prepared
from bot.routes import RouteDecision
from bot.strategies.single import Answer, CutAnswerError, Single

PASSED = "It was checked before it was shown, and passed."
logger = logging.getLogger(__name__)


class Checked:
    """Answers as `Single` does, and looks at a doubtful answer before a person does."""

    def __init__(
        self,
        single: Single,
        meter: Meter,
        *,
        catalog: Callable[[], Catalog],
        health: Health,
    ) -> None:
        self._single = single
        self._meter = meter
        self._catalog = catalog
        self._health = health

    async def answer(
        self,
        decision: RouteDecision,
        prepared: Prepared,
        account: Account,
        on_text: OnText,
        on_status: Callable[[str], None],
    ) -> Answer:
        """Answer; raises as `Single.answer` does. The check itself never fails a turn."""
        messages = prepared.messages
        if not prepared.settings.check or not _is_doubtful(decision, decision.model):
            return await self._single.answer(decision, messages, account, on_text)
        on_status(_status(decision.model, "will be checked"))
        draft = await self._single.answer(decision, messages, account, None)
        heavier = to_heavier(decision, draft.model)
        if heavier is None or not _is_doubtful(decision, draft.model):
            return _shown(draft, on_text)
        on_status(_status(draft.model, "checking"))
        fault = find_fault(draft.entry.text) or await self._judged(draft, prepared, account)
        if fault is None:
            return _shown(replace(draft, remark=f"{draft.remark} {PASSED}".strip()), on_text)
        on_status(_status(heavier.model, "a better answer"))
        try:
            better = await self._single.answer(heavier, messages, account, on_text, name="escalate")
        except CutAnswerError:
            raise
        except (GatewayError, BudgetExceededError, PromptTooLongError) as error:
            logger.info("no better answer", extra={"error": type(error).__name__})
            note = f"I checked this and {fault.value}, but no heavier model could answer."
            return _shown(replace(draft, notes=(*draft.notes, note)), on_text)
        note = f"{draft.model.alias} answered first, but {fault.value}, so I asked a heavier model."
        return replace(better, notes=(note, *better.notes), remark=note)

    async def _judged(self, draft: Answer, prepared: Prepared, account: Account) -> Fault | None:
        """What a small judge finds, another model if there is one; nothing when it fails."""
        if prepared.messages[-1].attachments:
            return None  # it would not see them
        able = judges(self._catalog(), prepared.settings, self._health.unhealthy())
        judge = next((m for m in able if m.alias != draft.model.alias), next(iter(able), None))
        if judge is None:
            return None
        call = _to_call(account, judge, prepared.messages, draft.entry.text)
        try:
            entry = await self._meter.complete(call, account, lambda _: None)
        except (GatewayError, BudgetExceededError) as error:
            logger.info(
                "no verdict",
                extra={"turn_id": account.turn.turn_id, "error": type(error).__name__},
            )
            return None
        return None if is_passed(entry.text) else Fault.FAILED


def to_heavier(decision: RouteDecision, model: ModelSpec) -> RouteDecision | None:
    """Who answers when this model's answer is no good: the best of the tiers above it.

    None when there is none that may be asked.
    """
    scores = decision.requirements.score
    above = [tier for tier in scores if tier > model.tier]
    if not above:
        return None
    tier = min(above, key=lambda tier: (scores[tier], tier))
    models = [m for m in decision.fallbacks if m.tier >= tier]
    return replace(decision, model=models[0], fallbacks=tuple(models[1:])) if models else None


def _is_doubtful(decision: RouteDecision, model: ModelSpec) -> bool:
    expected = decision.requirements.expected
    return (
        expected is not None
        and is_worth_checking(expected.p(model.tier))
        and to_heavier(decision, model) is not None
    )


def _to_call(
    account: Account, judge: ModelSpec, messages: tuple[Message, ...], answer: str
) -> ModelCall:
    said = [m.text for m in messages[-3:-1] if m.role is not Role.SYSTEM]
    return ModelCall(
        call_id=f"{account.turn.turn_id}:check",
        purpose=Purpose.CHECK,
        model=judge,
        messages=(Message(role=Role.USER, text=to_check_prompt(messages[-1].text, answer, said)),),
        max_output_tokens=min(MAX_OUTPUT_TOKENS, judge.max_output_tokens),
        temperature=0.0,
        timeout_s=TIMEOUT_S,
    )


def _status(model: ModelSpec, doing: str) -> str:
    return f"{model.tier.label} · {model.alias} · {doing}"


def _shown(answer: Answer, on_text: OnText) -> Answer:
    on_text(answer.entry.text)
    return answer
