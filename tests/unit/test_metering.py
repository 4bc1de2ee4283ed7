"""Every call is held before and settled after, once, however it ends."""

import asyncio
from dataclasses import replace
from datetime import UTC

import pytest

from bot.budget import Limit, window_at
from bot.calls import ModelCall, Purpose
from bot.caps import Period, Scope
from bot.catalog import ModelSpec
from bot.errors import (
    BudgetExceededError,
    DeliveryError,
    ProviderUnavailableError,
    RateLimitError,
    ResponseTimeoutError,
    StreamCutError,
    SupersededError,
)
from bot.ledger import CallStatus, LedgerEntry
from bot.messages import Message, Role
from bot.metering import Account, Meter, total_cost
from bot.turns import Turn
from storage import MemoryStore
from tests.fakes import (
    NOON,
    Cut,
    FrozenClock,
    Hang,
    Script,
    ScriptedGateway,
    incoming,
    model,
    turn,
)
from tests.unit.world import OvertakenStore

MODEL = model("paid", usd="1")
TURN = turn()


def _limit(cap: int, period: Period = Period.MONTH) -> Limit:
    window = window_at(NOON, period, UTC)
    return Limit(scope=Scope.INSTANCE, scope_id="", window=window, cap=cap)


def _call(of: ModelSpec = MODEL, max_output_tokens: int = 1_000) -> ModelCall:
    return ModelCall(
        call_id="test:m1:answer1",
        purpose=Purpose.ANSWER,
        model=of,
        messages=(Message(role=Role.USER, text="Hello"),),
        max_output_tokens=max_output_tokens,
    )


async def _ready() -> MemoryStore:
    store = MemoryStore()
    await store.accept(incoming("Hello"), TURN)
    return store


class SlowlySettlingStore(MemoryStore):
    """A store that waits before it settles a call."""

    def __init__(self) -> None:
        super().__init__()
        self.settling = asyncio.Event()
        self.may_settle = asyncio.Event()

    async def close(self, entry: LedgerEntry) -> bool:
        self.settling.set()
        await self.may_settle.wait()
        return await super().close(entry)


class Hearer:
    """Notes that a call has ended."""

    def __init__(self) -> None:
        self.one = asyncio.Event()

    def call_ended(self, entry: LedgerEntry) -> None:
        self.one.set()

    def turn_ended(self, turn: Turn, error: str) -> None:
        """No turn ends here."""


def _ignore(text: str) -> None:
    """For calls whose text does not matter."""


async def test_a_call_is_settled_at_what_it_cost() -> None:
    store = await _ready()
    meter = Meter(ScriptedGateway("Hi there"), store, FrozenClock())
    shown: list[str] = []
    limit = _limit(10**9)
    entry = await meter.complete(_call(), Account(turn=TURN, limits=(limit,)), shown.append)
    assert "".join(shown) == entry.text == "Hi there"
    assert (entry.status, entry.cost) == (CallStatus.DONE, 20 * 1_000 + 10 * 4_000)
    (state,) = await store.states((limit,))
    assert (state.spent, state.held) == (60_000, 0)


async def test_how_long_a_call_took_is_kept_and_when_its_text_began() -> None:
    clock = FrozenClock()
    meter = Meter(ScriptedGateway("Hi there"), await _ready(), clock)
    entry = await meter.complete(_call(), Account(turn=TURN), lambda _: clock.advance(2))
    assert (entry.first_token_s, entry.latency_s) == (0, 4)


async def test_a_finished_call_is_never_paid_again() -> None:
    store = await _ready()
    gateway = ScriptedGateway("Hi")
    meter = Meter(gateway, store, FrozenClock())
    first = await meter.complete(_call(), Account(turn=TURN), _ignore)
    shown: list[str] = []
    again = await meter.complete(_call(), Account(turn=TURN), shown.append)
    assert again == first
    assert shown == ["Hi"]
    assert len(gateway.calls) == 1


async def test_a_failed_call_costs_nothing_and_fails_the_same_way_again() -> None:
    store = await _ready()
    gateway = ScriptedGateway(RateLimitError("Slow down."))
    meter = Meter(gateway, store, FrozenClock())
    for _ in range(2):
        with pytest.raises(RateLimitError, match="Slow down"):
            await meter.complete(_call(), Account(turn=TURN), _ignore)
    (entry,) = await store.entries(TURN.turn_id)
    assert (entry.status, entry.cost, entry.error) == (CallStatus.FAILED, 0, "RateLimitError")
    assert len(gateway.calls) == 1


async def test_a_cut_stream_is_billed_by_estimate() -> None:
    store = await _ready()
    meter = Meter(ScriptedGateway(Cut("x" * 35, StreamCutError())), store, FrozenClock())
    with pytest.raises(StreamCutError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)
    (entry,) = await store.entries(TURN.turn_id)
    assert entry.usage is not None
    assert entry.usage.is_estimated
    assert (entry.usage.output_tokens, entry.text) == (9, "x" * 35)
    assert entry.cost == entry.usage.input_tokens * 1_000 + 36_000


