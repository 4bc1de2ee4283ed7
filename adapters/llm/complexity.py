"""LiteLLM's own complexity router, to be measured beside ours; it routes nothing here."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from adapters.llm.library import import_litellm


def make_complexity_judge() -> Callable[[str], float]:
    """Return how hard LiteLLM's rules call a prompt: by their tier, then by their score in it."""
    import_litellm()
    package = importlib.import_module("litellm.router_strategy.complexity_router")
    router = package.ComplexityRouter(model_name="none", litellm_router_instance=None)
    order = {tier: place for place, tier in enumerate(package.ComplexityTier)}

    def judge(prompt: str) -> float:
        tier, score, _ = router.classify(prompt)
        return 10.0 * order[tier] + float(score)

    return judge
