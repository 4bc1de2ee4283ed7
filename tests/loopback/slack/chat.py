"""The chat.* methods: posts, updates and native streams, with Slack's own refusals."""

from typing import Any

from tests.loopback.slack.rules import (
    MARKDOWN_LIMIT,
    RefusalError,
    check_blocks,
    check_message,
)
from tests.loopback.slack.state import Channel, Json, Stream, Workspace


class ChatMethods:
    """Web API methods that write messages into a workspace."""

    def __init__(self, now: Any, stream_life_s: float):
        self._now = now
        self._stream_life_s = stream_life_s
        self.ephemeral: list[Json] = []

    def post_message(self, space: Workspace, args: Json) -> Json:
        """chat.postMessage."""
        channel = joined_channel(space, args)
        check_message("chat.postMessage", args)
        message = space.post(channel, self._bot_message(space, args))
        space.statuses.pop((channel.channel_id, message.get("thread_ts", "")), None)
        return {"channel": channel.channel_id, "ts": message["ts"], "message": message}

    def post_ephemeral(self, space: Workspace, args: Json) -> Json:
        """chat.postEphemeral."""
        joined_channel(space, args)
        check_message("chat.postEphemeral", args)
        self.ephemeral.append(dict(args))
        return {"message_ts": space.next_ts()}

    def update(self, space: Workspace, args: Json) -> Json:
        """chat.update."""
        channel = joined_channel(space, args)
        message = self._own_message(space, channel, args)
        stream = self._stream(space, channel, message["ts"])
        if stream is not None and stream.state == "live":
            raise RefusalError("streaming_state_conflict")
        check_message("chat.update", args)
        fresh = self._bot_message(space, args)
        message.update({k: fresh[k] for k in ("text", "blocks", "markdown_text") if k in fresh})
        message.pop("streaming_state", None)
        if "blocks" not in fresh:
            message.pop("blocks", None)
        if "metadata" in args:
            message["metadata"] = args["metadata"]
        message.setdefault("versions", []).append(message_text(message))
        return {"channel": channel.channel_id, "ts": message["ts"], "message": message}

    def delete(self, space: Workspace, args: Json) -> Json:
        """chat.delete."""
        channel = joined_channel(space, args)
        channel.messages.remove(self._own_message(space, channel, args))
        return {"channel": channel.channel_id, "ts": args["ts"]}

    def start_stream(self, space: Workspace, args: Json) -> Json:
        """chat.startStream."""
        if not space.has_streams:
            raise RefusalError("channel_type_not_supported")
        channel = joined_channel(space, args)
        if not args.get("thread_ts"):
            raise RefusalError("invalid_arguments")
        if channel.kind != "im" and not (
            args.get("recipient_user_id") and args.get("recipient_team_id")
        ):
            raise RefusalError("missing_recipient_user_id")
        text = streamed_text(args)
        fields = {**self._bot_message(space, args), "text": text}
        fields.pop("markdown_text", None)
        message = space.post(channel, fields)
        message["streaming_state"] = "in_progress"
        space.streams[channel.channel_id, message["ts"]] = Stream(self._now(), text=text)
        return {"channel": channel.channel_id, "ts": message["ts"]}

    def append_stream(self, space: Workspace, args: Json) -> Json:
        """chat.appendStream."""
        channel, message, stream = self._live_stream(space, args)
        text = streamed_text(args)
        if not text and not args.get("chunks"):
            raise RefusalError("no_text")
        stream.text += text
        if len(stream.text) > 4 * MARKDOWN_LIMIT:
            raise RefusalError("msg_too_long")
        message["text"] = stream.text
        return {"channel": channel.channel_id, "ts": message["ts"]}

    def stop_stream(self, space: Workspace, args: Json) -> Json:
        """chat.stopStream."""
        channel, message, stream = self._live_stream(space, args)
        check_blocks(args.get("blocks"), 50)
        stream.text += streamed_text(args)
        stream.state = "stopped"
        message["text"] = stream.text
        message["streaming_state"] = "completed"
        if args.get("blocks"):
            message["blocks"] = args["blocks"]
        if args.get("metadata"):
            message["metadata"] = args["metadata"]
        if args.get("session_status"):
            key = (channel.channel_id, message.get("thread_ts", ""))
            space.sessions.setdefault(key, {})["status"] = args["session_status"]
        space.statuses.pop((channel.channel_id, message.get("thread_ts", "")), None)
        return {"channel": channel.channel_id, "ts": message["ts"], "message": message}

    def _bot_message(self, space: Workspace, args: Json) -> Json:
        kept = ("text", "markdown_text", "blocks", "thread_ts", "metadata")
        fields = {key: args[key] for key in kept if args.get(key)}
        return {"text": "", "user": space.bot_user_id, "bot_id": space.bot_id, **fields}

    def _own_message(self, space: Workspace, channel: Channel, args: Json) -> Json:
        message = space.find(channel.channel_id, args.get("ts", ""))
        if message is None:
            raise RefusalError("message_not_found")
        if message.get("bot_id") != space.bot_id:
            raise RefusalError("cant_update_message")
        return message

    def _stream(self, space: Workspace, channel: Channel, ts: str) -> Stream | None:
        stream = space.streams.get((channel.channel_id, ts))
        age_s = self._now() - stream.started_at if stream else 0.0
        if stream and stream.state == "live" and age_s > self._stream_life_s:
            stream.state = "expired"
        return stream

    def _live_stream(self, space: Workspace, args: Json) -> tuple[Channel, Json, Stream]:
        channel = joined_channel(space, args)
        message = self._own_message(space, channel, args)
        stream = self._stream(space, channel, message["ts"])
        if stream is None:
            raise RefusalError("message_not_in_streaming_state")
        if stream.state == "stopped_by_user":
            raise RefusalError("stopped_by_user")
        if stream.state != "live":
            raise RefusalError("message_not_in_streaming_state")
        return channel, message, stream


def joined_channel(space: Workspace, args: Json) -> Channel:
    """The channel the call names, in which the app must be."""
    name = args.get("channel") or args.get("channel_id") or ""
    if name.startswith("U") and name in space.people:
        return space.direct(name)
    channel = space.channels.get(name)
    if channel is None:
        raise RefusalError("channel_not_found")
    if space.bot_user_id not in channel.members:
        raise RefusalError("not_in_channel")
    return channel


def streamed_text(args: Json) -> str:
    """The Markdown in a stream call, from its argument or its chunks."""
    chunks = args.get("chunks") or []
    if args.get("markdown_text") and chunks:
        raise RefusalError("invalid_arguments")
    texts = [args.get("markdown_text") or ""]
    texts += [c.get("text", "") for c in chunks if c.get("type") == "markdown_text"]
    if any(len(text) > MARKDOWN_LIMIT for text in texts):
        raise RefusalError("msg_too_long")
    return "".join(texts)


def message_text(message: Json) -> str:
    """What a person reads in a message: its markdown blocks, sections or text."""
    parts = [
        b["text"] if b["type"] == "markdown" else b["text"]["text"]
        for b in message.get("blocks", [])
        if b["type"] in ("markdown", "section") and "text" in b
    ]
    if parts and "streaming_state" not in message:
        return "\n".join(parts)
    return str(message.get("markdown_text") or message.get("text", ""))
