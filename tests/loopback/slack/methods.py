"""The Web API: which method does what, and everything that is not chat.*."""

from collections.abc import Callable
from typing import Any

from tests.loopback.slack.chat import ChatMethods, joined_channel
from tests.loopback.slack.rules import RefusalError, check_view
from tests.loopback.slack.state import File, Json, Workspace

Method = Callable[[Workspace, Json], Json]
SESSION_STATES = ("processing", "active", "suspended", "closed")


class WebMethods:
    """Answers a method's call in a workspace, or raises RefusalError."""

    def __init__(self, *, now: Any, stream_life_s: float, base_url: Callable[[], str]):
        self.chat = ChatMethods(now, stream_life_s)
        self._base_url = base_url
        self.has_stop_event = True
        self.suggested_prompts: list[Json] = []
        self.titles: dict[tuple[str, str], str] = {}
        self.reactions: list[tuple[str, str, str]] = []
        self._table: dict[str, Method] = {
            "auth.test": self._auth_test,
            "bots.info": self._bots_info,
            "chat.postMessage": self.chat.post_message,
            "chat.postEphemeral": self.chat.post_ephemeral,
            "chat.update": self.chat.update,
            "chat.delete": self.chat.delete,
            "chat.startStream": self.chat.start_stream,
            "chat.appendStream": self.chat.append_stream,
            "chat.stopStream": self.chat.stop_stream,
            "assistant.threads.setStatus": self._set_status,
            "assistant.threads.setTitle": self._set_title,
            "assistant.threads.setSuggestedPrompts": self._set_prompts,
            "agents.sessions.setStatus": self._session_status,
            "agents.sessions.rename": self._session_rename,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "conversations.info": self._conversation,
            "conversations.open": self._open_direct,
            "users.info": self._user,
            "views.open": self._open_view,
            "views.update": self._update_view,
            "views.publish": self._publish_home,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
            "reactions.add": self._react,
            "reactions.remove": self._react,
        }

    def answer(self, method: str, space: Workspace, args: Json) -> Json:
        """The method's answer without `ok`."""
        if method not in self._table:
            raise RefusalError("unknown_method", req_method=method)
        return self._table[method](space, args)

    def _auth_test(self, space: Workspace, args: Json) -> Json:
        return {
            "url": f"https://{space.team_id.lower()}.slack.com/",
            "team": space.team_id,
            "user": "parley",
            "team_id": space.team_id,
            "user_id": space.bot_user_id,
            "bot_id": space.bot_id,
            "is_enterprise_install": False,
        }

    def _bots_info(self, space: Workspace, args: Json) -> Json:
        return {"bot": {"id": space.bot_id, "app_id": "A1", "user_id": space.bot_user_id}}

    def _set_status(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        if len(args.get("loading_messages") or []) > 10:
            raise RefusalError("invalid_arguments")
        key = (channel.channel_id, args["thread_ts"])
        space.statuses[key] = args["status"]
        if not args["status"]:
            del space.statuses[key]
        return {}

    def _set_title(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        self.titles[channel.channel_id, args["thread_ts"]] = args["title"]
        return {}

    def _set_prompts(self, space: Workspace, args: Json) -> Json:
        joined_channel(space, args)
        if not 1 <= len(args.get("prompts") or []) <= 4:
            raise RefusalError("invalid_arguments")
        self.suggested_prompts.append(dict(args))
        return {}

    def _session_status(self, space: Workspace, args: Json) -> Json:
        if not space.has_agents:
            raise RefusalError("not_an_agent")
        channel = joined_channel(space, args)
        if args.get("status") not in SESSION_STATES or not args.get("thread_ts"):
            raise RefusalError("invalid_arguments")
        session = space.sessions.setdefault((channel.channel_id, args["thread_ts"]), {})
        session["status"] = args["status"]
        session.setdefault("title", args.get("title", ""))
        warning = (
            {}
            if self.has_stop_event
            else {"warning": "missing_agent_session_stopped_event_subscription"}
        )
        return {**session, **warning}

    def _session_rename(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        session = space.sessions.get((channel.channel_id, args.get("thread_ts", "")))
        if session is None:
            raise RefusalError("session_not_found")
        session["title"] = args["title"]
        return dict(session)

    def _replies(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        messages = space.thread(channel.channel_id, args.get("ts", ""))
        if not messages:
            raise RefusalError("thread_not_found")
        return _page(messages, args)

    def _history(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        top = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
        return _page(top[::-1], args)

    def _conversation(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        return {
            "channel": {
                "id": channel.channel_id,
                "name": channel.name,
                "is_im": channel.kind == "im",
                "is_member": True,
            }
        }

    def _open_direct(self, space: Workspace, args: Json) -> Json:
        users = args.get("users", "")
        if users not in space.people:
            raise RefusalError("user_not_found")
        return {"channel": {"id": space.direct(users).channel_id}}

    def _user(self, space: Workspace, args: Json) -> Json:
        if args.get("user") not in space.people:
            raise RefusalError("user_not_found")
        return {"user": space.people[args["user"]]}

    def _open_view(self, space: Workspace, args: Json) -> Json:
        if not str(args.get("trigger_id", "")).startswith("trigger-"):
            raise RefusalError("invalid_trigger_id")
        check_view(args.get("view"))
        view = {**args["view"], "id": space.next_id("V"), "team_id": space.team_id}
        space.views[view["id"]] = view
        return {"view": view}

    def _update_view(self, space: Workspace, args: Json) -> Json:
        check_view(args.get("view"))
        if args.get("view_id") not in space.views:
            raise RefusalError("not_found")
        space.views[args["view_id"]].update(args["view"])
        return {"view": space.views[args["view_id"]]}

    def _publish_home(self, space: Workspace, args: Json) -> Json:
        check_view(args.get("view"))
        space.home[args["user_id"]] = args["view"]
        return {"view": args["view"]}

    def _upload_url(self, space: Workspace, args: Json) -> Json:
        if not args.get("filename") or int(args.get("length") or 0) <= 0:
            raise RefusalError("invalid_arguments")
        file = File(space.next_id("F"), args["filename"], "text/plain", b"", is_shared=False)
        space.files[file.file_id] = file
        url = f"{self._base_url()}/upload/v1/{space.team_id}/{file.file_id}"
        return {"upload_url": url, "file_id": file.file_id}

    def _complete_upload(self, space: Workspace, args: Json) -> Json:
        files = [space.files.get(f["id"]) for f in args.get("files") or []]
        known = [f for f in files if f is not None and f.content]
        if not known or len(known) != len(files):
            raise RefusalError("file_not_found")
        if not args.get("channel_id"):  # private until a message shows it
            return {"files": [{"id": f.file_id, "title": f.name} for f in known]}
        channel = joined_channel(space, {"channel": args.get("channel_id")})
        message = {
            "user": space.bot_user_id,
            "bot_id": space.bot_id,
            "text": args.get("initial_comment", ""),
            "files": [{"id": f.file_id, "name": f.name} for f in known],
        }
        if args.get("thread_ts"):
            message["thread_ts"] = args["thread_ts"]
        space.post(channel, message)
        for file in known:
            file.is_shared = True
        return {"files": [{"id": f.file_id, "title": f.name} for f in known]}

    def _react(self, space: Workspace, args: Json) -> Json:
        channel = joined_channel(space, args)
        reaction = (channel.channel_id, args["timestamp"], args["name"])
        if reaction in self.reactions:
            raise RefusalError("already_reacted")
        self.reactions.append(reaction)
        return {}


def _page(messages: list[Json], args: Json) -> Json:
    oldest, latest = args.get("oldest") or "0", args.get("latest") or "9"
    parent = messages[:1] if args.get("ts") else []
    messages = parent + [m for m in messages[len(parent) :] if oldest <= m["ts"] < latest]
    limit = min(int(args.get("limit") or 100), 1_000)
    start = int(args.get("cursor") or 0)
    page = messages[start : start + limit]
    has_more = start + limit < len(messages)
    cursor = {"next_cursor": str(start + limit) if has_more else ""}
    return {"messages": page, "has_more": has_more, "response_metadata": cursor}
