"""What people press, type as commands and submit; each act reaches the app as Slack sends it."""

from tests.loopback.slack.rules import RefusalError
from tests.loopback.slack.state import Json
from tests.loopback.slack.talk import TalkingSlack
from tests.loopback.slack.transcript import Sent


class LoopbackSlack(TalkingSlack):
    """The server together with the people who use it."""

    def command(
        self,
        command: str,
        text: str = "",
        *,
        channel: str = "C1",
        user: str = "U1",
        thread_ts: str = "",
    ) -> Sent:
        """A person runs a slash command; Slack refuses them in threads."""
        if thread_ts:
            raise RefusalError("slash commands cannot be used in threads")
        payload = self._interaction(channel)
        return self.outbox.send(
            "slash_commands",
            {
                "command": command,
                "text": text,
                "team_id": self.space.team_id,
                "team_domain": self.space.team_id.lower(),
                "channel_id": channel,
                "channel_name": self.space.channels[channel].name,
                "user_id": user,
                "user_name": self.space.people[user]["name"],
                "api_app_id": "A1",
                "is_enterprise_install": "false",
                "response_url": payload["response_url"],
                "trigger_id": payload["trigger_id"],
            },
        )

    def press(
        self, ts: str, action_id: str, *, channel: str = "C1", user: str = "U1", value: str = ""
    ) -> Sent:
        """A person presses a button under a message, by its action_id."""
        message = self._message(self.space, channel, ts)
        element, block = _find_element(message, action_id)
        action = {**element, "block_id": block.get("block_id", "b1"), "action_ts": "1.0"}
        if element["type"] == "feedback_buttons":
            action = {**action, "value": value}
        return self.outbox.send(
            "interactive",
            {
                **self._interaction(channel),
                **self._who(user),
                "type": "block_actions",
                "channel": {"id": channel, "name": self.space.channels[channel].name},
                "container": {
                    "type": "message",
                    "message_ts": ts,
                    "channel_id": channel,
                    "is_ephemeral": False,
                    "thread_ts": message.get("thread_ts", ts),
                },
                "message": message,
                "state": {"values": {}},
                "actions": [action],
            },
        )

    def press_in_home(self, action_id: str, *, user: str = "U1") -> Sent:
        """A person presses a button in the app's Home tab."""
        view = self.space.home[user]
        element, _ = _find_element(view, action_id)
        return self.outbox.send(
            "interactive",
            {
                **self._interaction("D1"),
                **self._who(user),
                "type": "block_actions",
                "container": {"type": "view", "view_id": "VHOME"},
                "view": {**view, "id": "VHOME", "team_id": self.space.team_id},
                "actions": [element],
            },
        )

    def submit(self, view_id: str, values: dict[str, str], *, user: str = "U1") -> Sent:
        """A person submits a modal: action_id → what they typed or chose."""
        view = self.space.views[view_id]
        state: Json = {}
        for block in view["blocks"]:
            element = block.get("element") or {}
            name = element.get("action_id")
            if name in values:
                state.setdefault(block["block_id"], {})[name] = _filled(element, values[name])
        return self.outbox.send(
            "interactive",
            {
                **self._who(user),
                "type": "view_submission",
                "api_app_id": "A1",
                "trigger_id": "trigger-x",
                "view": {**view, "state": {"values": state}},
                "response_urls": [],
            },
        )

    def shortcut(self, callback_id: str, ts: str, *, channel: str = "C1", user: str = "U1") -> Sent:
        """A person uses a message shortcut."""
        return self.outbox.send(
            "interactive",
            {
                **self._interaction(channel),
                **self._who(user),
                "type": "message_action",
                "callback_id": callback_id,
                "message_ts": ts,
                "channel": {"id": channel, "name": self.space.channels[channel].name},
                "message": self._message(self.space, channel, ts),
            },
        )

    def _interaction(self, channel: str) -> Json:
        number = self.space.next_id("")
        return {
            "api_app_id": "A1",
            "trigger_id": f"trigger-{number}",
            "response_url": f"{self.origin}/respond/{channel}/{number}",
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _who(self, user: str) -> Json:
        team = {"id": self.space.team_id, "domain": self.space.team_id.lower()}
        name = self.space.people[user]["name"]
        person = {"id": user, "username": name, "name": name, "team_id": self.space.team_id}
        return {"user": person, "team": team}


def _find_element(holder: Json, action_id: str) -> tuple[Json, Json]:
    for block in holder.get("blocks", []):
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("action_id") == action_id:
                return element, block
    raise AssertionError(f"no button {action_id} in {holder.get('blocks')}")


def _filled(element: Json, value: str) -> Json:
    if element["type"] == "static_select":
        chosen = next(o for o in element["options"] if o["value"] == value)
        return {"type": "static_select", "selected_option": chosen}
    return {"type": element["type"], "value": value}
