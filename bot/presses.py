"""What the buttons under an answer do, on every platform that has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.explanation import explain
from bot.inbox import Inbox
from bot.ports import Intake
from bot.replies import Action

FINISHED = "This answer is finished already."
THANKS = "Thank you. That helps me choose better."
GONE = "The question of this answer is gone. Please ask again."
UNKNOWN = "I no longer know how this answer came about."


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button that somebody pressed: which, under which turn, and what makes it unique."""

    action: Action
    turn_id: str
    event_id: str
    user_id: str
    role_ids: tuple[str, ...] = ()
    anchor: Mapping[str, str] | None = None
    """Where a further answer goes, when that is not where this one is."""


async def act(press: Press, inbox: Inbox, store: Intake) -> str:
    """Do it; what to tell the person who pressed, empty when the thread says enough."""
    if press.action is Action.WHY:
        turn = await store.turn(press.turn_id)
        return explain(turn.decision) if turn else UNKNOWN
    if press.action is Action.STOP:
        return "" if await inbox.stop(press.turn_id) else FINISHED
    if press.action in (Action.GOOD, Action.BAD):
        value = 1 if press.action is Action.GOOD else -1
        await inbox.feedback(press.turn_id, press.user_id, value)
        return THANKS
    again = inbox.heavier if press.action is Action.HEAVIER else inbox.retry
    turn = await again(
        press.turn_id,
        event_id=press.event_id,
        user_id=press.user_id,
        role_ids=press.role_ids,
        anchor=press.anchor,
    )
    return "" if turn else GONE
