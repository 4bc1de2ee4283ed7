"""The meter: every model call goes through it, is held before and settled after, exactly once.

The ledger row is the journal: a call that is closed is returned as kept and never paid again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot import errors
from bot.answer_limits import MIN_OUTPUT_TOKENS
from bot.budget import Limit, to_exceeded_error
from bot.calls import Completion, ModelCall, OnText, Usage, estimate_tokens
from bot.errors import BudgetExceededError, GatewayError, SupersededError
from bot.ledger import CallStatus, LedgerEntry, to_cost, to_hold, to_list_price
from bot.ports import Clock, Gateway, Ledger, Observer
from bot.turns import Turn

MAX_ATTEMPTS = 3
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays for a call: its turn, and the limits it counts for."""

    turn: Turn
    limits: tuple[Limit, ...] = ()
    has_reserved: bool = False
    """Whether the turn's calls draw on what was held for all of them."""

    def limits_at(self, now: datetime) -> tuple[Limit, ...]:
        """Those that a call counts for; when a new day has begun in a long turn, the new day's.

        What was reserved stays in the windows that it was taken from, so these count besides.
        """
        current = tuple(limit.at(now) for limit in self.limits)
        return tuple(dict.fromkeys((*self.limits, *current))) if self.has_reserved else current


class _Reading:
    """Passes text on and remembers it, with the time at which it began."""

    def __init__(self, on_text: OnText, clock: Clock) -> None:
        self._on_text = on_text
        self._clock = clock
        self.started_s = clock.elapsed_s()
        self.first_token_s: float | None = None
        self.pieces: list[str] = []
        self.reasoning: list[str] = []

    def __call__(self, text: str) -> None:
        if self.first_token_s is None:
            self.first_token_s = self._clock.elapsed_s() - self.started_s
        self.pieces.append(text)
        self._on_text(text)

    @property
    def latency_s(self) -> float:
        return self._clock.elapsed_s() - self.started_s


