"""Each step is one call and one message; another model takes over only in a message of its own."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.calls import Purpose
from bot.conversation import Fitted
from bot.errors import (
    BudgetExceededError,
    ContentPolicyError,
    GatewayError,
    ProviderUnavailableError,
    StreamCutError,
)
from bot.health import Health
from bot.messages import Message, Role
from bot.metering import Account, Meter
from bot.strategies.stage import MAX_TRIES, Means, Stage, Step
from storage import MemoryStore
from tests.fakes import (
    Cut,
    FrozenClock,
    RecordingSink,
    Script,
    ScriptedGateway,
    completion,
    incoming,
    model,
    turn,
)

ASKED = (Message(role=Role.USER, text="Why?"),)


async def _stage(*script: Script) -> tuple[Stage, RecordingSink, Health]:
    store, sink, health = MemoryStore(), RecordingSink(), Health(FrozenClock())
    await store.accept(incoming("Why?"), turn())

    async def whole(messages: Sequence[Message], *_: object) -> Fitted:
        return Fitted(messages=tuple(messages))

    means = Means(
        meter=Meter(ScriptedGateway(*script), store, FrozenClock()),
        ledger=store,
        fit=whole,
        health=health,
        step_timeout_s=7.0,
    )
    stage = Stage(means, Account(turn=turn()), sink)
    return stage, sink, health


def _step(count: int = 2, **more: object) -> Step:
    values: dict[str, object] = {
        "name": "propose1",
        "purpose": Purpose.PROPOSE,
        "title": "Answer",
        "messages": ASKED,
        "models": tuple(model(f"m{number}") for number in range(count)),
    }
    return Step(**{**values, **more})  # type: ignore[arg-type]  # test data


async def test_a_step_streams_into_a_message_of_its_own() -> None:
    stage, sink, _ = await _stage("Because so")
    said = await stage.run(_step())
    branch = sink.branches["propose1"]
    assert (said.text, branch.label, branch.reply.text) == (
        "Because so", "Answer · m0", "Because so",
    )  # fmt: skip
    assert branch.events[:2] == [("append", "Because"), ("append", " so")]


async def test_a_model_that_fails_is_followed_in_a_further_message_and_noted() -> None:
    stage, sink, health = await _stage(ProviderUnavailableError("Down."), "Because")
    await stage.run(_step())
    assert sink.branches["propose1"].notice.text == "m0 did not answer: Down."
    assert sink.branches["propose1.2"].label == "Answer · m1"
    assert health.unhealthy() == {"m0"}


async def test_a_message_that_was_cut_off_keeps_its_text() -> None:
    stage, sink, _ = await _stage(Cut("Half", StreamCutError("Cut.")), "Whole")
    await stage.run(_step())
    cut = sink.branches["propose1"].reply
    assert (cut.text, cut.notes) == ("Half", ("m0 did not answer: Cut.",))


async def test_the_first_fault_is_told_when_nobody_answers() -> None:
    script = [ProviderUnavailableError(f"{number}") for number in range(9)]
    stage, _, health = await _stage(*script)
    with pytest.raises(GatewayError, match="0"):
        await stage.run(_step(9))
    assert len(health.unhealthy()) == MAX_TRIES


async def test_a_refusal_by_the_providers_rules_is_told_as_such() -> None:
    stage, _, _ = await _stage(replace(completion(""), finish_reason="content_filter"))
    with pytest.raises(ContentPolicyError):
        await stage.run(_step(1))


async def test_the_last_step_is_not_tried_again_once_its_text_came() -> None:
    shown: list[str] = []
    stage, _, health = await _stage(Cut("Half", StreamCutError("Cut.")), "Other")
    with pytest.raises(GatewayError, match="Cut"):
        await stage.run_last(_step(), shown.append)
    assert shown == ["Half"]
    assert health.unhealthy() == {"m0"}


async def test_the_last_step_is_tried_again_while_nothing_came() -> None:
    shown: list[str] = []
    stage, _, _ = await _stage(ProviderUnavailableError(), "Other")
    said = await stage.run_last(_step(), shown.append)
    assert (said.model.alias, shown) == ("m1", ["Other"])


async def test_the_last_step_is_tried_again_while_only_blanks_came() -> None:
    shown: list[str] = []
    stage, _, _ = await _stage(completion("\n"), "Other")
    said = await stage.run_last(_step(), shown.append)
    assert (said.model.alias, shown) == ("m1", ["Other"])


async def test_a_step_may_be_kept_short() -> None:
    stage, _, _ = await _stage("Because")
    said = await stage.run(_step(most_output_tokens=300))
    price = said.model.price
    assert price is not None
    assert said.entry.hold == price.cost(input_tokens=11, output_tokens=300)


async def test_closing_ends_only_what_is_open() -> None:
    stage, sink, _ = await _stage("Because")
    await stage.run(_step())
    await stage.close("Stopped.")
    assert sink.branches["propose1"].reply.notes == ()


async def test_without_any_model_it_fails_in_words() -> None:
    stage, _, _ = await _stage()
    with pytest.raises((GatewayError, BudgetExceededError)):
        await stage.run(_step(0))
