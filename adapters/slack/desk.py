"""What is done for a person beside answering messages: commands, shortcuts, Home, settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from slack_bolt.context.respond.async_respond import AsyncRespond

from adapters.slack import inbound, views
from adapters.slack.commands import Command, Commands, to_place_key
from adapters.slack.formatting import without_pings
from adapters.slack.inbound import PLATFORM
from adapters.slack.posts import Place
from adapters.slack.workspaces import Workspace
from bot.budget import limits_for
from bot.catalog import Catalog
from bot.errors import EmptyPromptError, NotAllowedError, SettingError
from bot.inbox import Inbox
from bot.messages import IncomingMessage
from bot.ports import Clock, Store
from bot.settings import parse_setting, to_scope_ids

ADMINS_ONLY = "Only an admin of this workspace can change settings."
Body = Mapping[str, Any]


class Rules:
    """Who may change settings, and the cap of the instance."""

    def __init__(self, admins: Collection[str], instance_cap: int | None) -> None:
        self._admins = admins
        self.instance_cap = instance_cap

    async def is_admin(self, user_id: str, workspace: Workspace) -> bool:
        """Slack's admins and owners, and those of the configuration."""
        if f"{PLATFORM}:{user_id}" in self._admins:
            return True
        return (await workspace.people.find(user_id)).is_admin


class Desk:
    """Serves one person at a time, in any workspace."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        store: Store,
        commands: Commands,
        clock: Clock,
        catalog: Callable[[], Catalog],
        rules: Rules,
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._commands = commands
        self._clock = clock
        self._catalog = catalog
        self._rules = rules

    async def run(
        self, command: Command, place: Place, workspace: Workspace, respond: AsyncRespond | None
    ) -> None:
        """Answer a slash command, for the one person to see."""
        text = await self._commands.answer(
            command,
            place,
            is_admin=await self._rules.is_admin(place.user_id, workspace),
            workspace_id=workspace.team_id,
        )
        await say(respond, text)

    async def ask(
        self,
        command: Command,
        channel_id: str,
        user_id: str,
        workspace: Workspace,
        respond: AsyncRespond | None,
    ) -> None:
        """Post the question of a slash command, and answer it in the thread below."""
        if not command.rest:
            raise EmptyPromptError("Write your question after the command: `/parley ask …`.")
        answer = await workspace.api.call(
            "chat.postMessage",
            channel=channel_id,
            text=f"<@{user_id}> asks: {without_pings(command.rest)}",
            unfurl_links=False,
        )
        event = {
            "user": user_id,
            "ts": str(answer["ts"]),
            "channel": str(answer["channel"]),
            "text": command.rest,
        }
        await self._inbox.accept(await self._to_incoming(event, workspace))

    async def ask_about(self, body: Body, workspace: Workspace) -> None:
        """Answer the message that a shortcut was used on, in its thread."""
        message, callback_id = body["message"], str(body["callback_id"])
        user_id = str(body["user"]["id"])
        tag = "@heavy " if callback_id.endswith("heavier") else ""
        event = {
            **message,
            "user": user_id,
            "channel": str(body["channel"]["id"]),
            "text": f"{tag}{message.get('text') or ''}",
        }
        incoming = await self._to_incoming(event, workspace)
        await self._inbox.accept(
            IncomingMessage(
                key=incoming.key,
                message_id=f"{incoming.message_id}:{callback_id}:{user_id}",
                author_id=incoming.author_id,
                author_name=incoming.author_name,
                text=incoming.text,
                sent_at=self._clock.now(),
                is_admin=incoming.is_admin,
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
        key = to_place_key(Place("", "", user_id), workspace.team_id)
        settings = await self._store.settings(key)
        limits = limits_for(key, user_id, settings, self._rules.instance_cap, self._clock.now())
        view = views.home_view(
            catalog=self._catalog(),
            budgets=await self._store.states(limits),
            settings=await self._store.settings_of(f"{PLATFORM}/{workspace.team_id}"),
            is_admin=await self._rules.is_admin(user_id, workspace),
        )
        await workspace.api.call("views.publish", user_id=user_id, view=view)

    async def open_settings(
        self, *, trigger_id: str, place: Place, workspace: Workspace, respond: AsyncRespond | None
    ) -> None:
        """Open the settings of a channel, or of the workspace from the Home tab."""
        if not await self._rules.is_admin(place.user_id, workspace):
            await self.run(Command("settings"), place, workspace, respond)
            return
        workspace_scope = f"{PLATFORM}/{workspace.team_id}"
        key = to_place_key(place, workspace.team_id)
        scope_id = to_scope_ids(key)[1] if place.channel_id else workspace_scope
        where = "this channel" if place.channel_id else "this workspace"
        current = await self._store.settings_of(scope_id)
        modal = views.settings_modal(scope_id, where, current)
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
            await self._commands.change(scope_id, name, value, user_id)
        return faults

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
