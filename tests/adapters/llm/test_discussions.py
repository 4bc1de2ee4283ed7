"""A player that hangs, falls silent or refuses, at a provider as it is: named, and passed over."""

from collections.abc import Callable

import pytest

from adapters.llm import LiteLLMGateway
from bot.catalog import Catalog, Tier
from bot.messages import IncomingMessage
from bot.money import NANOUSD
from bot.responder import Responder
from bot.router import Router
from bot.turns import Turn
from storage import MemoryStore
from tests.adapters.llm.conftest import GatewayMaker, a_call, a_model
from tests.fakes import (
    FixedEstimator,
    FrozenClock,
    RecordingDelivery,
    RecordingSink,
    incoming,
    model,
    monthly,
)
from tests.loopback.providers import ProviderServer
from tests.loopback.providers.record import Seen
from tests.loopback.providers.script import Reply

STEP_TIMEOUT_S = 2.0
LATE_S = 30.0
CRITIC, REVISER, JUDGE = "You are the critic", "A critic objects", "assistants have answered"
TOO_LONG = "took too long, so I stopped waiting."


class World:
    """A responder before real providers, with little patience for a step."""

    def __init__(self, provider: ProviderServer, gateway: LiteLLMGateway) -> None:
        self.provider = provider
        self.store = MemoryStore()
        self.delivery = RecordingDelivery()
        models = (
            model(
                alias,
                Tier.FULL,
                usd=usd,
                provider=alias,
                model_id=f"openai/{alias}",
                api_base=provider.base("openai"),
            )
            for alias, usd in (("ada", "5"), ("bob", "4"), ("eve", "3"))
        )
        self.responder = Responder(
            store=self.store,
            gateway=gateway,
            delivery=self.delivery,
            router=Router(Catalog(tuple(models)), FixedEstimator()),
            clock=FrozenClock(),
            instance_caps=monthly(20 * NANOUSD),
            step_timeout_s=STEP_TIMEOUT_S,
        )

    async def ask(self, text: str, answer: Callable[[Seen], Reply]) -> RecordingSink:
        self.provider.script(answer)
        message: IncomingMessage = incoming(text)
        turn = Turn(
            turn_id="test:m1",
            key=message.key,
            message_id=message.message_id,
            user_id=message.author_id,
            user_name=message.author_name,
            prompt=text,
            created_at=message.sent_at,
        )
        await self.store.accept(message, turn)
        await self.responder.answer("test:m1")
        return self.delivery.last


@pytest.fixture
async def world(provider: ProviderServer, make_gateway: GatewayMaker) -> World:
    gateway = make_gateway()
    await gateway.complete(
        a_call(a_model(provider, "openai")), lambda _: None
    )  # the first is the slowest
    return World(provider, gateway)


def _hanging_at(words: str = "", *, alias: str = "") -> Callable[[Seen], Reply]:
    """A provider that does not answer to these words, or as this model."""

    def answer(seen: Seen) -> Reply:
        is_late = (words and words in seen.prompt) or seen.model == alias
        text = "- [serious] It is not." if CRITIC in seen.prompt else f"Says {seen.model}."
        return Reply(text=text, first_delay_s=LATE_S if is_late else 0.0)

    return answer


async def test_a_critic_that_hangs_is_named_and_the_answer_stands(world: World) -> None:
    sink = await world.ask("debate models:ada,bob Which?", _hanging_at(alias="bob"))
    assert sink.reply.text == "Says ada."
    assert any(f"bob did not criticise it, so the answer stands as it is: bob {TOO_LONG}" in note
               for note in sink.reply.notes)  # fmt: skip
    assert TOO_LONG in sink.branches["criticise1"].notice.text


async def test_a_first_player_that_hangs_is_followed_by_another(world: World) -> None:
    sink = await world.ask("debate Which?", _hanging_at(alias="ada"))
    assert TOO_LONG in sink.branches["propose1"].notice.text
    assert sink.reply.text == "Says eve."


async def test_a_revision_that_hangs_leaves_the_answer_before_it(world: World) -> None:
    sink = await world.ask("debate Which?", _hanging_at(REVISER))
    assert sink.reply.text == "Says ada."
    assert any("ada did not revise its answer" in note for note in sink.reply.notes)


async def test_a_voice_that_hangs_is_missing_and_the_others_are_judged(world: World) -> None:
    sink = await world.ask("ensemble Which?", _hanging_at(alias="bob"))
    assert sink.reply.text == "Says ada."
    assert f"bob is missing: bob {TOO_LONG} Please try again." in sink.reply.notes


async def test_judges_that_hang_leave_the_answer_most_like_the_others(world: World) -> None:
    sink = await world.ask("ensemble Which?", _hanging_at(JUDGE))
    assert sink.reply.text.startswith("Says ")
    assert sink.reply.notes[0].startswith(f"There is no judgement: ada {TOO_LONG}")


async def test_a_player_that_hangs_leaves_nothing_held(world: World) -> None:
    await world.ask("debate models:ada,bob Which?", _hanging_at(alias="bob"))
    assert [budget.held for budget in world.store._kept.budgets.values()] == [0]
    assert world.store._kept.reservations == {}
