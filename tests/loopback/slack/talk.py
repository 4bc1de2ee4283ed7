"""What people write in the loopback workspace, and the events that Slack makes of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from aiohttp import web

from tests.loopback.slack.chat import message_text
from tests.loopback.slack.outbox import HttpTarget
from tests.loopback.slack.server import SlackServer
from tests.loopback.slack.state import Channel, File, Json, Workspace
from tests.loopback.slack.transcript import Call, Sent


class TalkingSlack(SlackServer):
    """The server together with people who write, edit and delete messages."""

    has_echoes = True

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    def _answer(self, call: Call, request: web.Request) -> Json:
        answer = super()._answer(call, request)
        if self.has_echoes and call.method in ("chat.postMessage", "chat.update"):
            self._echo(call, answer)
        return answer

    def _echo(self, call: Call, answer: Json) -> None:
        """Slack sends an app the events of its own messages, and one for every update."""
        space = self.spaces[call.team_id]
        place = space.channels[answer["channel"]]
        event: Json = {"type": "message", "channel": place.channel_id, "channel_type": place.kind}
        if call.method == "chat.postMessage":
            event |= {**answer["message"], "event_ts": answer["ts"]}
        else:
            ts = space.next_ts()
            event |= {"subtype": "message_changed", "hidden": True, "ts": ts, "event_ts": ts}
            event |= {"message": dict(answer["message"]), "previous_message": {}}
        self.event(event, space=space)

    def deliver_by_http(self, url: str, signing_secret: str, *others: str) -> None:
        """Send events to this address, or these in turn, from now on instead of to sockets."""
        self.outbox.http = HttpTarget((url, *others), signing_secret)

    def say(
        self,
        text: str,
        *,
        channel: str = "C1",
        user: str = "U1",
        thread_ts: str = "",
        files: Sequence[File] = (),
        space: Workspace | None = None,
    ) -> str:
        """A person writes a message; returns its timestamp. "D:U1" is U1's chat with the app."""
        space = space or self.space
        place = space.direct(channel[2:]) if channel.startswith("D:") else space.channels[channel]
        message: Json = {"user": user, "text": text, "client_msg_id": space.next_id("cm")}
        if thread_ts:
            message["thread_ts"] = thread_ts
        if files:
            message["subtype"] = "file_share"
            message["files"] = [self._describe(space, file) for file in files]
        space.post(place, message)
        self._announce(space, place, message)
        return str(message["ts"])

    def _announce(self, space: Workspace, place: Channel, message: Json) -> None:
        event = {
            **message,
            "type": "message",
            "channel": place.channel_id,
            "channel_type": place.kind,
            "team": space.team_id,
            "event_ts": message["ts"],
        }
        self.event(event, space=space)
        if place.kind != "im" and f"<@{space.bot_user_id}>" in message["text"]:
            mention = {k: v for k, v in event.items() if k not in ("channel_type", "subtype")}
            self.event({**mention, "type": "app_mention"}, space=space)

    def event(self, event: Json, *, space: Workspace | None = None, event_id: str = "") -> Sent:
        """Send any event to the app; the same event_id makes it a duplicate."""
        space = space or self.space
        event_id = event_id or space.next_id("Ev")
        return self.outbox.send(
            "events_api",
            {
                "token": "loopback",
                "team_id": space.team_id,
                "context_team_id": space.team_id,
                "context_enterprise_id": None,
                "api_app_id": "A1",
                "event": event,
                "type": "event_callback",
                "event_id": event_id,
                "event_time": int(time.time()),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": space.team_id,
                        "user_id": space.bot_user_id,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": False,
            },
            event_id=event_id,
        )

    def again(self, sent: Sent) -> Sent:
        """Send the same event once more, with the same event_id."""
        return self.outbox.send(sent.kind, sent.payload, event_id=sent.event_id)

    def edit(self, ts: str, text: str, *, channel: str = "C1") -> Sent:
        """A person edits their message."""
        message = self._message(self.space, channel, ts)
        before = dict(message)
        message |= {"text": text, "edited": {"user": message["user"], "ts": self.space.next_ts()}}
        return self._changed(channel, "message_changed", message=message, previous_message=before)

    def remove(self, ts: str, *, channel: str = "C1") -> Sent:
        """A person deletes their message; of one with replies a tombstone is left."""
        message = self._message(self.space, channel, ts)
        messages = self.space.channels[channel].messages
        if any(each.get("thread_ts") == ts != each["ts"] for each in messages):
            tombstone = {
                "type": "message",
                "subtype": "tombstone",
                "text": "This message was deleted.",
                "user": "USLACKBOT",
                "hidden": True,
                "ts": ts,
                "thread_ts": ts,
            }
            messages[messages.index(message)] = tombstone
            return self._changed(
                channel, "message_changed", message=tombstone, previous_message=message
            )
        messages.remove(message)
        return self._changed(channel, "message_deleted", deleted_ts=ts, previous_message=message)

    def _changed(self, channel: str, subtype: str, **fields: Any) -> Sent:
        place = self.space.channels[channel]
        ts = self.space.next_ts()
        return self.event(
            {
                "type": "message",
                "subtype": subtype,
                "channel": channel,
                "channel_type": place.kind,
                "hidden": True,
                "ts": ts,
                "event_ts": ts,
                **fields,
            }
        )

    def open_tab(self, tab: str = "home", *, user: str = "U1") -> Sent:
        """A person opens the app's Home or Messages tab."""
        return self.event(
            {
                "type": "app_home_opened",
                "user": user,
                "channel": self.space.direct(user).channel_id,
                "tab": tab,
                "event_ts": self.space.next_ts(),
            }
        )

    def press_stop(self, channel: str, thread_ts: str, *, user: str = "U1") -> Sent:
        """A person presses Slack's own stop button; running streams of the thread stop."""
        stopped = []
        for (where, ts), stream in self.space.streams.items():
            message = self.space.find(where, ts)
            in_thread = message is not None and message.get("thread_ts") == thread_ts
            if where == channel and stream.state == "live" and in_thread:
                stream.state = "stopped_by_user"
                stopped.append(ts)
        return self.event(
            {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": thread_ts,
                "user": user,
                "streaming_message_ts": stopped,
                "event_ts": self.space.next_ts(),
            }
        )

    def uninstall(self, space: Workspace | None = None) -> Sent:
        """The app is removed from a workspace: its token dies."""
        space = space or self.space
        space.token_error = "token_revoked"
        self.event({"type": "tokens_revoked", "tokens": {"bot": [space.bot_user_id]}}, space=space)
        return self.event({"type": "app_uninstalled"}, space=space)

    def _message(self, space: Workspace, channel: str, ts: str) -> Json:
        message = space.find(channel, ts)
        if message is None:
            raise AssertionError(f"no message {ts} in {channel}")
        return message

    def _describe(self, space: Workspace, file: File) -> Json:
        space.files[file.file_id] = file
        return {
            "id": file.file_id,
            "name": file.name,
            "mimetype": file.mimetype,
            "size": len(file.content),
            "mode": "hosted",
            "url_private": f"{self.origin}/files-pri/{space.team_id}-{file.file_id}/{file.name}",
        }

    def made(self, method: str) -> list[Call]:
        """The calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    def replies(self, ts: str, *, channel: str = "C1", space: Workspace | None = None) -> list[str]:
        """What the app has written in a thread, as people read it."""
        space = space or self.space
        place = space.direct(channel[2:]).channel_id if channel.startswith("D:") else channel
        messages = space.thread(place, ts)
        return [message_text(m) for m in messages if m.get("bot_id") == space.bot_id]

    async def until(self, is_true: Callable[[], Any], *, within_s: float = 10.0) -> None:
        """Wait for a condition; fails when it does not come true in time."""
        async with asyncio.timeout(within_s):
            while not is_true():
                await asyncio.sleep(0.005)
