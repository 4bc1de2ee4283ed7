"""What is done for a person beside answering messages: commands, shortcuts, Home, settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.context.respond.async_respond import AsyncRespond

from adapters.slack import inbound, lost, views
from adapters.slack.commands import NO_QUESTION, NO_THREAD_HERE, NOTHING_HERE, SlashLine, to_line
from adapters.slack.errors import UncertainError
from adapters.slack.files import SlackFiles
from adapters.slack.formatting import without_pings
from adapters.slack.inbound import PLATFORM
from adapters.slack.rules import Rules
from adapters.slack.workspaces import Workspace
from bot.budget import limits_for
from bot.catalog import Catalog
from bot.errors import EmptyPromptError, NotAllowedError, PromptError, SettingError
from bot.inbox import Inbox
from bot.messages import IncomingMessage
from bot.periods import Span
from bot.pictures import Card
from bot.ports import Clock, Store
from bot.quotes import quoted
from bot.reporting import Reporter
from bot.settings import SettingChange, Settings, parse_setting, to_scope_ids
from bot.spend import Where
from bot.spend_text import to_card, to_text
from bot.tags import with_tag

ADMINS_ONLY = "Only an admin of this workspace can change settings."
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash command as it came."""

    command: str
    text: str
    channel_id: str
    user_id: str
    trigger_id: str
    response_url: str
    channel_name: str

    @classmethod
    def of(cls, body: Body) -> Slash:
        """Read from Slack's payload."""
        names = (
            "command",
            "text",
            "channel_id",
            "user_id",
            "trigger_id",
            "response_url",
            "channel_name",
        )
        return cls(*(str(body.get(name) or "") for name in names))


