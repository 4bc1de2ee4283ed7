"""Takes in what people write: once, in order within a thread, kept before it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from adapters.slack import inbound
from adapters.slack.earlier import read_earlier
from adapters.slack.files import SlackFiles
from adapters.slack.inbound import PLATFORM, Event
from adapters.slack.rules import Rules
from adapters.slack.workspaces import Workspace
from bot.inbox import Inbox
from bot.messages import ConversationKey, IncomingMessage
from bot.ports import Store

logger = logging.getLogger(__name__)

PATIENCE_S = 2.5
"""Of the three seconds that Slack waits for an acknowledgement."""
SLACKBOT = "USLACKBOT"
REMEMBERED = 5_000
"""Messages known without asking the store; a mention comes as two events."""


class TooSlowError(Exception):
    """Not kept yet, so not to be acknowledged; Slack will send it again."""


class Arrivals:
    """Hears messages, edits and deletions."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        store: Store,
        files: SlackFiles,
        rules: Rules,
        earlier_limit: int,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._files = files
        self._rules = rules
        self._earlier_limit = earlier_limit
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._taken: dict[str, None] = {}
        self._tails: dict[str, asyncio.Task[bool]] = {}

    async def hear(self, event: Event, workspace: Workspace) -> None:
        """Take an event in; returns when all that matters of it is kept.

        Raises TooSlowError when that takes too long; the same event may come again meanwhile.
        """
        if (ts := inbound.deleted_ts(event)) is not None:
            await self._inbox.withdraw(PLATFORM, inbound.to_message_id(event["channel"], ts))
        elif event.get("subtype") == "message_changed":
            await self._amend(event, workspace)
        elif inbound.is_from_person(event) and event["user"] not in (
            SLACKBOT,
            workspace.bot_user_id,
        ):
            await self._in_time(event, workspace)

    async def close(self) -> None:
        """Wait for what is being taken in."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _in_time(self, event: Event, workspace: Workspace) -> None:
        """One task for each message, however often and as whatever event it comes."""
        message_id = inbound.to_message_id(event["channel"], event["ts"])
        if message_id in self._taken:
            return
        task = self._running.get(message_id)
        if task is None:
            task = asyncio.create_task(self._take(event, workspace), name=f"take {message_id}")
            self._running[message_id] = task
            task.add_done_callback(lambda _: self._running.pop(message_id, None))
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if not done:
            raise TooSlowError
        if task.result():
            self._taken[message_id] = None
        if len(self._taken) > REMEMBERED:
            del self._taken[next(iter(self._taken))]

    async def _take(self, event: Event, workspace: Workspace) -> bool:
        """Whether it was for us; a mention can still be written into one that was not."""
        key = inbound.to_key(event, workspace.team_id)
        thread, task = str(key), asyncio.current_task()
        assert task is not None
        before = self._tails.get(thread)
        self._tails[thread] = task
        try:
            if before is not None:  # it may be what makes this thread ours
                await asyncio.wait({before})
            incoming = await self._translate(event, workspace)
            if incoming is None:
                return False
            await self._inbox.accept(incoming)
            return True
        finally:
            if self._tails.get(thread) is task:
                del self._tails[thread]

    async def _translate(self, event: Event, workspace: Workspace) -> IncomingMessage | None:
        """The message, its files read; None when it is not for us at all."""
        heard = inbound.to_heard(event, workspace.bot_user_id)
        key = inbound.to_key(event, workspace.team_id)
        takes_part = heard.is_in_thread and await self._store.takes_part(key)
        is_addressed = heard.is_addressed(takes_part=takes_part)
        if not is_addressed and not takes_part:
            return None
        user_id = str(event["user"])
        author = await workspace.people.find(user_id)
        if author.is_bot:
            return None
        if heard.is_in_thread and not takes_part and not heard.is_direct:
            await read_earlier(event, workspace, inbox=self._inbox, limit=self._earlier_limit)
        incoming = inbound.to_incoming(
            event,
            team_id=workspace.team_id,
            bot_user_id=workspace.bot_user_id,
            names=await _names(event, workspace),
            is_addressed=is_addressed,
            is_admin=await self._rules.is_admin(user_id, workspace),
        )
        read = await self._files.read(incoming.attachments, workspace.token)
        return replace(incoming, attachments=read, workspace_name=workspace.name)

    async def stop_in(self, key: ConversationKey) -> int:
        """Stop every answer that is under way in a thread; how many there were."""
        return sum([await self._inbox.stop(each) for each in await self._store.going(key)])

    async def _amend(self, event: Event, workspace: Workspace) -> None:
        """Take an edit by a person; Slack sends the same event for previews of links."""
        message, before = event["message"], event.get("previous_message") or {}
        is_edit = "edited" in message and message.get("text") != before.get("text")
        if not is_edit or not inbound.is_from_person(message):
            return
        names = await _names(message, workspace)
        await self._inbox.amend(
            PLATFORM,
            inbound.to_message_id(event["channel"], message["ts"]),
            inbound.to_text(str(message["text"]), workspace.bot_user_id, names),
        )


async def _names(event: Event, workspace: Workspace) -> dict[str, str]:
    ids = inbound.mentioned(str(event.get("text") or "")) | {str(event["user"])}
    known = sorted(ids - {workspace.bot_user_id})
    people = await asyncio.gather(*(workspace.people.find(user_id) for user_id in known))
    return {user_id: person.name for user_id, person in zip(known, people, strict=True)}
