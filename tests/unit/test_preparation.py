"""What is known before a model is asked: who wanted which tier, and what was said before."""

import pytest

from bot.caps import NO_CAPS
from bot.catalog import Tier
from bot.conversation import MAX_HISTORY
from bot.errors import EmptyPromptError, UnknownModelError
from bot.estimation import Estimation
from bot.health import Health
from bot.messages import Role
from bot.metering import Meter
from bot.preparation import Preparation, Prepared
from bot.router import Router
from bot.settings import Settings
from bot.tags import Tagged
from bot.turns import Utterance
from storage import MemoryStore
from tests.fakes import NOON, FixedEstimator, FrozenClock, ScriptedGateway, catalog, incoming, turn

DEFAULTS = Settings()


async def _preparation() -> Preparation:
    store = MemoryStore()
    await store.accept(incoming("Hello"), turn())
    clock, router = FrozenClock(), Router(catalog(), FixedEstimator())
    meter = Meter(ScriptedGateway(), store, clock)
    estimation = Estimation(meter, router, store, Health(clock))
    return Preparation(store, router, clock, estimation, unhealthy=frozenset, instance_caps=NO_CAPS)


async def test_tags_are_read_and_not_sent() -> None:
    prepared = await (await _preparation()).prepare(turn("@heavy Why?"), DEFAULTS)
    assert prepared.tagged.tier is Tier.FULL
    assert prepared.messages[-1].text == "Why?"
    assert prepared.messages[0].role is Role.SYSTEM


async def test_nothing_to_answer_is_refused() -> None:
    with pytest.raises(EmptyPromptError):
        await (await _preparation()).prepare(turn("@fast"), DEFAULTS)


async def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownModelError):
        await (await _preparation()).prepare(turn("@model:nope hi"), DEFAULTS)


@pytest.mark.parametrize(
    ("prompt", "button", "place", "tier"),
    [
        ("Hi", None, None, Tier.FREE),
        ("Hi", None, Tier.CHEAP, Tier.CHEAP),
        ("@heavy Hi", None, Tier.CHEAP, Tier.FULL),
        ("@auto Hi", None, Tier.CHEAP, Tier.FREE),
        ("@fast Hi", Tier.FULL, Tier.CHEAP, Tier.FULL),
    ],
)
async def test_the_narrowest_wish_wins(
    prompt: str, button: Tier | None, place: Tier | None, tier: Tier
) -> None:
    preparation = await _preparation()
    asked = turn(prompt, tier=button)
    decision = await preparation.route(
        asked, await preparation.prepare(asked, Settings(tier=place))
    )
    assert decision.model.tier is tier


async def test_nothing_is_said_of_a_history_that_is_read_whole() -> None:
    prepared = await (await _preparation()).prepare(turn(), DEFAULTS)
    assert prepared.clipped == ()


def test_it_is_said_when_older_messages_were_not_read() -> None:
    said = Utterance(role=Role.USER, author_name="Ada", text="Hello", sent_at=NOON)
    prepared = Prepared(
        settings=DEFAULTS,
        tagged=Tagged(prompt="Hi"),
        messages=(),
        history=(said,) * MAX_HISTORY,
        limits=(),
    )
    assert prepared.clipped == ("I read the newest 1,000 messages here; older ones were left out.",)
