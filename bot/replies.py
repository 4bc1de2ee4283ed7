"""What a person gets back: the answer, its small print, its buttons, or a notice of what failed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.catalog import Tier
from bot.money import format_usd
from bot.pictures import Card
from bot.settings import FooterStyle


class Action(StrEnum):
    """A button under an answer."""

    STOP = "stop"
    HEAVIER = "heavier"
    AGAIN = "again"
    GOOD = "good"
    BAD = "bad"
    WHY = "why"


FINISHED_ACTIONS = (Action.HEAVIER, Action.AGAIN, Action.GOOD, Action.BAD, Action.WHY)


def within_reach(actions: tuple[Action, ...], tier: Tier) -> tuple[Action, ...]:
    """The buttons that make sense under an answer of a tier: above the full one there is none."""
    return tuple(a for a in actions if a is not Action.HEAVIER or tier is not Tier.FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The facts under an answer; costs in nano-dollars, None when unpriced."""

    tier: Tier
    model: str
    """The model that served it."""
    tokens: int
    cost: int | None
    latency_s: float
    is_estimated: bool = False

    def line(self, style: FooterStyle) -> str:
        """The small print as one line; empty when it is off."""
        about = "~" if self.is_estimated else ""
        price = (about if self.cost else "") + format_usd(self.cost)
        if style is FooterStyle.OFF:
            return ""
        if style is FooterStyle.SHORT:
            return f"{self.tier.label} · {self.model} · {price}"
        tokens = f"{about}{self.tokens:,} tok"
        return f"{self.tier.label} · {self.model} · {tokens} · {price} · {self.latency_s:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A finished answer, whole or as far as it came."""

    text: str
    footer: Footer | None = None
    notes: tuple[str, ...] = ()
    """Sentences that belong with it: a step down for the budget, a cut, a demo model's warning."""
    actions: tuple[Action, ...] = FINISHED_ACTIONS
    remembered: str = ""
    """What joins the conversation's history instead of the text, when more was said than that."""
    card: Card | None = None
    """A picture that belongs with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence instead of an answer: what happened, what to do."""

    text: str
    actions: tuple[Action, ...] = ()
    is_refusal: bool = False
    """Whether no model was asked: nothing failed, so it looks like the answer to a command."""
