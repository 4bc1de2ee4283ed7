"""From Slack's payload to the button that was pressed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.formatting import FEEDBACK_ID
from bot.presses import Press
from bot.replies import Action


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
