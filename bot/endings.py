"""How a turn can end, as values: answered, cut off, stopped or failed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.ledger import LedgerEntry
from bot.replies import FINISHED_ACTIONS, Action, Footer, Reply, within_reach
from bot.routes import RouteDecision
from bot.strategies.footers import said_last, to_footer
from bot.strategies.single import Answer
from bot.turns import REFUSED, Turn, TurnStatus

CUT_NOTE = "The answer was cut off by the provider. Ask again for a new one."
STOPPED_NOTE = "Stopped."
_CUT_ACTIONS = (Action.AGAIN, Action.HEAVIER, Action.WHY)


def done(turn: Turn, reply: Reply) -> Turn:
    """Ended with a reply."""
    return replace(turn, status=TurnStatus.DONE, reply=reply)


def failed(turn: Turn, message: str, *, is_refused: bool = False) -> Turn:
    """Ended without one, and what the person is told instead."""
    decision = {**turn.decision, REFUSED: True} if is_refused else turn.decision
    return replace(turn, status=TurnStatus.FAILED, notice=message, decision=decision)


def answered(
    turn: Turn,
    decision: RouteDecision,
    answer: Answer,
    *,
    entries: Sequence[LedgerEntry],
    notes: Sequence[str],
) -> Turn:
    """Ended as it was to end; kept with the model that answered, who may not be the chosen one.

    `notes` are what the person should know besides what the choice and the answer say.
    """
    record = {
        **turn.decision,
        "model": answer.model.alias,
        "tier": answer.model.tier.label,
        "notes": [note for note in (*decision.notes, answer.remark) if note],
    }
    reply = Reply(
        text=answer.entry.text,
        footer=to_footer(answer.entry, entries),
        actions=within_reach(FINISHED_ACTIONS, answer.model.tier),
        notes=(*decision.notes, *notes),
    )
    return done(replace(turn, decision=record), reply)


def cut_off(turn: Turn, text: str, entries: Sequence[LedgerEntry]) -> Turn:
    """Ended by the provider in the middle of the text, with what that cost."""
    footer = _footer_so_far(entries)
    actions = within_reach(_CUT_ACTIONS, footer.tier) if footer else _CUT_ACTIONS
    return done(turn, Reply(text=text, footer=footer, notes=(CUT_NOTE,), actions=actions))


def stopped(turn: Turn, text: str, entries: Sequence[LedgerEntry]) -> Turn:
    """Ended by somebody who had enough, with the text so far and what it cost."""
    reply = Reply(
        text=text,
        footer=_footer_so_far(entries),
        notes=(STOPPED_NOTE,),
        actions=(Action.AGAIN,),
    )
    return replace(turn, status=TurnStatus.CANCELLED, reply=reply)


def _footer_so_far(entries: Sequence[LedgerEntry]) -> Footer | None:
    return to_footer(said_last(entries), entries) if entries else None
