"""Interactions: commands, buttons and modals, with their three seconds and fifteen minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.loopback.discord.rules import RefusedError, check_message, check_modal
from tests.loopback.discord.world import Payload, World

ACK_WITHIN_S = 3.0
TOKEN_LIVES_S = 15 * 60.0
EPHEMERAL = 1 << 6
MESSAGE, DEFER, DEFER_UPDATE, UPDATE, AUTOCOMPLETE, MODAL = 4, 5, 6, 7, 8, 9
FOLLOWUPS_OUTSIDE = 5


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One interaction and everything that was answered to it."""

    payload: Payload
    at_s: float
    in_guild: bool
    response: int = 0
    response_at_s: float = 0.0
    is_deferred: bool = False
    is_ephemeral: bool = False
    original_id: str = ""
    choices: list[Payload] = field(default_factory=list)
    modal: Payload | None = None
    messages: dict[str, Payload] = field(default_factory=dict)
    followups: int = 0

    @property
    def original(self) -> Payload | None:
        """The message that answered it, when there is one."""
        return self.messages.get(self.original_id)

    @property
    def texts(self) -> list[str]:
        """What the person who asked now sees, message by message."""
        return [message["content"] for message in self.messages.values()]


class Interactions:
    """All interactions, found by their token."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_token: dict[str, Interaction] = {}

    def open(self, payload: Payload, *, in_guild: bool) -> Interaction:
        """A person did something: from now on the clock runs."""
        one = Interaction(payload=payload, at_s=self.world.now_s(), in_guild=in_guild)
        self.by_token[payload["token"]] = one
        self.world.emit("INTERACTION_CREATE", payload)
        return one

    def respond(self, token: str, body: Payload, files: list[Payload]) -> Payload:
        """The first response; late is unknown, twice is refused."""
        one = self.by_token.get(token)
        if one is None or (not one.response and self.world.now_s() - one.at_s > ACK_WITHIN_S):
            raise RefusedError(404, 10062, "Unknown interaction")
        if one.response:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        data = body.get("data") or {}
        kind = body["type"]
        if kind in (MESSAGE, UPDATE):
            check_message(
                data, len(files), old=one.payload.get("message") if kind == UPDATE else None
            )
        if kind == MODAL:
            check_modal(data)
        if kind == AUTOCOMPLETE and len(data.get("choices", [])) > 25:
            raise RefusedError(400, 50035, "Invalid Form Body")
        one.response, one.response_at_s = kind, self.world.now_s()
        self._apply(one, kind, data, files)
        return self._callback(one)

    def _apply(self, one: Interaction, kind: int, data: Payload, files: list[Payload]) -> None:
        one.is_ephemeral = bool(data.get("flags", 0) & EPHEMERAL)
        if kind == MESSAGE:
            one.original_id = self._post(one, data, files)["id"]
        elif kind == DEFER:
            one.is_deferred = True
            one.original_id = self._post(one, {"flags": data.get("flags", 0) | 1 << 7}, [])["id"]
        elif kind == UPDATE:
            self._edit(one.payload["message"], data, files)
        elif kind == AUTOCOMPLETE:
            one.choices = data.get("choices", [])
        elif kind == MODAL:
            one.modal = data
        if kind in (UPDATE, DEFER_UPDATE) and one.payload.get("message"):
            one.original_id = one.payload["message"]["id"]
            one.messages[one.original_id] = one.payload["message"]

    def _callback(self, one: Interaction) -> Payload:
        about = {"id": one.payload["id"], "type": one.payload["type"]}
        if one.original_id:
            about |= {
                "response_message_id": one.original_id,
                "response_message_loading": one.is_deferred,
                "response_message_ephemeral": one.is_ephemeral,
            }
        answer: Payload = {"interaction": about}
        if one.original is not None:
            answer["resource"] = {"type": one.response, "message": one.original}
        return answer

    def live(self, token: str) -> Interaction:
        """The interaction of a token that still works."""
        one = self.by_token.get(token)
        if one is None or self.world.now_s() - one.at_s > TOKEN_LIVES_S:
            raise RefusedError(401, 50027, "Invalid Webhook Token")
        if not one.response:
            raise RefusedError(404, 10015, "Unknown Webhook")
        return one

    def follow_up(self, token: str, body: Payload, files: list[Payload]) -> Payload:
        """A further message; the first after a deferral fills the deferred one."""
        one = self.live(token)
        check_message(body, len(files), old=None)
        if one.is_deferred and one.original is not None:
            one.is_deferred = False
            return self._edit(one.original, body, files)
        one.followups += 1
        if not one.in_guild and one.followups > FOLLOWUPS_OUTSIDE:
            raise RefusedError(400, 40094, "Maximum number of follow up messages reached")
        return self._post(one, body, files)

    def message(self, token: str, message_id: str) -> Payload:
        """One message of an interaction; `@original` is the first."""
        one = self.live(token)
        wanted = one.original_id if message_id == "@original" else message_id
        if wanted not in one.messages:
            raise RefusedError(404, 10008, "Unknown Message")
        return one.messages[wanted]

    def edit(self, token: str, message_id: str, body: Payload, files: list[Payload]) -> Payload:
        """Edit one message of an interaction."""
        message = self.message(token, message_id)
        check_message(body, len(files), had_files=len(message["attachments"]), old=message)
        self.by_token[token].is_deferred = False
        return self._edit(message, body, files)

    def delete(self, token: str, message_id: str) -> None:
        """Delete one message of an interaction."""
        message = self.message(token, message_id)
        self.by_token[token].messages.pop(message["id"])
        self.world.messages.get(message["channel_id"], {}).pop(message["id"], None)

    def _post(self, one: Interaction, body: Payload, files: list[Payload]) -> Payload:
        channel_id = one.payload["channel_id"]
        fields = {
            "content": body.get("content") or "",
            "embeds": body.get("embeds") or [],
            "components": body.get("components") or [],
            "flags": body.get("flags", 0),
            "attachments": files,
            "application_id": self.world.application_id,
            "interaction_metadata": {
                "id": one.payload["id"],
                "type": one.payload["type"],
                "user": one.payload.get("user") or one.payload["member"]["user"],
                "authorizing_integration_owners": {},
            },
            "webhook_id": self.world.application_id,
        }
        if body.get("flags", 0) & EPHEMERAL or not one.in_guild:
            message = self._unseen(channel_id, fields)
        else:
            message = self.world.add_message(channel_id, self.world.bot, fields)
        one.messages[message["id"]] = message
        return message

    def _unseen(self, channel_id: str, fields: Payload) -> Payload:
        world = self.world
        return {
            "id": world.snowflake(),
            "channel_id": channel_id,
            "author": world.bot,
            "timestamp": world.wall().isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "pinned": False,
            "type": 20,
            **fields,
        }

    def _edit(self, message: Payload, body: Payload, files: list[Payload]) -> Payload:
        for key in ("content", "embeds", "components"):
            if key in body:
                message[key] = body[key] or ([] if key != "content" else "")
        message["attachments"] = [*message["attachments"], *files]
        message["flags"] &= ~(1 << 7)
        message["edited_timestamp"] = self.world.wall().isoformat()
        if message["id"] in self.world.messages.get(message["channel_id"], {}):
            self.world.emit("MESSAGE_UPDATE", self.world.event_payload(message))
        return message
