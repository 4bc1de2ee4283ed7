"""All that is known and decided before a model is asked: settings, history, limits, the route."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.attachments import problems
from bot.budget import Limit, limits_for, tightest, to_exceeded_error
from bot.calls import estimate_input_tokens
from bot.caps import InstanceCaps
from bot.catalog import Tier
from bot.conversation import MAX_HISTORY, needs_of, to_messages, to_system_prompt
from bot.difficulty import HistoryTurn
from bot.errors import EmptyPromptError
from bot.estimation import Estimation
from bot.exploration import to_trial
from bot.messages import Message, Role
from bot.metering import Account
from bot.ports import Clock, Store
from bot.router import Router
from bot.routes import RouteDecision, RouteRequest
from bot.settings import Settings
from bot.tags import Tagged, parse_tags, without_tags
from bot.turns import Turn, Utterance

CACHE_LASTS = timedelta(minutes=5)
"""How long providers keep a conversation in their cache at least: Anthropic's time, the shortest
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching, read 2026-11-28)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that is known before a model is chosen."""

    settings: Settings
    tagged: Tagged
    messages: tuple[Message, ...]
    history: tuple[Utterance, ...]
    limits: tuple[Limit, ...]

    @property
    def clipped(self) -> tuple[str, ...]:
        """What to say when there is more than is read for one answer."""
        if sum(said.role is Role.USER for said in self.history) < MAX_HISTORY:
            return ()
        return (f"I read the newest {MAX_HISTORY:,} messages here; older ones were left out.",)


class Preparation:
    """Gathers what an answer needs, and routes it."""

    def __init__(
        self,
        store: Store,
        router: Router,
        clock: Clock,
        estimation: Estimation,
        *,
        unhealthy: Callable[[], frozenset[str]],
        instance_caps: InstanceCaps,
    ) -> None:
        self._store = store
        self._router = router
        self._clock = clock
        self._estimation = estimation
        self._unhealthy = unhealthy
        self._instance_caps = instance_caps

    async def prepare(self, turn: Turn, settings: Settings) -> Prepared:
        """Read tags and history; raises EmptyPromptError or UnknownModelError."""
        catalog = self._router.catalog
        tagged = parse_tags(turn.prompt, catalog.aliases(), catalog.missing_keys())
        unread = problems(turn.attachments)
        if not tagged.prompt and len(unread) == len(turn.attachments):
            raise EmptyPromptError(" ".join(unread))
        history = _without_tags(await self._store.history(turn), catalog.aliases())
        now = self._clock.now()
        today = now.astimezone(settings.zone).strftime("%A, %-d %B %Y")
        return Prepared(
            settings=settings,
            tagged=tagged,
            messages=to_messages(
                history,
                turn,
                tagged.prompt,
                system_prompt=to_system_prompt(settings.system_prompt, turn, today=today),
            ),
            history=history,
            limits=limits_for(
                turn.key,
                turn.user_id,
                settings,
                self._instance_caps,
                turn.started_at or now,  # after a crash too: there it has reserved what it needs
            ),
        )

    async def route(self, turn: Turn, prepared: Prepared) -> RouteDecision:
        """Choose the model, within what the budgets have left; raises as `Router.route` does.

        BudgetExceededError when they are used up and only a model of unknown price is left.
        """
        settings, tagged = prepared.settings, prepared.tagged
        account = Account(turn=turn, limits=prepared.limits)
        states = await self._store.states(account.limits_at(self._clock.now()))
        least = tightest(states)
        tier, tier_reason = _asked_tier(turn, tagged, settings)
        alias = None if turn.tier is not None else tagged.alias
        history = _to_history_turns(prepared.history)
        latest = next((said for said in reversed(prepared.history) if said.alias), None)
        expected = None
        if tier is None and alias is None:
            expected = await self._estimation.estimate(tagged.prompt, history, settings, account)
        request = RouteRequest(
            prompt=tagged.prompt,
            input_tokens=estimate_input_tokens(prepared.messages[-1:]),
            earlier_tokens=estimate_input_tokens(prepared.messages[:-1]),
            history=history,
            expected=expected,
            needs=needs_of(prepared.messages, is_named=alias is not None),
            tier=tier,
            tier_reason=tier_reason,
            alias=alias,
            max_tier=settings.max_tier,
            models=settings.models,
            dial=settings.dial,
            current_alias=latest.alias if latest is not None else None,
            goes_on=latest is not None and self._clock.now() - latest.sent_at <= CACHE_LASTS,
            available=None if least is None else least.available,
            is_budget_low=any(state.is_low for state in states),
            unhealthy=self._unhealthy(),
        )
        decision = self._router.route(request)
        trial = to_trial(decision, request, settings, turn.turn_id)
        decision = decision if trial is None else self._router.route(trial)
        if states and decision.is_budget_used_up and decision.model.price is None:
            raise to_exceeded_error(states, 1)
        return decision


def _asked_tier(turn: Turn, tagged: Tagged, settings: Settings) -> tuple[Tier | None, str]:
    """The tier somebody asked for, the narrowest first: button, tag, thread, channel."""
    if turn.tier is not None:
        return turn.tier, "you asked for a heavier answer"
    if tagged.tier is not None:
        return tagged.tier, f"you asked for the {tagged.tier.label} tier"
    if tagged.is_auto or settings.tier is None:
        return None, ""
    return settings.tier, f"this place is set to the {settings.tier.label} tier"


def _without_tags(
    history: tuple[Utterance, ...], aliases: Collection[str]
) -> tuple[Utterance, ...]:
    """The history with the prompts that models were sent; a tag alone, refused, was none."""
    kept: list[Utterance] = []
    for said, after in zip(history, (*history[1:], None), strict=False):
        text = said.text if said.role is Role.ASSISTANT else without_tags(said.text, aliases)
        if text or said.attachments:
            kept.append(said if text == said.text else replace(said, text=text))
        elif after is not None and after.role is Role.ASSISTANT:  # the tag was no alias then
            kept.append(said)
    return tuple(kept)


def _to_history_turns(history: tuple[Utterance, ...]) -> tuple[HistoryTurn, ...]:
    """What the estimator may know of the earlier prompts."""
    turns: list[HistoryTurn] = []
    for said in history:
        if said.role is Role.USER:
            turns.append(HistoryTurn(prompt=said.text))
        else:
            turns[-1] = replace(turns[-1], tier=said.tier, feedback=said.feedback or None)
    return tuple(turns)
