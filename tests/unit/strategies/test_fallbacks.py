"""One model after another is asked, until one answers or a person has seen words."""

import pytest

from bot.calls import OnText
from bot.catalog import ModelSpec
from bot.errors import (
    BudgetExceededError,
    EmptyAnswerError,
    PromptTooLongError,
    ProviderUnavailableError,
    RateLimitError,
    StreamCutError,
)
from bot.health import Health
from bot.strategies.fallbacks import Shown, first_answer
from tests.fakes import FrozenClock, model

Turnout = tuple[str, Exception | None]
"""What a model sends, and how it fails; None when it answers."""


async def _first(
    *turnouts: Turnout, on_text: OnText | None = lambda _: None
) -> tuple[str, Exception | None, frozenset[str]]:
    health, shown = Health(FrozenClock()), Shown(on_text)
    left = list(turnouts)

    async def ask(number: int, model: ModelSpec) -> str:
        text, error = left.pop(0)
        shown.begin()(text)
        if error is not None:
            raise error
        return f"{number}: {model.alias}"

    models = tuple(model(f"m{number}") for number in range(len(turnouts)))
    answer, failure = await first_answer(models, ask, health, shown)
    return answer, failure, health.unhealthy()


async def test_the_first_that_answers_is_taken_with_why_the_first_one_did_not() -> None:
    down, late = ProviderUnavailableError(), RateLimitError()
    found = await _first(("", down), ("", late), ("Hi", None))
    assert found == ("3: m2", down, frozenset({"m0", "m1"}))


async def test_a_model_that_could_not_be_asked_has_not_failed() -> None:
    found = await _first(("", BudgetExceededError()), ("", PromptTooLongError()), ("Hi", None))
    assert found == ("3: m2", None, frozenset())


async def test_a_failure_is_told_before_a_refusal() -> None:
    with pytest.raises(RateLimitError, match="first"):
        await _first(
            ("", BudgetExceededError()),
            ("", RateLimitError("first")),
            ("", ProviderUnavailableError("second")),
        )


async def test_the_first_refusal_is_told_when_no_model_could_be_asked() -> None:
    with pytest.raises(PromptTooLongError):
        await _first(("", PromptTooLongError()), ("", BudgetExceededError()))


async def test_without_any_model_nothing_was_answered() -> None:
    with pytest.raises(EmptyAnswerError):
        await _first()


async def test_once_words_were_shown_their_models_failure_is_told() -> None:
    seen: list[str] = []
    with pytest.raises(StreamCutError):
        await _first(
            ("", RateLimitError()), ("Half", StreamCutError()), ("Other", None),
            on_text=seen.append,
        )  # fmt: skip
    assert seen == ["Half"]


async def test_blanks_are_shown_only_with_the_words_behind_them() -> None:
    seen: list[str] = []
    await _first(("\n", EmptyAnswerError()), ("\n\nHi", None), on_text=seen.append)
    assert seen == ["\n\nHi"]


async def test_what_is_held_back_keeps_no_other_model_from_answering() -> None:
    answer, _, _ = await _first(("Half", StreamCutError()), ("Hi", None), on_text=None)
    assert answer == "2: m1"
