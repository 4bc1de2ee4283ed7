"""Scores many prompts: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from bot.catalog import Tier
from bot.difficulty import Estimate, Estimator, HistoryTurn

Choose = Callable[[Estimate], Tier]
_TIERS: Final = {tier.label: tier for tier in Tier}


def choose_likely(estimate: Estimate) -> Tier:
    """Return the lowest tier that more likely than not satisfies, else the full one."""
    return next((tier for tier in Tier if estimate.p(tier) >= 0.5), Tier.FULL)


def score_jsonl(
    lines: Iterable[str], estimator: Estimator, choose: Choose = choose_likely
) -> Iterator[str]:
    """Judge each line `{"prompt": …, "history": […]}`; a faulty line becomes an `error` line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            prompt, history = _read(line)
        except ValueError as fault:
            yield json.dumps({"error": f"Line {number}: {fault}"}, ensure_ascii=False)
            continue
        estimate = estimator.estimate(prompt, history)
        yield json.dumps(
            {
                "tier": choose(estimate).label,
                "p_free": round(estimate.p_free, 6),
                "p_cheap": round(estimate.p_cheap, 6),
                "p_full": round(estimate.p_full, 6),
                "reasons": list(estimate.reasons),
            },
            ensure_ascii=False,
        )


def _read(line: str) -> tuple[str, list[HistoryTurn]]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        raise ValueError('this is not JSON. Write {"prompt": "…"} on each line.') from None
    if not isinstance(found, dict) or not isinstance(found.get("prompt"), str):
        raise ValueError('there is no "prompt" text here.')
    history = found.get("history", [])
    if not isinstance(history, list):
        raise ValueError('"history" must be a list of earlier prompts.')
    return found["prompt"], [_to_turn(item) for item in history]


def _to_turn(item: Any) -> HistoryTurn:
    if isinstance(item, str):
        return HistoryTurn(prompt=item)
    if not isinstance(item, dict) or not isinstance(item.get("prompt"), str):
        raise ValueError('each item of "history" is a text or has a "prompt" text.')
    tier, feedback = item.get("tier"), item.get("feedback")
    if tier is not None and tier not in _TIERS:
        raise ValueError(f'"tier" must be one of {", ".join(_TIERS)}.')
    return HistoryTurn(
        prompt=item["prompt"],
        tier=None if tier is None else _TIERS[tier],
        feedback=feedback if isinstance(feedback, int) else None,
    )
