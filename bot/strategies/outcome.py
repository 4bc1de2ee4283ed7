"""What a debate or an ensemble came to, and how its choice is kept with the turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.catalog import ModelSpec
from bot.ledger import LedgerEntry
from bot.money import format_usd
from bot.replies import Action, Reply
from bot.routes import POLICY_VERSION
from bot.strategies.estimates import Cost
from bot.strategies.footers import to_footer

ACTIONS = (Action.AGAIN, Action.GOOD, Action.BAD, Action.WHY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The one answer that joins the conversation."""

    text: str
    entry: LedgerEntry
    """The call that wrote it."""
    by: str = ""
    """Who is named in the small print, when it is not the model of `entry`."""
    notes: tuple[str, ...] = ()
    remembered: str = ""
    """What joins the history instead of `text`, when the messages before it say more."""


def to_reply(
    outcome: Outcome, entries: Sequence[LedgerEntry], warnings: Sequence[str] = ()
) -> Reply:
    """The answer as it is shown, with what all of its calls cost together."""
    footer = to_footer(outcome.entry, entries)
    total = f"{len(entries)} calls, {format_usd(footer.cost)} in total."
    return Reply(
        text=outcome.text,
        footer=replace(footer, model=outcome.by or footer.model),
        notes=(*outcome.notes, total, *warnings),
        actions=ACTIONS,
        remembered=outcome.remembered,
    )


def to_record(strategy: str, model: ModelSpec, reason: str, cost: Cost) -> dict[str, object]:
    """A choice in plain values, in the form of a routed one."""
    return {
        "strategy": strategy,
        "model": model.alias,
        "tier": model.tier.label,
        "wanted_tier": model.tier.label,
        "fallbacks": [],
        "reason": reason,
        "reasons": [reason],
        "notes": [],
        "estimated_cost": cost.expected,
        "p": None,
        "estimator": None,
        "alternatives": {},
        "policy_version": POLICY_VERSION,
    }


class Plan(Protocol):
    """What is known of a discussion before it begins."""

    @property
    def cost(self) -> Cost:
        """What it will cost."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the choice of players."""

    @property
    def words(self) -> str:
        """The first message: who plays, and the estimate."""

    def record(self) -> dict[str, object]:
        """The choice, as it is kept with the turn."""


def to_plan_record(plan: Plan, players: Sequence[ModelSpec], **more: object) -> dict[str, object]:
    """A plan in plain values: to be shown again, and to be followed after a crash."""
    return {
        "words": plan.words,
        "players": [model.alias for model in players],
        "notes": list(plan.notes),
        **more,
    }
