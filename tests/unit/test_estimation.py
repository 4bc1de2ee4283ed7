"""The three forms of judging a prompt; a judge that fails leaves it to the local form."""

import asyncio

import pytest

from bot.budget import limits_for
from bot.calls import Purpose
from bot.catalog import Tier
from bot.difficulty import Estimate, HistoryTurn
from bot.errors import ProviderUnavailableError
from bot.estimation import Estimation
from bot.ledger import CallStatus
from bot.metering import Account, Meter
from bot.router import Router
from bot.settings import RouterForm, SettingChange, Settings
from storage import MemoryStore
from tests.fakes import (
    NOON,
    PLACE,
    FixedEstimator,
    FrozenClock,
    Hang,
    ScriptedGateway,
    catalog,
    turn,
)
from tests.unit.world import World

JUDGE = Settings(router=RouterForm.JUDGE)
QUESTION = "Compare two ways to index a very large table"


class _Bench:
    """An estimation with all that it works with."""

    def __init__(self, *script: str | Exception | Hang, timeout_s: float = 5.0) -> None:
        self.gateway = ScriptedGateway(*script)
        self.store = MemoryStore()
        self.failed: list[str] = []
        self.estimation = Estimation(
            Meter(self.gateway, self.store, FrozenClock()),
            Router(catalog(), FixedEstimator()),
            on_failure=lambda model, _: self.failed.append(model.alias),
            unhealthy=frozenset,
            timeout_s=timeout_s,
        )

    async def estimate(
        self, settings: Settings = JUDGE, history: tuple[HistoryTurn, ...] = ()
    ) -> Estimate:
        return await self.estimation.estimate(QUESTION, history, settings, Account(turn=turn()))


async def test_the_local_form_asks_nobody() -> None:
    bench = _Bench()
    estimate = await bench.estimate(Settings())
    assert (estimate.version, bench.gateway.calls) == ("fixed", [])


async def test_the_rules_form_asks_nobody() -> None:
    bench = _Bench()
    estimate = await bench.estimate(Settings(router=RouterForm.RULES))
    assert (estimate.version, bench.gateway.calls) == ("rules-1", [])


async def test_the_judge_is_the_cheapest_model_and_its_call_is_booked() -> None:
    bench = _Bench("HARD")
    estimate = await bench.estimate()
    (entry,) = await bench.store.entries("test:m1")
    assert estimate.reasons[0] == "a small model judged it hard"
    assert (entry.alias, entry.purpose, entry.status) == (
        "free",
        Purpose.CLASSIFY,
        CallStatus.DONE,
    )


async def test_a_verdict_is_not_paid_for_twice() -> None:
    bench = _Bench("HARD", "EASY")
    first = await bench.estimate()
    assert await bench.estimate() == first
    assert len(bench.gateway.calls) == 1


@pytest.mark.parametrize("reply", ["It depends.", "", ProviderUnavailableError("down")])
async def test_without_a_verdict_the_local_form_holds_and_says_so(reply: str | Exception) -> None:
    bench = _Bench(reply)
    estimate = await bench.estimate()
    assert (estimate.version, estimate.p_free) == ("fixed", 0.96)
    assert estimate.reasons[-1] == "the judging model gave no verdict"


async def test_a_judge_that_fails_is_passed_over_for_a_while() -> None:
    bench = _Bench(ProviderUnavailableError("down"))
    await bench.estimate()
    assert bench.failed == ["free"]


async def test_a_late_judge_is_not_waited_for() -> None:
    bench = _Bench(Hang(), timeout_s=0.01)
    estimate = await bench.estimate()
    (entry,) = await bench.store.entries("test:m1")
    assert (estimate.version, entry.status) == ("fixed", CallStatus.CANCELLED)
    assert bench.failed == []


async def test_stopping_the_turn_stops_the_judge() -> None:
    hang = Hang()
    bench = _Bench(hang)
    task = asyncio.create_task(bench.estimate())
    await hang.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.gateway.cancelled == ["test:m1:classify"]


async def test_a_follow_up_is_judged_in_its_conversation_not_by_the_judge() -> None:
    bench = _Bench("HARD")
    before = (HistoryTurn(prompt=f"{QUESTION}, please", tier=Tier.FREE),)
    assert (await bench.estimate(history=before)).version == "fixed"
    assert bench.gateway.calls == []


async def test_a_tier_that_was_voted_down_is_believed_less_by_the_judge_too() -> None:
    plain = await _Bench("EASY").estimate()
    down = (HistoryTurn(prompt="What is a monad?", tier=Tier.FREE, feedback=-1),)
    after = await _Bench("EASY").estimate(history=down)
    assert after.p_free < plain.p_free / 2
    assert after.p_full == plain.p_full


async def test_with_one_tier_only_nobody_is_asked() -> None:
    bench = _Bench("HARD")
    only = Settings(router=RouterForm.JUDGE, max_tier=Tier.FREE)
    assert (await bench.estimate(only)).version == "fixed"
    assert bench.gateway.calls == []


async def _judged_world(*script: str, cap: int | None = None) -> World:
    world = World(ScriptedGateway(*script), cap=cap)
    await world.store.set_setting(
        SettingChange(scope_id="test/w", name="router", after="judge", user_id="ada", at=NOON)
    )
    return world


async def test_the_judges_price_is_in_the_footers_total() -> None:
    world = await _judged_world("HARD", "Here is how.")
    sink = await world.ask(QUESTION)
    entries = await world.store.entries("test:m1")
    assert [entry.purpose for entry in entries] == [Purpose.CLASSIFY, Purpose.ANSWER]
    assert sink.reply.text == "Here is how."
    assert sink.reply.footer is not None
    assert sink.reply.footer.tokens == 60
    assert sink.reply.footer.cost == sum(entry.cost or 0 for entry in entries)


async def test_a_tagged_prompt_is_never_judged() -> None:
    world = await _judged_world("The answer.")
    await world.ask(f"@heavy {QUESTION}")
    assert [call.purpose for call in world.gateway.calls] == [Purpose.ANSWER]


async def test_without_a_budget_for_the_judge_the_prompt_is_routed_all_the_same() -> None:
    bench = _Bench("nobody asks")
    paid = Settings(router=RouterForm.JUDGE, models=frozenset({"cheap", "full"}))
    limits = limits_for(PLACE, "ada", paid, 0, NOON)
    account = Account(turn=turn(), limits=limits)
    estimate = await bench.estimation.estimate(QUESTION, (), paid, account)
    assert (estimate.version, bench.gateway.calls) == ("fixed", [])
