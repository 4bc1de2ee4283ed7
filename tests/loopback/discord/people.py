"""What people do: write, edit, delete, react, press buttons, use commands, fill in forms."""

from __future__ import annotations

import re
from typing import Any

from tests.loopback.discord.interactions import Interaction, Interactions
from tests.loopback.discord.world import DM, PERMISSIONS, PUBLIC_THREAD, Payload, World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
OPTION_TYPES = {str: 3, int: 4, bool: 5, float: 10}


class People:
    """Acts as users would; ids are strings, as in Discord's payloads."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self.world = world
        self.interactions = interactions

    def say(
        self,
        channel_id: str,
        user_id: str,
        text: str,
        *,
        reply_to: str | None = None,
        files: list[Payload] | None = None,
    ) -> Payload:
        """Write a message; mentions in the text count."""
        fields: Payload = {"content": text, "mentions": self._mentioned(text)}
        fields["attachments"] = files or []
        if reply_to is not None:
            target = self.world.messages[channel_id][reply_to]
            fields["message_reference"] = {"message_id": reply_to, "channel_id": channel_id}
            fields["referenced_message"] = {**target}
            fields["mentions"] = [*fields["mentions"], target["author"]]
        return self.world.add_message(channel_id, self.world.users[user_id], fields)

    def ask(self, channel_id: str, user_id: str, text: str) -> Payload:
        """Mention the bot."""
        return self.say(channel_id, user_id, f"<@{self.world.bot['id']}> {text}")

    def post(self, forum_id: str, user_id: str, title: str, text: str) -> Payload:
        """Open a forum post; the thread and its first message share their id."""
        thread = self.world.add_thread(forum_id, title, user_id, kind=PUBLIC_THREAD)
        fields = {"id": thread["id"], "content": text, "mentions": self._mentioned(text)}
        self.world.add_message(thread["id"], self.world.users[user_id], fields)
        return thread

    def again(self, message: Payload) -> None:
        """Deliver the same message event once more."""
        self.world.emit("MESSAGE_CREATE", self.world.event_payload(message))

    def edit(self, message: Payload, text: str) -> None:
        """Change what was written."""
        message |= {"content": text, "mentions": self._mentioned(text)}
        message["edited_timestamp"] = self.world.wall().isoformat()
        self.world.emit("MESSAGE_UPDATE", self.world.event_payload(message))

    def delete(self, message: Payload) -> None:
        """Take a message back."""
        channel_id = message["channel_id"]
        self.world.messages[channel_id].pop(message["id"], None)
        event = {"id": message["id"], "channel_id": channel_id}
        guild_id = self.world.channels[channel_id].get("guild_id")
        self.world.emit("MESSAGE_DELETE", event | ({"guild_id": guild_id} if guild_id else {}))

    def react(self, message: Payload, user_id: str, emoji: str) -> None:
        """Add a reaction."""
        event: Payload = {
            "user_id": user_id,
            "channel_id": message["channel_id"],
            "message_id": message["id"],
            "message_author_id": message["author"]["id"],
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        guild_id = self.world.channels[message["channel_id"]].get("guild_id")
        if guild_id:
            event["guild_id"] = guild_id
            event["member"] = self.world.member_payload(guild_id, user_id)
        self.world.emit("MESSAGE_REACTION_ADD", event)

    def command(
        self, channel_id: str, user_id: str, name: str, /, *, outside: bool = False, **options: Any
    ) -> Interaction:
        """Use a slash command; `outside` means by the user's own installation of the app."""
        data = {
            "id": self._command_id(name, 1),
            "name": name,
            "type": 1,
            "options": [
                {"name": key, "type": OPTION_TYPES[type(value)], "value": value}
                for key, value in options.items()
            ],
        }
        return self._interact(COMMAND, channel_id, user_id, {"data": data}, outside=outside)

    def context(self, message: Payload, user_id: str, name: str) -> Interaction:
        """Use a context-menu command on a message."""
        data = {
            "id": self._command_id(name, 3),
            "name": name,
            "type": 3,
            "target_id": message["id"],
            "resolved": {"messages": {message["id"]: message}},
        }
        return self._interact(COMMAND, message["channel_id"], user_id, {"data": data})

    def complete(
        self, channel_id: str, user_id: str, name: str, option: str, text: str
    ) -> Interaction:
        """Type into a command's option and see what is offered."""
        focused = {"name": option, "type": 3, "value": text, "focused": True}
        data = {"id": self._command_id(name, 1), "name": name, "type": 1, "options": [focused]}
        return self._interact(AUTOCOMPLETE, channel_id, user_id, {"data": data})

    def press(
        self, message: Payload, user_id: str, custom_id: str, *, outside: bool = False
    ) -> Interaction:
        """Press a button under a message."""
        data = {"custom_id": custom_id, "component_type": 2}
        about = {"data": data, "message": message}
        return self._interact(COMPONENT, message["channel_id"], user_id, about, outside=outside)

    def choose(
        self, message: Payload, user_id: str, custom_id: str, values: list[str]
    ) -> Interaction:
        """Choose in a select menu under a message."""
        data = {"custom_id": custom_id, "component_type": 3, "values": values}
        about = {"data": data, "message": message}
        return self._interact(COMPONENT, message["channel_id"], user_id, about)

    def submit(self, form: Interaction, user_id: str, values: dict[str, str]) -> Interaction:
        """Fill in and send the form that an interaction opened."""
        assert form.modal is not None
        rows = [self._filled(row, values) for row in form.modal["components"]]
        data = {"custom_id": form.modal["custom_id"], "components": rows}
        about: Payload = {"data": data}
        if form.payload.get("message"):
            about["message"] = form.payload["message"]
        return self._interact(MODAL, form.payload["channel_id"], user_id, about)

    def buttons(self, message: Payload) -> dict[str, str]:
        """The labels of a message's buttons, with their ids."""
        found = {}
        for row in message["components"]:
            for part in row.get("components", []):
                label = part.get("label") or (part.get("emoji") or {}).get("name", "")
                found[label] = part.get("custom_id", "")
        return found

    def _filled(self, row: Payload, values: dict[str, str]) -> Payload:
        inner = row.get("component") or row["components"][0]
        filled = {"type": inner["type"], "custom_id": inner["custom_id"], "id": 1}
        filled["value"] = values.get(inner["custom_id"], inner.get("value", ""))
        if "component" in row:
            return {"type": row["type"], "component": filled, "id": 2}
        return {"type": row["type"], "components": [filled], "id": 2}

    def _mentioned(self, text: str) -> list[Payload]:
        ids = dict.fromkeys(re.findall(r"<@!?(\d+)>", text))
        return [self.world.users[each] for each in ids if each in self.world.users]

    def _command_id(self, name: str, kind: int) -> str:
        for command in self.world.commands.get("", []):
            if command["name"] == name and command["type"] == kind:
                return str(command["id"])
        raise AssertionError(f"no such command is registered: {name}")

    def _interact(
        self, kind: int, channel_id: str, user_id: str, about: Payload, *, outside: bool = False
    ) -> Interaction:
        world = self.world
        channel = world.channels[channel_id]
        payload: Payload = {
            "id": world.snowflake(),
            "application_id": world.application_id,
            "type": kind,
            "token": f"tok{world.snowflake()}",
            "version": 1,
            "channel_id": channel_id,
            "channel": {**channel, "permissions": str(world.permissions(channel_id, user_id))},
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": (
                {"1": user_id} if outside else {"0": channel.get("guild_id", "0")}
            ),
            "context": 2 if outside else 1 if channel["type"] == DM else 0,
            "app_permissions": str(world.permissions(channel_id, world.bot["id"])),
            "attachment_size_limit": 10 * 1024 * 1024,
            **about,
        }
        if channel["type"] == DM or outside:
            payload["user"] = world.users[user_id]
        else:
            payload |= self._membership(channel, user_id)
        return self.interactions.open(payload, in_guild=not outside)

    def _membership(self, channel: Payload, user_id: str) -> Payload:
        guild_id = channel["guild_id"]
        self.world.guilds[guild_id]["members"].setdefault(user_id, [])
        member = self.world.member_payload(guild_id, user_id)
        bits = self.world.permissions(channel["id"], user_id)
        if self.world.guilds[guild_id]["owner_id"] == user_id:
            bits |= PERMISSIONS["manage_guild"]
        guild = {"id": guild_id, "locale": "en-US", "features": []}
        return {
            "guild_id": guild_id,
            "guild": guild,
            "guild_locale": "en-US",
            "member": {**member, "permissions": str(bits)},
        }
