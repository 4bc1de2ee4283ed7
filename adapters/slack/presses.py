"""What the buttons under an answer do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.formatting import FEEDBACK_ID
from bot.explanation import explain
from bot.inbox import Inbox
from bot.ports import Store
from bot.replies import Action

FINISHED = "This answer is finished already."
THANKS = "Thank you. That helps me choose better."
GONE = "The question of this answer is gone. Please ask again."
UNKNOWN = "I no longer know how this answer came about."


@dataclass(frozen=True, slots=True)
class Press:
    """A button that somebody pressed: which, under which turn, and what makes it unique."""

    action: Action
    turn_id: str
    event_id: str
    user_id: str


def to_press(body: Mapping[str, Any], action: Mapping[str, Any]) -> Press:
    """The press that Slack's payload means."""
    name, turn_id = str(action["action_id"]).removeprefix("parley_"), str(action.get("value", ""))
    if action["action_id"] == FEEDBACK_ID:
        name, _, turn_id = turn_id.partition(" ")
    user_id = str(body["user"]["id"])
    container = body.get("container") or {}
    pressed = f"{container.get('channel_id', '')}:{container.get('message_ts', '')}"
    return Press(
        action=Action(name),
        turn_id=turn_id,
        event_id=f"{pressed}:{name}:{user_id}:{action.get('action_ts', '')}",
        user_id=user_id,
    )


async def act(press: Press, inbox: Inbox, store: Store) -> str:
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
    turn = await again(press.turn_id, event_id=press.event_id, user_id=press.user_id)
    return "" if turn else GONE