async def test_the_reasoning_of_a_call_that_was_stopped_or_cut_before_any_text_is_billed() -> None:
    store, hang = await _ready(), Hang(reasoning="x" * 35)
    gateway = ScriptedGateway(Cut("", ResponseTimeoutError(), reasoning="x" * 35), hang)
    meter = Meter(gateway, store, FrozenClock())
    with pytest.raises(ResponseTimeoutError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)
    second = replace(_call(), call_id="test:m1:answer2")
    task = asyncio.create_task(meter.complete(second, Account(turn=TURN), _ignore))
    await hang.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for entry in await store.entries(TURN.turn_id):
        assert entry.usage is not None
        assert entry.usage.is_estimated
        assert (entry.usage.output_tokens, entry.usage.reasoning_tokens) == (9, 9)
        assert entry.cost == entry.usage.input_tokens * 1_000 + 36_000


async def test_a_cancelled_call_ends_the_stream_and_is_billed() -> None:
    store = await _ready()
    hang = Hang("Once upon")
    gateway = ScriptedGateway(hang)
    meter = Meter(gateway, store, FrozenClock())
    limit = _limit(10**9)
    task = asyncio.create_task(
        meter.complete(_call(), Account(turn=TURN, limits=(limit,)), _ignore)
    )
    await hang.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gateway.cancelled == ["test:m1:answer1"]
    (entry,) = await store.entries(TURN.turn_id)
    assert entry.status is CallStatus.CANCELLED
    (state,) = await store.states((limit,))
    assert (state.spent, state.held) == (entry.cost, 0)


@pytest.mark.parametrize("outcome", ["Hi", ProviderUnavailableError("down")])
async def test_whoever_watches_hears_of_a_call_whose_turn_is_stopped_while_it_is_settled(
    outcome: Script,
) -> None:
    store, heard = SlowlySettlingStore(), Hearer()
    await store.accept(incoming("Hello"), TURN)
    meter = Meter(ScriptedGateway(outcome), store, FrozenClock(), (heard,))
    task = asyncio.create_task(meter.complete(_call(), Account(turn=TURN), _ignore))
    await store.settling.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    store.may_settle.set()
    async with asyncio.timeout(5):
        await heard.one.wait()


async def test_a_call_taken_up_again_books_what_was_lost() -> None:
    store = await _ready()
    meter = Meter(ScriptedGateway("Hi"), store, FrozenClock())
    account = Account(turn=TURN)
    crashed = await store.open(meter._entry(_call(), account), ())  # a process died after this
    entry = await meter.complete(_call(), account, _ignore)
    assert (entry.attempt, entry.lost_cost) == (2, crashed.hold)
    assert entry.spent == (entry.cost or 0) + crashed.hold


async def test_a_call_that_was_cut_off_too_often_is_given_up() -> None:
    store = await _ready()
    gateway = ScriptedGateway()
    meter = Meter(gateway, store, FrozenClock())
    account = Account(turn=TURN)
    for _ in range(3):
        await store.open(meter._entry(_call(), account), ())
    with pytest.raises(ProviderUnavailableError, match="interrupted several times"):
        await meter.complete(_call(), account, _ignore)
    assert gateway.calls == []


async def test_a_call_that_was_cut_off_twice_is_made_once_more() -> None:
    store, gateway = await _ready(), ScriptedGateway("Hi")
    meter = Meter(gateway, store, FrozenClock())
    for _ in range(2):
        await store.open(meter._entry(_call(), Account(turn=TURN)), ())
    entry = await meter.complete(_call(), Account(turn=TURN), _ignore)
    assert (entry.text, entry.attempt) == ("Hi", 3)


async def test_too_little_money_makes_the_answer_shorter() -> None:
    gateway = ScriptedGateway("Hi")
    meter = Meter(gateway, await _ready(), FrozenClock())
    account = Account(turn=TURN, limits=(_limit(300 * 4_000 + 11 * 1_000),))
    await meter.complete(_call(), account, _ignore)
    assert gateway.calls[0].max_output_tokens == 300


async def test_no_money_refuses_before_the_call() -> None:
    gateway = ScriptedGateway()
    meter = Meter(gateway, await _ready(), FrozenClock())
    with pytest.raises(BudgetExceededError, match="has no room"):
        await meter.complete(_call(), Account(turn=TURN, limits=(_limit(1_000),)), _ignore)
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("monthly_cap", "names"), [(300 * 4_000 + 10 * 1_000, Period.DAY), (5_000, Period.MONTH)]
)
async def test_a_refusal_names_the_cap_that_does_not_even_allow_a_short_answer(
    monthly_cap: int, names: Period
) -> None:
    meter = Meter(ScriptedGateway(), await _ready(), FrozenClock())
    limits = (_limit(1_000, Period.DAY), _limit(monthly_cap))
    with pytest.raises(BudgetExceededError, match=f"a {names} has no room"):
        await meter.complete(_call(), Account(turn=TURN, limits=limits), _ignore)


