"""Asks one model after another until one answers, as long as a person has seen nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from bot.calls import OnText
from bot.catalog import ModelSpec
from bot.errors import BudgetExceededError, EmptyAnswerError, GatewayError, PromptTooLongError
from bot.health import Health

_T = TypeVar("_T")
Ask = Callable[[int, ModelSpec], Awaitable[_T]]
"""Asks a model, given how many were asked with it."""


class Shown:
    """Notes whether any words have reached the person; blanks go nowhere before the first."""

    def __init__(self, on_text: OnText | None) -> None:
        """None holds all of it back."""
        self._on_text = on_text
        self._blanks = ""
        self.any = False

    def begin(self) -> OnText:
        """Where the text of the next model goes; blanks of the one before are forgotten."""
        self._blanks = ""
        return self._show

    def _show(self, text: str) -> None:
        if self._on_text is None:
            return
        if not self.any and not text.strip():
            self._blanks += text
            return
        self.any = True
        self._on_text(self._blanks + text)
        self._blanks = ""


async def first_answer(
    models: Sequence[ModelSpec], ask: Ask[_T], health: Health, shown: Shown
) -> tuple[_T, GatewayError | None]:
    """What the first of these models says that answers, and why the first that failed did.

    Raises the GatewayError of the model whose text was shown, else of the first that failed;
    BudgetExceededError or PromptTooLongError when none could be asked.
    """
    first: GatewayError | None = None
    refused: BudgetExceededError | PromptTooLongError | None = None
    for number, model in enumerate(models, 1):
        try:
            return await ask(number, model), first
        except (BudgetExceededError, PromptTooLongError) as error:
            refused = refused or error
        except GatewayError as error:
            health.note(model, error)
            if shown.any:
                raise
            first = first or error
    raise first or refused or EmptyAnswerError
