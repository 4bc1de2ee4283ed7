"""Answers a turn: loads it, routes it, runs the strategy, delivers, keeps the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.access import check_access, check_rate
from bot.attachments import problems
from bot.budget import Limit, alert_message
from bot.caps import NO_CAPS, InstanceCaps
from bot.catalog import Catalog
from bot.closing import Closing
from bot.command_grammar import Command
from bot.command_runner import CommandRunner
from bot.commands import COMMANDS, parse_command
from bot.endings import STOPPED_NOTE, answered, cut_off, done, failed, stopped
from bot.errors import (
    BotError,
    BudgetExceededError,
    CommandError,
    DeliveryError,
    ProviderUnavailableError,
    StoreError,
    SupersededError,
)
from bot.estimation import Estimation
from bot.explanation import to_record
from bot.health import Health
from bot.metering import Account, Meter
from bot.ports import Clock, Delivery, Gateway, Observer, Sink, Store
from bot.preparation import Preparation, Prepared
from bot.router import Router
from bot.routes import RouteDecision
from bot.settings import Settings
from bot.strategies.checked import Checked
from bot.strategies.discussion import Asked, Discussions, to_discussion
from bot.strategies.outcome import Outcome, to_reply
from bot.strategies.single import Answer, CutAnswerError, Single
from bot.strategies.stage import STEP_TIMEOUT_S, Means, Stage
from bot.summaries import Summaries
from bot.tags import without_tags
from bot.turns import Begun, Turn

MAX_ATTEMPTS = 5
ALWAYS_ALLOWED = ("help", "forget")
"""What also those may do who are not let in."""
APOLOGY = "Something went wrong on my side. It has been noted; please ask again."
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """What a turn has come to so far, for whoever has to end it."""

    turn: Turn
    sink: Sink
    text: str = ""
    limits: tuple[Limit, ...] = ()
    """The budgets that it counts for, once they are known."""
    stage: Stage | None = None
    """Where a debate or an ensemble is held."""
    error: str = ""
    """The name of the class of what went wrong."""

    def show(self, text: str) -> None:
        self.text += text
        self.sink.append(text)


class Responder:
    """Answers turns, one at a time for each conversation; the queue sees to that."""

    def __init__(  # noqa: PLR0913  # each is a part that main puts together
        self,
        *,
        store: Store,
        gateway: Gateway,
        delivery: Delivery,
        router: Router,
        clock: Clock,
        instance_caps: InstanceCaps = NO_CAPS,
        admins: frozenset[str] = frozenset(),
        observers: Sequence[Observer] = (),
        step_timeout_s: float = STEP_TIMEOUT_S,
    ) -> None:
        """`instance_caps` are those of all who ask, together.

        `admins` are `platform:user id`; `step_timeout_s` is how long one step of a debate or an
        ensemble may take.
        """
        self._store = store
        self._delivery = delivery
        self._router = router
        self._clock = clock
        self._closing = Closing(store, clock, observers)

        def catalog() -> Catalog:
            return router.catalog

        health, meter = Health(clock), Meter(gateway, store, clock, observers)
        self.commands = CommandRunner(
            store, catalog, clock, instance_caps=instance_caps, admins=admins
        )
        self._preparation = Preparation(
            store,
            router,
            clock,
            Estimation(meter, router, store, health),
            unhealthy=health.unhealthy,
            instance_caps=instance_caps,
        )
        fit = Summaries(meter, store, clock, catalog=catalog, health=health).fit
        single = Single(meter, health, fit)
        self._checked = Checked(single, meter, catalog=catalog, health=health)
        means = Means(
            meter=meter, ledger=store, fit=fit, health=health, step_timeout_s=step_timeout_s
        )
        self._discussions = Discussions(means, catalog)

    async def answer(self, turn_id: str) -> None:
        """Answer a turn to its end. May be repeated after a crash: no finished call is paid again.

        When it is cancelled and nobody asked the turn to stop, the turn stays as it is, to be
        taken up by the next start. Raises StoreError when the store is gone in the middle: then,
        too, it stays as it is.
        """
        begun = await self._store.begin(turn_id, self._clock.now())
        if begun is None:
            return
        turn = begun.turn
        try:
            progress = _Progress(turn, await self._delivery.open(turn))
        except DeliveryError as error:
            await self._closing.close_unseen(failed(turn, str(error)), type(error).__name__)
            return
        try:
            ended = await self._run(begun, progress)
        except SupersededError:
            logger.info("another process has taken the turn over", extra={"turn_id": turn_id})
            await progress.sink.close()
            return
        await self._closing.close(ended, progress.sink, progress.error)

    async def _run(self, begun: Begun, progress: _Progress) -> Turn:
        turn_id = progress.turn.turn_id
        try:
            return await self._answer(begun, progress)
        except asyncio.CancelledError:
            if not await self._store.is_stopped(turn_id):
                raise
            return await self._stopped(progress)
        except (SupersededError, StoreError):
            raise
        except BotError as error:
            if isinstance(error, BudgetExceededError):  # which says what an alert would say
                await self._store.claim_alerts(progress.limits, is_used_up=True)
            progress.error = type(error).__name__
            return failed(progress.turn, str(error), is_refused=error.is_refusal)
        except Exception as error:
            logger.exception("the turn failed", extra={"turn_id": turn_id})
            progress.error = type(error).__name__
            return failed(progress.turn, APOLOGY)

    async def _answer(self, begun: Begun, progress: _Progress) -> Turn:
        if begun.is_stopped:
            return await self._stopped(progress)
        if progress.turn.attempts > MAX_ATTEMPTS:
            raise ProviderUnavailableError(
                "I was interrupted several times while I answered this. Please ask again."
            )
        progress.turn = self.commands.with_rights(progress.turn)
        command = self._admitted(progress, begun)
        if command is None:
            return await self._routed(progress, begun.settings)
        if COMMANDS[command.name].asks_models:
            return await self._discussed(progress, command, begun.settings)
        return await self._commanded(progress, command)

    def _admitted(self, progress: _Progress, begun: Begun) -> Command | None:
        """The command that a turn is, None for a prompt; raises when its user may not ask."""
        turn = progress.turn
        check_rate(turn, begun.settings, begun.recent_prompts)
        progress.turn = replace(turn, decision={"command": ""})
        command = to_discussion(turn.prompt, self._router.catalog.aliases())
        if command is None and not turn.attachments:
            aliases = self._router.catalog.aliases()
            command = parse_command(turn.prompt) or _behind_tag(turn.prompt, aliases)
        if command is None or command.name not in ALWAYS_ALLOWED:
            progress.turn = turn
            check_access(turn, begun.settings)
        return command

    async def _commanded(self, progress: _Progress, command: Command) -> Turn:
        """Do what a command says; models have no part in it."""
        progress.turn = turn = replace(progress.turn, decision={"command": command.name})
        return done(turn, await self.commands.run(command, turn))

    async def _routed(self, progress: _Progress, settings: Settings) -> Turn:
        """Answer a prompt by the model that the router chooses."""
        turn = progress.turn
        prepared = await self._preparation.prepare(turn, settings)
        progress.limits = prepared.limits
        decision = await self._preparation.route(turn, prepared)
        progress.turn = turn = replace(turn, decision=to_record(decision))
        progress.sink.status(f"{decision.model.tier.label} · {decision.model.alias}")
        account = Account(turn=turn, limits=prepared.limits)
        try:
            answer = await self._checked.answer(
                decision, prepared, account, progress.show, progress.sink.status
            )
        except CutAnswerError:
            logger.warning("a stream was cut", extra={"turn_id": turn.turn_id})
            return cut_off(turn, progress.text, await self._store.entries(turn.turn_id))
        return await self._answered(turn, decision, answer, prepared)

    async def _discussed(self, progress: _Progress, command: Command, settings: Settings) -> Turn:
        """Hold a debate or an ensemble; what was decided is kept however it ends."""
        turn = progress.turn
        prepared = await self._preparation.prepare(replace(turn, prompt=command.text), settings)
        progress.limits = prepared.limits
        account = Account(turn=turn, limits=prepared.limits)
        progress.stage = stage = self._discussions.stage(account, progress.sink)
        asked = Asked(
            command=command,
            settings=settings,
            tagged=prepared.tagged,
            messages=prepared.messages,
        )
        try:
            outcome = await self._discussions.run(asked, account, stage, progress.show)
        except (SupersededError, StoreError):
            raise
        except Exception:
            await stage.close("This was broken off.")
            raise
        finally:
            progress.turn = turn = replace(turn, decision=dict(stage.record))
        return await self._concluded(turn, outcome, prepared)

    async def _concluded(self, turn: Turn, outcome: Outcome, prepared: Prepared) -> Turn:
        warnings = await self._alerts(prepared.limits)
        entries = await self._store.entries(turn.turn_id)
        return done(turn, to_reply(outcome, entries, warnings))

    async def _answered(
        self, turn: Turn, decision: RouteDecision, answer: Answer, prepared: Prepared
    ) -> Turn:
        warnings = await self._alerts(prepared.limits, is_used_up=decision.is_budget_used_up)
        notes = (*problems(turn.attachments), *prepared.clipped, *answer.notes, *warnings)
        entries = await self._store.entries(turn.turn_id)
        return answered(turn, decision, answer, entries=entries, notes=notes)

    async def _alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[str, ...]:
        """What is to be said of the budgets, each mark once."""
        alerts = await self._store.claim_alerts(limits, is_used_up=is_used_up)
        return tuple(alert_message(alert) for alert in alerts)

    async def _stopped(self, progress: _Progress) -> Turn:
        if progress.stage is not None:
            await progress.stage.close(STOPPED_NOTE)
            progress.text = progress.text or progress.stage.standing
        turn = progress.turn
        return stopped(turn, progress.text, await self._store.entries(turn.turn_id))


def _behind_tag(prompt: str, aliases: Collection[str]) -> Command | None:
    """The command that stands beside a tag; what can't be taken back has to stand alone."""
    untagged = without_tags(prompt, aliases)
    command = None if untagged == prompt else parse_command(untagged)
    if command is not None and command.name == "forget":
        raise CommandError("Nothing was forgotten. If you meant that, write it without a tag.")
    return command