async def test_a_turn_that_goes_on_after_midnight_counts_for_the_new_day() -> None:
    clock, store, gateway = FrozenClock(), await _ready(), ScriptedGateway("Hi", "Hi")
    meter, day = Meter(gateway, store, clock), _limit(10**9, Period.DAY)
    account = Account(turn=TURN, limits=(day,))
    await meter.complete(_call(), account, _ignore)
    clock.advance(24 * 3_600)
    new_day = day.at(clock.now())
    others = replace(_call(), call_id="test:m2:answer1")
    opened = await store.open(meter._entry(others, account), [new_day])
    await store.close(replace(opened, status=CallStatus.DONE, cost=new_day.cap))

    with pytest.raises(BudgetExceededError) as refusal:
        await meter.complete(replace(_call(), call_id="test:m1:answer2"), account, _ignore)

    assert len(gateway.calls) == 1
    assert new_day.window.starts_at == day.window.ends_at
    assert refusal.value.resets_at == new_day.window.ends_at
    assert replace(account, has_reserved=True).limits_at(clock.now()) == (day, new_day)


async def test_a_free_call_needs_no_money() -> None:
    free = model("free", usd="1", is_free_quota=True)
    meter = Meter(ScriptedGateway("Hi"), await _ready(), FrozenClock())
    account = Account(turn=TURN, limits=(_limit(0),))
    entry = await meter.complete(_call(free), account, _ignore)
    assert (entry.cost, entry.list_price) == (0, 60_000)


async def test_an_unpriced_call_is_made_and_stays_unpriced() -> None:
    meter = Meter(ScriptedGateway("Hi"), await _ready(), FrozenClock())
    entry = await meter.complete(_call(model("odd", usd=None)), Account(turn=TURN), _ignore)
    assert (entry.cost, entry.list_price) == (None, None)
    assert total_cost([entry]) is None


async def test_an_unpriced_call_is_made_only_while_there_is_money() -> None:
    gateway, odd = ScriptedGateway("Hi"), model("odd", usd=None)
    meter = Meter(gateway, await _ready(), FrozenClock())
    with pytest.raises(BudgetExceededError, match="starts anew on 1 December"):
        await meter.complete(_call(odd), Account(turn=TURN, limits=(_limit(0),)), _ignore)
    assert gateway.calls == []
    await meter.complete(_call(odd), Account(turn=TURN, limits=(_limit(1),)), _ignore)
    assert len(gateway.calls) == 1


async def test_an_unpriced_call_that_was_made_is_kept_when_the_budget_is_used_up_since() -> None:
    gateway, odd = ScriptedGateway("Hi"), model("odd", usd=None)
    meter = Meter(gateway, await _ready(), FrozenClock())
    await meter.complete(_call(odd), Account(turn=TURN, limits=(_limit(1),)), _ignore)
    again = await meter.complete(_call(odd), Account(turn=TURN, limits=(_limit(0),)), _ignore)
    assert again.text == "Hi"
    assert len(gateway.calls) == 1


async def test_a_process_that_was_overtaken_stops() -> None:
    store = OvertakenStore()
    await store.accept(incoming("Hello"), TURN)
    meter = Meter(ScriptedGateway("Hi"), store, FrozenClock())
    with pytest.raises(SupersededError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)


async def test_an_unknown_fault_is_booked_too() -> None:
    store = await _ready()
    meter = Meter(ScriptedGateway(ValueError("odd")), store, FrozenClock())
    with pytest.raises(ValueError, match="odd"):
        await meter.complete(_call(), Account(turn=TURN), _ignore)
    with pytest.raises(ProviderUnavailableError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)


async def test_a_fault_of_ours_that_was_kept_is_told_as_the_providers() -> None:
    meter = Meter(ScriptedGateway(DeliveryError("Not posted.")), await _ready(), FrozenClock())
    with pytest.raises(DeliveryError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)
    with pytest.raises(ProviderUnavailableError):
        await meter.complete(_call(), Account(turn=TURN), _ignore)


@pytest.mark.parametrize(("most_tokens", "alarms"), [(1, 1), (1_000, 0)])
async def test_a_bill_above_the_hold_raises_the_alarm(
    most_tokens: int, alarms: int, caplog: pytest.LogCaptureFixture
) -> None:
    meter = Meter(ScriptedGateway("Hi"), await _ready(), FrozenClock())
    await meter.complete(_call(max_output_tokens=most_tokens), Account(turn=TURN), _ignore)
    assert caplog.text.count("billed more than was held") == alarms


async def test_the_costs_of_calls_add_up() -> None:
    meter = Meter(ScriptedGateway("Hi"), await _ready(), FrozenClock())
    entry = await meter.complete(_call(), Account(turn=TURN), _ignore)
    lost = replace(entry, lost_cost=5)
    opened = replace(entry, status=CallStatus.OPEN, cost=None)
    assert total_cost([entry, lost, opened]) == 2 * 60_000 + 5
