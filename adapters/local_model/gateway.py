"""The way to the demo model: waits for its start, and puts its preamble before a prompt."""

from __future__ import annotations

from dataclasses import replace

from adapters.local_model.demo import DemoModel
from adapters.local_model.prompting import PROVIDER, primed
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.ports import Gateway


class DemoGateway:
    """A gateway that serves the demo model through `inner`; other models pass untouched."""

    def __init__(self, inner: Gateway, demo: DemoModel) -> None:
        self._inner = inner
        self._demo = demo

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        """As the port says; a prompt asked before the model is loaded waits for it."""
        if call.model.provider != PROVIDER:
            return await self._inner.complete(call, on_text, on_reasoning)
        model = replace(call.model, api_base=await self._demo.ready())
        return await self._inner.complete(primed(replace(call, model=model)), on_text, on_reasoning)