class Meter:
    """Calls models through a gateway and books every call."""

    def __init__(
        self,
        gateway: Gateway,
        ledger: Ledger,
        clock: Clock,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._gateway = gateway
        self._ledger = ledger
        self._clock = clock
        self._observers = observers

    async def complete(self, call: ModelCall, account: Account, on_text: OnText) -> LedgerEntry:
        """Make a call, or return what an earlier run of the same call kept.

        Returns the closed entry, with the answer's text. Raises the GatewayError of the call, also
        when it is an earlier run's; BudgetExceededError when a limit has no room for even a short
        answer; SupersededError when another process has taken the turn over.
        """
        entry, call = await self._open(call, account)
        if entry.status is CallStatus.DONE:
            on_text(entry.text)
            return entry
        if entry.status is CallStatus.FAILED:
            raise _kept_error(entry)
        reading = _Reading(on_text, self._clock)
        try:
            completion = await self._call(call, entry, reading)
        except asyncio.CancelledError:
            await self._close(_cut(entry, call, reading, CallStatus.CANCELLED))
            raise
        except Exception as error:
            await self._close(_failed(entry, call, reading, error))
            raise
        closed = _done(entry, call, completion, reading)
        await self._close(closed)
        return closed

    async def _call(self, call: ModelCall, entry: LedgerEntry, reading: _Reading) -> Completion:
        if entry.attempt > MAX_ATTEMPTS:
            raise errors.ProviderUnavailableError(
                "This call was interrupted several times, so I gave it up. Please ask again."
            )
        return await self._gateway.complete(call, reading, reading.reasoning.append)

    async def _open(self, call: ModelCall, account: Account) -> tuple[LedgerEntry, ModelCall]:
        """Hold what the call can cost; with too little left, ask for a shorter answer."""
        price = call.model.price
        if price is None:
            await self._refuse_when_used_up(call, account)
            return await self._held(call, account), call
        try:
            return await self._held(call, account), call
        except BudgetExceededError as error:
            tokens = price.affordable_output_tokens(
                input_tokens=call.input_tokens, available=error.available
            )
            if max(tokens, MIN_OUTPUT_TOKENS) >= call.max_output_tokens:
                raise
            # With too little for the shortest, its refusal says which caps do not even allow that.
            shorter = replace(call, max_output_tokens=max(tokens, MIN_OUTPUT_TOKENS))
            return await self._held(shorter, account), shorter

    async def _refuse_when_used_up(self, call: ModelCall, account: Account) -> None:
        """Begin no call of unknown price, which no hold can limit, once a budget is used up."""
        turn_id = account.turn.turn_id
        limits = account.limits_at(self._clock.now())
        states = await self._ledger.states(limits, turn_id=turn_id)
        if all(state.available for state in states):
            return
        begun = {entry.call_id for entry in await self._ledger.entries(turn_id)}
        if call.call_id not in begun:
            raise to_exceeded_error(states, 1)

    async def _held(self, call: ModelCall, account: Account) -> LedgerEntry:
        entry = self._entry(call, account)
        limits = account.limits_at(entry.created_at)
        return await self._ledger.open(entry, limits, draws=account.has_reserved)

    def _entry(self, call: ModelCall, account: Account) -> LedgerEntry:
        turn, model = account.turn, call.model
        return LedgerEntry(
            call_id=call.call_id,
            turn_id=turn.turn_id,
            platform=turn.key.platform,
            workspace_id=turn.key.workspace_id,
            channel_id=turn.key.channel_id,
            user_id=turn.user_id,
            purpose=call.purpose,
            tier=model.tier,
            alias=model.alias,
            model_id=model.model_id,
            hold=to_hold(call),
            created_at=self._clock.now(),
        )

    async def _close(self, entry: LedgerEntry) -> None:
        """Settle a call and tell of it, to the end, also when its turn is stopped meanwhile."""
        await asyncio.shield(self._settle(entry))

    async def _settle(self, entry: LedgerEntry) -> None:
        if entry.cost is not None and entry.cost > entry.hold:
            logger.error(
                "the provider billed more than was held",
                extra={"call_id": entry.call_id, "hold": entry.hold, "cost": entry.cost},
            )
        if not await self._ledger.close(entry):
            raise SupersededError
        for observer in self._observers:
            observer.call_ended(entry)


def _done(
    entry: LedgerEntry, call: ModelCall, completion: Completion, reading: _Reading
) -> LedgerEntry:
    return replace(
        entry,
        status=CallStatus.DONE,
        text=completion.text,
        usage=completion.usage,
        cost=to_cost(call.model, completion.usage, completion.reported_cost),
        list_price=to_list_price(call.model, completion.usage),
        reported_cost=completion.reported_cost,
        served_model_id=completion.response_model_id,
        finish_reason=completion.finish_reason,
        latency_s=reading.latency_s,
        first_token_s=reading.first_token_s,
    )


def _failed(
    entry: LedgerEntry, call: ModelCall, reading: _Reading, error: Exception
) -> LedgerEntry:
    closed = _cut(entry, call, reading, CallStatus.FAILED)
    message = str(error) if isinstance(error, GatewayError) else ""
    return replace(closed, error=type(error).__name__, error_message=message)


def _cut(entry: LedgerEntry, call: ModelCall, reading: _Reading, status: CallStatus) -> LedgerEntry:
    """What a call used that did not end well: its input, the text and reasoning so far, estimated.

    One that brought neither is taken as not billed when it failed; cancelled, its input counts.
    """
    text = "".join(reading.pieces)
    reasoning_tokens = estimate_tokens("".join(reading.reasoning))
    is_billed = bool(text or reasoning_tokens) or status is CallStatus.CANCELLED
    usage = Usage(
        input_tokens=call.input_tokens if is_billed else 0,
        output_tokens=estimate_tokens(text) + reasoning_tokens,
        reasoning_tokens=reasoning_tokens,
        is_estimated=True,
    )
    return replace(
        entry,
        status=status,
        text=text,
        usage=usage,
        cost=to_cost(call.model, usage, None),
        list_price=to_list_price(call.model, usage),
        latency_s=reading.latency_s,
        first_token_s=reading.first_token_s,
    )


def _kept_error(entry: LedgerEntry) -> GatewayError:
    kind = getattr(errors, entry.error, errors.ProviderUnavailableError)
    if not (isinstance(kind, type) and issubclass(kind, GatewayError)):
        kind = errors.ProviderUnavailableError
    return kind(entry.error_message)


def total_cost(entries: Sequence[LedgerEntry]) -> int | None:
    """What these calls are billed together, lost attempts included; None if one is unpriced."""
    if any(e.cost is None and e.status is not CallStatus.OPEN for e in entries):
        return None
    return sum(entry.spent for entry in entries)
