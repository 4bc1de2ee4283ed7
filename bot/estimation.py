"""How hard a prompt is here, in the form its place has chosen: local, rules or a small judge.

Whatever goes wrong with the judge, the local form answers in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.calls import ModelCall, Purpose
from bot.catalog import ModelSpec
from bot.clerks import clerks, judges
from bot.difficulty import Estimate, Estimator, HistoryTurn, RulesEstimator
from bot.difficulty.followups import FollowUp, classify
from bot.difficulty.judge import MAX_OUTPUT_TOKENS, TIMEOUT_S, read_judgement, to_judge_prompt
from bot.difficulty.learned import LearnedEstimator, from_bytes
from bot.errors import BudgetExceededError, GatewayError, ResponseTimeoutError
from bot.health import Health
from bot.lessons import LearnedVersion
from bot.messages import Message, Role
from bot.metering import Account, Meter
from bot.ports import Lessons
from bot.router import Router
from bot.settings import RouterForm, Settings

_NO_VERDICT = "the judging model gave no verdict"
logger = logging.getLogger(__name__)


class Estimation:
    """Judges prompts; only the judge form asks a model, once for each turn."""

    def __init__(self, meter: Meter, router: Router, lessons: Lessons, health: Health) -> None:
        self._meter = meter
        self._router = router
        self._lessons = lessons
        self._learned: dict[str, tuple[int, Estimator]] = {}
        self._rules = RulesEstimator()
        self._health = health

    async def estimate(
        self, prompt: str, history: Sequence[HistoryTurn], settings: Settings, account: Account
    ) -> Estimate:
        """Judge a prompt in the light of its conversation. Fails only as a store does."""
        if settings.router is RouterForm.RULES:
            return self._rules.estimate(prompt, history)
        local = (await self._local(settings, account)).estimate(prompt, history)
        if settings.router is RouterForm.LOCAL or not self._is_worth_judging(
            prompt, history, settings
        ):
            return local
        word = await self._word(prompt, settings, account)
        judged = read_judgement(word, local, history)
        return judged or replace(local, reasons=(*local.reasons[:2], _NO_VERDICT))

    async def _local(self, settings: Settings, account: Account) -> Estimator:
        """The shipped model, moved by what its workspace has learned where that is switched on."""
        if not settings.learn:
            return self._router.estimator
        key = account.turn.key
        scope_id = f"{key.platform}/{key.workspace_id}"
        version = await self._lessons.learned(scope_id)
        if version is None:
            return self._router.estimator
        number, estimator = self._learned.get(scope_id, (0, self._router.estimator))
        if number != version.number:
            estimator = self._read(version)
            self._learned[scope_id] = (version.number, estimator)
        return estimator

    def _read(self, version: LearnedVersion) -> Estimator:
        """What was learned; the shipped model when it was learned on an earlier one."""
        try:
            return LearnedEstimator(self._router.estimator, from_bytes(version.data))
        except ValueError as error:
            logger.warning(
                "what was learned is not used",
                extra={"scope_id": version.scope_id, "error": str(error)},
            )
            return self._router.estimator

    def _is_worth_judging(
        self, prompt: str, history: Sequence[HistoryTurn], settings: Settings
    ) -> bool:
        """A judge sees no conversation, and without a choice of tiers it changes nothing."""
        tiers = {model.tier for model in clerks(self._router.catalog, settings, frozenset())}
        is_new = classify(prompt, history) is FollowUp.NEW
        return is_new and len(tiers) > 1 and bool(prompt.strip())

    async def _word(self, prompt: str, settings: Settings, account: Account) -> str:
        """What the cheapest judge says; nothing when it fails, is late or can't be paid."""
        model = next(iter(judges(self._router.catalog, settings, self._health.unhealthy())), None)
        if model is None:
            return ""
        call = to_call(f"{account.turn.turn_id}:classify", model, prompt)
        try:
            entry = await self._meter.complete(call, account, lambda _: None)
        except (ResponseTimeoutError, BudgetExceededError) as error:
            logger.info(
                "no judgement",
                extra={"turn_id": account.turn.turn_id, "error": type(error).__name__},
            )
        except GatewayError as error:
            self._health.note(model, error)
        else:
            return entry.text
        return ""


def to_call(call_id: str, model: ModelSpec, prompt: str) -> ModelCall:
    """The one call that asks a judge."""
    return ModelCall(
        call_id=call_id,
        purpose=Purpose.CLASSIFY,
        model=model,
        messages=(Message(role=Role.USER, text=to_judge_prompt(prompt)),),
        max_output_tokens=min(MAX_OUTPUT_TOKENS, model.max_output_tokens),
        temperature=0.0,
        timeout_s=TIMEOUT_S,
    )
