"""One model answers; the next one follows only while nothing was shown."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.calls import OnText
from bot.catalog import Catalog, ModelSpec, Tier
from bot.conversation import Fitted, fit
from bot.errors import (
    ContentPolicyError,
    PromptTooLongError,
    ProviderUnavailableError,
    StreamCutError,
)
from bot.health import Health
from bot.messages import Message, Role
from bot.metering import Account, Meter
from bot.router import Router
from bot.routes import RouteRequest
from bot.strategies.single import MAX_TRIES, Answer, Single
from storage import MemoryStore
from tests.fakes import (
    Cut,
    FixedEstimator,
    FrozenClock,
    Script,
    ScriptedGateway,
    completion,
    incoming,
    model,
    turn,
)

TURN = turn()
PROMPT = (Message(role=Role.USER, text="Hello"),)


async def _cut(messages: Sequence[Message], model: ModelSpec, account: Account) -> Fitted:
    return fit(messages, limit_tokens=model.context_tokens - 256)


async def _answer(
    *script: Script,
    models: Catalog,
    messages: tuple[Message, ...] = PROMPT,
    on_text: OnText = lambda _: None,
    goes_on: bool = False,
) -> tuple[Answer, ScriptedGateway]:
    store, gateway = MemoryStore(), ScriptedGateway(*script)
    await store.accept(incoming("Hello"), TURN)
    clock = FrozenClock()
    single = Single(Meter(gateway, store, clock), Health(clock), _cut)
    request = RouteRequest(prompt="Hi", input_tokens=10, goes_on=goes_on)
    decision = Router(models, FixedEstimator()).route(request)
    answer = await single.answer(decision, messages, Account(turn=TURN), on_text)
    return answer, gateway


def _models(count: int) -> Catalog:
    return Catalog(tuple(model(f"m{n}", usd=str(n + 1)) for n in range(count)))


async def test_each_try_is_a_step_of_its_own() -> None:
    down = ProviderUnavailableError()
    answer, gateway = await _answer(down, down, "Hi", models=_models(3))
    assert [call.call_id for call in gateway.calls] == [
        "test:m1:answer1", "test:m1:answer2", "test:m1:answer3",
    ]  # fmt: skip
    assert (answer.model.alias, answer.entry.text) == ("m2", "Hi")


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_conversation_that_goes_on_is_worth_caching(goes_on: bool) -> None:
    down = ProviderUnavailableError()
    _, gateway = await _answer(down, "Hi", models=_models(2), goes_on=goes_on)
    assert [call.goes_on for call in gateway.calls] == [goes_on, goes_on]


async def test_it_gives_up_after_a_number_of_models() -> None:
    script = [ProviderUnavailableError(f"{n}") for n in range(10)]
    with pytest.raises(ProviderUnavailableError, match="0"):
        await _answer(*script, models=_models(10))
    assert MAX_TRIES < 10


async def test_blank_text_is_nothing_that_was_shown() -> None:
    shown: list[str] = []
    script = (completion("\n\n"), Cut("\n", StreamCutError()), completion("\nHi"))
    answer, _ = await _answer(*script, models=_models(3), on_text=shown.append)
    assert (answer.model.alias, answer.entry.text, shown) == ("m2", "\nHi", ["\nHi"])


async def test_a_fallback_with_a_smaller_window_is_skipped_when_the_prompt_is_too_long() -> None:
    long = (Message(role=Role.USER, text="x" * 10_000),)
    models = Catalog((model("a", usd="1"), model("tiny", usd="2", context_tokens=1_000)))
    with pytest.raises(ProviderUnavailableError):
        await _answer(ProviderUnavailableError(), models=models, messages=long)


async def test_only_windows_that_are_too_small_say_so() -> None:
    long = (Message(role=Role.USER, text="x" * 10_000),)
    models = Catalog((model("tiny", context_tokens=1_000),))
    with pytest.raises(PromptTooLongError):
        await _answer(models=models, messages=long)


async def test_a_refusal_by_the_providers_rules_is_told_when_nobody_answers() -> None:
    filtered = completion("")
    with pytest.raises(ContentPolicyError):
        await _answer(
            replace(filtered, finish_reason="content_filter"),
            models=_models(1),
        )


@pytest.mark.parametrize(
    ("finish_reason", "note"),
    [
        ("length", "The answer reached its length limit."),
        ("content_filter", "The provider's content rules cut this answer short."),
    ],
)
async def test_an_answer_that_ends_early_says_why(finish_reason: str, note: str) -> None:
    short = completion("Short")
    cut = replace(short, finish_reason=finish_reason)
    answer, _ = await _answer(cut, models=_models(1))
    assert answer.notes == (note,)


async def test_a_models_own_note_is_shown() -> None:
    models = Catalog((model("demo", Tier.FREE, note="demo model, often wrong"),))
    answer, _ = await _answer("Hi", models=models)
    assert answer.notes == ("demo model, often wrong",)
