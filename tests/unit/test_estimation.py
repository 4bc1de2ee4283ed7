"""The three forms of judging a prompt; a judge that fails leaves it to the local form."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from bot.budget import limits_for
from bot.calls import Purpose
from bot.catalog import Tier
from bot.difficulty import Estimate, HistoryTurn
from bot.difficulty.learned import SIZE, LearnedWeights, to_bytes
from bot.errors import ProviderUnavailableError, ResponseTimeoutError
from bot.estimation import Estimation
from bot.health import Health
from bot.ledger import CallStatus
from bot.lessons import LearnedVersion
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
    monthly,
    turn,
)
from tests.unit.world import World

JUDGE = Settings(router=RouterForm.JUDGE)
QUESTION = "Compare two ways to index a very large table"


class _Bench:
    """An estimation with all that it works with."""

    def __init__(self, *script: str | Exception | Hang) -> None:
        self.gateway = ScriptedGateway(*script)
        self.store = MemoryStore()
        self.health = Health(FrozenClock())
        self.estimation = Estimation(
            Meter(self.gateway, self.store, FrozenClock()),
            Router(catalog(), FixedEstimator()),
            self.store,
            self.health,
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
    assert bench.health.unhealthy() == {"free"}


async def test_a_judge_has_two_seconds_and_may_be_late() -> None:
    bench = _Bench(ResponseTimeoutError("late"))
    estimate = await bench.estimate()
    (entry,) = await bench.store.entries("test:m1")
    assert bench.gateway.calls[0].timeout_s == 2.0
    assert (estimate.version, entry.status) == ("fixed", CallStatus.FAILED)
    assert (
        bench.health.unhealthy() == frozenset()
    )  # two seconds are short: it may still answer prompts


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


async def test_when_every_judge_failed_a_moment_ago_nobody_is_asked() -> None:
    bench = _Bench("HARD")
    for judge in list(catalog())[:2]:
        bench.health.note(judge, ProviderUnavailableError("down"))
    estimate = await bench.estimate()
    assert (estimate.version, bench.gateway.calls) == ("fixed", [])
    assert estimate.reasons[-1] == "the judging model gave no verdict"


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
    limits = limits_for(PLACE, "ada", paid, monthly(0), NOON)
    account = Account(turn=turn(), limits=limits)
    estimate = await bench.estimation.estimate(QUESTION, (), paid, account)
    assert (estimate.version, bench.gateway.calls) == ("fixed", [])


async def _taught(bench: _Bench, *, base_version: str = "fixed", number: int = 1) -> None:
    weights = LearnedWeights(
        version=f"fixed+{number}",
        base_version=base_version,
        mean=np.concatenate(([-2.0], np.zeros(SIZE - 1))),
        variance=np.ones(SIZE),
    )
    await bench.store.keep_learned(
        LearnedVersion(
            scope_id="test/w",
            number=number,
            version=weights.version,
            data=to_bytes(weights),
            marks=40,
            report="",
            created_at=NOON,
            is_accepted=True,
        )
    )


async def test_what_a_workspace_taught_is_used_where_it_learns() -> None:
    bench = _Bench()
    await _taught(bench)
    learned = await bench.estimate(Settings(learn=True))
    assert learned.version == "fixed+1"
    assert learned.p_free < 0.8
    assert (await bench.estimate(Settings())).version == "fixed"


async def test_a_version_that_another_process_kept_or_took_back_is_followed_at_once() -> None:
    bench = _Bench()
    await _taught(bench)
    await bench.estimate(Settings(learn=True))
    await _taught(bench, number=2)
    assert (await bench.estimate(Settings(learn=True))).version == "fixed+2"
    await bench.store.withdraw_learned("test/w", 2)
    assert (await bench.estimate(Settings(learn=True))).version == "fixed+1"
    await bench.store.withdraw_learned("test/w", 1)
    assert (await bench.estimate(Settings(learn=True))).version == "fixed"


async def test_what_was_learned_on_an_earlier_model_is_left_aside() -> None:
    bench = _Bench()
    await _taught(bench, base_version="an earlier one")
    assert (await bench.estimate(Settings(learn=True))).version == "fixed"


async def test_a_version_that_cannot_be_used_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = _Bench()
    await _taught(bench, base_version="an earlier one")
    await bench.estimate(Settings(learn=True))
    await bench.estimate(Settings(learn=True))
    assert caplog.messages == ["what was learned is not used"]


async def test_another_workspace_has_learned_nothing_of_it() -> None:
    bench = _Bench()
    await _taught(bench)
    other = turn(key=replace(PLACE, workspace_id="other"))
    estimate = await bench.estimation.estimate(
        QUESTION, (), Settings(learn=True), Account(turn=other)
    )
    assert estimate.version == "fixed"
