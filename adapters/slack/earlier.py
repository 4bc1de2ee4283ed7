"""Reads a thread that people began, once, when Parley is first asked in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from adapters.slack import inbound
from adapters.slack.inbound import Event
from adapters.slack.workspaces import Workspace
from bot.errors import DeliveryError
from bot.inbox import Inbox
from bot.messages import IncomingMessage

logger = logging.getLogger(__name__)

READ_S = 2.0
OWN_APP_LIMIT = 200
"""Messages read of a thread by an app that a team installed for itself."""
SHARED_APP_LIMIT = 15
"""What Slack allows apps that are shared by many workspaces."""
_CUT = "(This thread is longer: what was said here in between was not read.)"
_UNREAD = "(What was said earlier in this thread could not be read.)"


async def read_earlier(event: Event, workspace: Workspace, *, inbox: Inbox, limit: int) -> None:
    """Keep what stands above a message as context, marked where it is cut off."""
    try:
        async with asyncio.timeout(READ_S):
            answer = await workspace.api.call(
                "conversations.replies",
                channel=event["channel"],
                ts=inbound.thread_ts(event),
                latest=event["ts"],
                limit=limit,
            )
    except (DeliveryError, TimeoutError) as error:
        logger.info("a thread could not be read", extra={"error": str(error)})
        await inbox.accept(_mark(event, workspace, _UNREAD))
        return
    for message in answer["messages"]:
        is_own = message.get("bot_id") == workspace.bot_id
        is_said = message.get("text") and not inbound.is_tombstone(message)
        if message["ts"] < str(event["ts"]) and not is_own and is_said:
            await inbox.accept(await _to_context(message, event, workspace))
    if answer.get("has_more"):
        await inbox.accept(_mark(event, workspace, _CUT))


async def _to_context(
    message: Mapping[str, Any], event: Event, workspace: Workspace
) -> IncomingMessage:
    user_id = str(message.get("user") or message.get("bot_id") or "unknown")
    placed = {
        **message,
        "user": user_id,
        "channel": event["channel"],
        "thread_ts": inbound.thread_ts(event),
        "files": (),
    }
    ids = inbound.mentioned(str(message["text"])) - {workspace.bot_user_id}
    names = {each: (await workspace.people.find(each)).name for each in sorted(ids)}
    if message.get("user"):
        names[user_id] = (await workspace.people.find(user_id)).name
    else:
        names[user_id] = str(message.get("username") or "another app")
    return inbound.to_incoming(
        placed,
        team_id=workspace.team_id,
        bot_user_id=workspace.bot_user_id,
        names=names,
        is_addressed=False,
    )


def _mark(event: Event, workspace: Workspace, text: str) -> IncomingMessage:
    """A sentence in the history, just before the question."""
    message_id = inbound.to_message_id(str(event["channel"]), str(event["ts"]))
    return IncomingMessage(
        key=inbound.to_key(event, workspace.team_id),
        message_id=f"{message_id}:mark",
        author_id="slack",
        author_name="Slack",
        text=text,
        sent_at=inbound.sent_at(str(event["ts"])),
        is_addressed=False,
    )
