"""What is known before a model is asked: who wanted which tier, and what was said before."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.answer_limits import expected_cost
from bot.calls import estimate_input_tokens
from bot.caps import NO_CAPS
from bot.catalog import Catalog, Tier
from bot.conversation import MAX_HISTORY
from bot.difficulty import Estimate, HistoryTurn
from bot.errors import EmptyPromptError, UnknownModelError
from bot.estimation import Estimation
from bot.health import Health
from bot.messages import Attachment, Message, Role
from bot.metering import Meter
from bot.money import to_nanousd
from bot.preparation import Preparation, Prepared
from bot.replies import Reply
from bot.router import Router
from bot.settings import Settings
from bot.tags import Tagged
from bot.turns import TurnStatus, Utterance
from storage import MemoryStore
from tests.fakes import (
    NOON,
    FixedEstimator,
    FrozenClock,
    ScriptedGateway,
    catalog,
    incoming,
    model,
    turn,
)

DEFAULTS = Settings()
PICTURE = Attachment(name="cat.png", media_type="image/png", size_bytes=3, data=b"cat")


class HearingEstimator(FixedEstimator):
    """Remembers what it was told of the conversation."""

    heard: tuple[HistoryTurn, ...] = ()

    def estimate(self, prompt: str, history: Sequence[HistoryTurn] = ()) -> Estimate:
        self.heard = tuple(history)
        return super().estimate(prompt, history)


async def _preparation(
    models: Catalog | None = None,
    store: MemoryStore | None = None,
    estimator: FixedEstimator | None = None,
) -> Preparation:
    if store is None:
        store = MemoryStore()
        await store.accept(incoming("Hello"), turn())
    clock, router = FrozenClock(), Router(models or catalog(), estimator or FixedEstimator())
    meter = Meter(ScriptedGateway(), store, clock)
    estimation = Estimation(meter, router, store, Health(clock))
    return Preparation(store, router, clock, estimation, unhealthy=frozenset, instance_caps=NO_CAPS)


async def test_tags_are_read_and_not_sent() -> None:
    prepared = await (await _preparation()).prepare(turn("@heavy Why?"), DEFAULTS)
    assert prepared.tagged.tier is Tier.FULL
    assert prepared.messages[-1].text == "Why?"
    assert prepared.messages[0].role is Role.SYSTEM


async def test_earlier_prompts_are_sent_as_they_were_sent_then() -> None:
    store = MemoryStore()
    prompts = {
        "1": ("Hello @heavy", "Good day."),
        "2": ("@fast", None),
        "3": ("@full", "Full of what?"),
        "4": ("@model:nope hi", None),
        "5": ("me@heavy.com", "An address."),
    }
    for message_id, (text, reply) in prompts.items():
        before = turn(text, message_id=message_id, turn_id=f"t{message_id}")
        await store.accept(incoming(text, message_id=message_id), before)
        said = None if reply is None else Reply(text=reply)
        await store.finish(replace(before, status=TurnStatus.DONE, reply=said, finished_at=NOON))
    asked = turn("And now?", message_id="6", turn_id="t6")
    await store.accept(incoming("And now?", message_id="6"), asked)
    prepared = await (await _preparation(store=store)).prepare(asked, DEFAULTS)
    assert [message.text for message in prepared.messages[1:]] == [
        "Hello",
        "Good day.",
        "@full",
        "Full of what?",
        "@model:nope hi\n\nme@heavy.com",
        "An address.",
        "And now?",
    ]


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


@pytest.mark.parametrize(
    ("button", "alias"), [(None, "blind"), (Tier.FULL, "seeing")], ids=["tag", "Heavier"]
)
async def test_an_earlier_picture_must_be_seen_unless_a_model_is_named(
    button: Tier | None, alias: str
) -> None:
    models = Catalog((model("blind", Tier.FULL), model("seeing", Tier.FULL, usd="2", vision=True)))
    preparation, asked = await _preparation(models), turn("@blind And now?", tier=button)
    prepared = await preparation.prepare(asked, DEFAULTS)
    before = Message(role=Role.USER, text="Look", attachments=(PICTURE,))
    answer = Message(role=Role.ASSISTANT, text="A cat.")
    prepared = replace(prepared, messages=(before, answer, prepared.messages[-1]))
    decision = await preparation.route(asked, prepared)
    assert decision.model.alias == alias


@pytest.mark.parametrize(("minutes", "usd_per_mtok"), [(4, "0.1"), (6, "1")])
async def test_a_conversation_is_paid_for_again_when_the_cache_may_have_lost_it(
    minutes: int, usd_per_mtok: str
) -> None:
    kept = model("a", usd="1", cached_input_usd_per_mtok=Decimal("0.1"))
    preparation, asked = await _preparation(Catalog((kept,))), turn("And now?")
    prepared = await preparation.prepare(asked, DEFAULTS)
    said = Utterance(role=Role.USER, author_name="Ada", text="Hello", sent_at=NOON)
    answered = replace(
        said, role=Role.ASSISTANT, alias="a", sent_at=NOON - timedelta(minutes=minutes)
    )
    newest = prepared.messages[-1]
    earlier = (replace(newest, text="word " * 1_000), Message(role=Role.ASSISTANT, text="Yes."))
    prepared = replace(prepared, messages=(*earlier, newest), history=(said, answered, said))
    alone = expected_cost(kept, estimate_input_tokens((newest,)))
    decision = await preparation.route(asked, prepared)
    assert alone is not None
    assert decision.estimated_cost is not None
    tokens = estimate_input_tokens(earlier)
    assert tokens > 1_000
    assert decision.estimated_cost - alone == tokens * to_nanousd(Decimal(usd_per_mtok)) // 10**6


async def test_a_turn_taken_up_again_counts_in_the_day_in_which_it_began() -> None:
    asked = turn(started_at=NOON - timedelta(days=1))
    settings = Settings(user_daily_cap=1)
    (limit,) = (await (await _preparation()).prepare(asked, settings)).limits
    assert limit.window.ends_at == NOON.replace(hour=0)


async def test_what_is_judged_knows_who_answered_before_and_what_was_thought_of_it() -> None:
    estimator = HearingEstimator()
    preparation, asked = await _preparation(estimator=estimator), turn("And now?")
    said = Utterance(role=Role.USER, author_name="Ada", text="Hello", sent_at=NOON)
    answer = replace(said, role=Role.ASSISTANT, text="Hi", tier=Tier.CHEAP)
    history = (said, replace(answer, feedback=-1), said, answer, said)
    prepared = replace(await preparation.prepare(asked, DEFAULTS), history=history)
    await preparation.route(asked, prepared)
    assert estimator.heard == (
        HistoryTurn(prompt="Hello", tier=Tier.CHEAP, feedback=-1),
        HistoryTurn(prompt="Hello", tier=Tier.CHEAP),
        HistoryTurn(prompt="Hello"),
    )


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
