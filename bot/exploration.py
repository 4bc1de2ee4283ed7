"""Trying a cheaper tier now and then, so that the router can learn that it would do. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.difficulty.learned import may_explore
from bot.routes import RouteDecision, RouteRequest
from bot.settings import Exploration, Settings

REASON = "tried a cheaper tier here, to learn whether it does"


def to_trial(
    decision: RouteDecision, request: RouteRequest, settings: Settings, turn_id: str
) -> RouteRequest | None:
    """The request with the tier below asked for, at most for 3 % of prompts; usually None.

    Only while the place learns, only where that tier is a toss-up and, unless the place says
    otherwise, only where its answer costs nothing. The same turn always draws the same lot.
    """
    if not settings.learn or settings.explore is Exploration.OFF:
        return None
    expected, chosen = decision.requirements.expected, decision.model.tier
    below = [tier for tier in decision.alternatives if tier < chosen]
    if expected is None or request.tier is not None or not below:
        return None
    lower = max(below)
    is_free = decision.alternatives[lower][1] == 0
    if settings.explore is Exploration.FREE and not is_free:
        return None
    if not may_explore(expected, lower, to_lot(turn_id)):
        return None
    return replace(request, tier=lower, tier_reason=REASON, expected=expected)


def to_lot(turn_id: str) -> float:
    """A number from 0 to 1 that is drawn once for each turn, also when it is run again."""
    digest = hashlib.sha256(f"explore:{turn_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