class Desk:
    """Serves one person at a time, in any workspace."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        store: Store,
        clock: Clock,
        catalog: Callable[[], Catalog],
        files: SlackFiles,
        rules: Rules,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._files = files
        self._rules = rules
        self._reporter = Reporter(store, catalog, clock, instance_caps=rules.instance_caps)

    async def take(self, slash: Slash, workspace: Workspace) -> None:
        """Take a slash command: a question is asked for all to see, the rest is between us."""
        line = to_line(slash.command, slash.text)
        if line.text == "/settings" and await self._rules.is_admin(slash.user_id, workspace):
            await self.open_settings(slash.trigger_id, slash.channel_id, workspace)
        elif line.text == "/forget":
            raise PromptError(NO_THREAD_HERE)
        elif line.text == "/stop":
            raise PromptError(NOTHING_HERE)
        elif line.is_private:
            await self._answer_privately(line, slash, workspace)
        else:
            await self._ask(line, slash, workspace)

    async def ask_about(self, body: Body, workspace: Workspace) -> None:
        """Answer the message that a shortcut was used on, in its thread, its files read."""
        message, callback_id = body["message"], str(body["callback_id"])
        user_id = str(body["user"]["id"])
        tag = "@heavy" if callback_id.endswith("heavier") else ""
        event = {
            **message,
            "user": user_id,
            "channel": str(body["channel"]["id"]),
            "text": str(message.get("text") or ""),
        }
        incoming = await self._to_incoming(event, workspace)
        message_id = f"{incoming.message_id}:{callback_id}:{user_id}"
        text = with_tag(quoted(await _author(message, workspace), incoming.text), tag)
        await self._inbox.accept(
            replace(
                incoming,
                message_id=message_id,
                sent_at=self._clock.now(),
                text=text if incoming.text or incoming.attachments else "",
                attachments=await self._files.read(incoming.attachments, workspace.token),
            )
        )

    async def suggest(
        self, channel_id: str, prompts: Mapping[str, str], workspace: Workspace
    ) -> None:
        """Offer first questions in the Messages tab."""
        await workspace.api.call(
            "assistant.threads.setSuggestedPrompts",
            channel_id=channel_id,
            prompts=[{"title": title, "message": text} for title, text in prompts.items()],
        )

    async def show_home(self, user_id: str, workspace: Workspace) -> None:
        """Show the Home tab as things stand."""
        key = inbound.place_key(workspace.team_id, "")
        settings = await self._store.settings(key)
        limits = limits_for(key, user_id, settings, self._rules.instance_caps, self._clock.now())
        is_admin = await self._rules.is_admin(user_id, workspace)
        month, week = await self._spend(user_id, workspace, settings, is_admin=is_admin)
        facts = views.HomeFacts(
            spend=month,
            week=week,
            catalog=self._catalog(),
            budgets=await self._store.states(limits),
            settings=await self._store.settings_of(to_scope_ids(key)[0]),
            is_admin=is_admin,
        )
        await workspace.api.call("views.publish", user_id=user_id, view=views.home_view(facts))

    async def _spend(
        self, user_id: str, workspace: Workspace, settings: Settings, *, is_admin: bool
    ) -> tuple[str, Card]:
        """This month in words and this week as bars: the workspace's for admins, else one's own."""
        where = Where(
            platform=PLATFORM,
            workspace_id=workspace.team_id,
            user_id=None if is_admin else user_id,
        )
        month = await self._reporter.report((where,), Span.MONTH, settings.zone)
        week = await self._reporter.report((where,), Span.WEEK, settings.zone)
        names = await self._reporter.names(where, month)
        return to_text(month, names, with_users=is_admin), to_card(week)

    async def open_home_settings(self, trigger_id: str, user_id: str, workspace: Workspace) -> None:
        """Open the workspace's settings from the Home tab; its button is shown to admins."""
        if not await self._rules.is_admin(user_id, workspace):
            raise NotAllowedError(ADMINS_ONLY)
        await self.open_settings(trigger_id, "", workspace)

    async def open_settings(self, trigger_id: str, channel_id: str, workspace: Workspace) -> None:
        """Open the settings of a channel, or of the workspace when none is named."""
        scope_ids = to_scope_ids(inbound.place_key(workspace.team_id, channel_id))
        scope_id = scope_ids[1] if channel_id else scope_ids[0]
        where = "this channel" if channel_id else "this workspace"
        modal = views.settings_modal(scope_id, where, await self._store.settings_of(scope_id))
        await workspace.api.call("views.open", trigger_id=trigger_id, view=modal)

    async def save_settings(self, view: Body, user_id: str, workspace: Workspace) -> dict[str, str]:
        """Keep what was changed in the modal; what is wrong with each field instead."""
        scope_id = str(view["private_metadata"])
        own_scope = f"{PLATFORM}/{workspace.team_id}"
        if not (scope_id == own_scope or scope_id.startswith(f"{own_scope}/")):
            raise NotAllowedError
        wanted = views.submitted(view)
        if not await self._rules.is_admin(user_id, workspace):
            return dict.fromkeys(list(wanted)[:1], ADMINS_ONLY)
        current = await self._store.settings_of(scope_id)
        changed = {n: value for n, value in wanted.items() if value != current.get(n)}
        faults = _faults(changed)
        for name, value in changed.items() if not faults else ():
            at = self._clock.now()
            await self._store.set_setting(
                SettingChange(scope_id=scope_id, name=name, after=value, user_id=user_id, at=at)
            )
        return faults

    async def _answer_privately(self, line: SlashLine, slash: Slash, workspace: Workspace) -> None:
        person = await workspace.people.find(slash.user_id)
        await self._inbox.accept(
            IncomingMessage(
                key=inbound.place_key(workspace.team_id, slash.channel_id),
                message_id=f"{slash.channel_id}:command:{slash.trigger_id}",
                author_id=slash.user_id,
                author_name=person.name,
                text=line.text,
                sent_at=self._clock.now(),
                is_admin=await self._rules.is_admin(slash.user_id, workspace),
                workspace_name=workspace.name,
                channel_name=inbound.to_channel_name(slash.channel_id, slash.channel_name),
                anchor={"response_url": slash.response_url},
            )
        )

    async def _ask(self, line: SlashLine, slash: Slash, workspace: Workspace) -> None:
        """Post the question, and answer it in the thread below."""
        if not line.text:
            raise EmptyPromptError(NO_QUESTION)
        channel_id, ts = await self._posted(line, slash, workspace)
        event = {"user": slash.user_id, "ts": ts, "channel": channel_id, "text": line.text}
        await self._inbox.accept(await self._to_incoming(event, workspace))

    async def _posted(self, line: SlashLine, slash: Slash, workspace: Workspace) -> tuple[str, str]:
        """Channel and timestamp of a question as posted, also when Slack did not confirm it.

        Raises UncertainError when it is not there.
        """
        post_id, since = f"asked:{slash.trigger_id}", self._clock.now()
        try:
            answer = await workspace.api.call(
                "chat.postMessage",
                channel=slash.channel_id,
                text=f"<@{slash.user_id}> {without_pings(line.asked)}",
                metadata=lost.to_metadata(post_id),
                unfurl_links=False,
            )
        except UncertainError:
            await asyncio.sleep(lost.LATE_S)
            ts = await lost.find_in_channel(workspace, slash.channel_id, post_id, since)
            if not ts:
                raise
            return slash.channel_id, ts
        return str(answer["channel"]), str(answer["ts"])

    async def _to_incoming(self, event: Body, workspace: Workspace) -> IncomingMessage:
        user_id = str(event["user"])
        ids = {user_id, *inbound.mentioned(str(event["text"]))} - {workspace.bot_user_id}
        names = {each: (await workspace.people.find(each)).name for each in sorted(ids)}
        return inbound.to_incoming(
            event,
            team_id=workspace.team_id,
            bot_user_id=workspace.bot_user_id,
            names=names,
            is_addressed=True,
            is_admin=await self._rules.is_admin(user_id, workspace),
        )


async def _author(message: Mapping[str, Any], workspace: Workspace) -> str:
    """Who wrote a message: a person, or an app by the name that it gives itself."""
    if user_id := str(message.get("user") or ""):
        return (await workspace.people.find(user_id)).name
    return str(message.get("username") or "another app")


async def say(respond: AsyncRespond | None, text: str) -> None:
    """Tell one person, where Slack has given us a way to."""
    if respond is not None and respond.response_url is not None:
        in_slacks_own = text.replace("**", "*")
        await respond(text=in_slacks_own, response_type="ephemeral", replace_original=False)


def _faults(changed: Mapping[str, str | None]) -> dict[str, str]:
    faults = {}
    for name, value in changed.items():
        try:
            if value is not None:
                parse_setting(name, value)
        except SettingError as error:
            faults[name] = str(error)
    return faults
