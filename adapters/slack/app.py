"""Slack's events, commands and presses, each handed to the part that deals with it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Mapping
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import views
from adapters.slack.arrivals import Arrivals, TooSlowError
from adapters.slack.desk import Desk, Slash, say
from adapters.slack.inbound import place_key
from adapters.slack.manifest import PROMPTS, SHORTCUTS, SLASH_COMMANDS
from adapters.slack.presses import to_press
from adapters.slack.workspaces import Workspace, Workspaces
from bot.errors import BotError
from bot.inbox import Inbox
from bot.ports import Store
from bot.presses import act

logger = logging.getLogger(__name__)

APOLOGY = "Something went wrong on my side. It has been noted; please try again."
Body = Mapping[str, Any]


class _Authorize(AsyncAuthorize):
    """Tells bolt who the app is in a workspace."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def __call__(
        self, *, team_id: str | None, enterprise_id: str | None, **_: object
    ) -> AuthorizeResult | None:
        """Who the app is there; None where it is not installed."""
        workspace = await self._workspaces.find(team_id or "", enterprise_id or "")
        if workspace is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=workspace.team_id,
            bot_user_id=workspace.bot_user_id,
            bot_id=workspace.bot_id,
            bot_token=workspace.token,
        )


class SlackApp:
    """Listens through bolt. An event is acknowledged only after what matters of it is kept."""

    def __init__(
        self,
        *,
        workspaces: Workspaces,
        inbox: Inbox,
        store: Store,
        arrivals: Arrivals,
        desk: Desk,
    ) -> None:
        self._workspaces = workspaces
        self._inbox = inbox
        self._store = store
        self._arrivals = arrivals
        self._desk = desk
        self._tasks: set[asyncio.Task[None]] = set()

    def build(self, client: AsyncWebClient, signing_secret: str) -> AsyncApp:
        """The bolt app. It is told who it is here, so that nothing in the environment counts."""
        # Without a logger of ours bolt takes the level of the root's, and tells whole messages.
        log = logging.getLogger("slack_bolt.AsyncApp")
        log.addFilter(_is_ours_to_know)
        app = AsyncApp(
            logger=log,
            client=client,
            signing_secret=signing_secret,
            authorize=_Authorize(self._workspaces),  # type: ignore[arg-type]  # an AsyncAuthorize is taken too
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
        app.event("message")(self._on_message)
        app.event("app_mention")(self._on_message)
        app.event("app_home_opened")(self._on_home)
        app.event("agent_session_stopped")(self._on_session_stopped)
        app.event("app_uninstalled")(self._on_removed)
        app.event("tokens_revoked")(self._on_removed)
        app.event(re.compile(".*"))(self._on_other)
        for command in SLASH_COMMANDS:
            app.command(command)(self._on_command)
        for callback_id in SHORTCUTS:
            app.shortcut(callback_id)(self._on_shortcut)
        app.view(views.SETTINGS_VIEW)(self._on_settings)
        app.action(views.SETTINGS_BUTTON)(self._on_settings_button)
        app.action(re.compile("^parley_"))(self._on_press)
        app.error(self._on_error)
        return app

    async def close(self) -> None:
        """Wait for what was acknowledged and is not done yet."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._arrivals.close()

    async def _workspace(self, context: AsyncBoltContext) -> Workspace:
        workspace = await self._workspaces.find(context.team_id or "", context.enterprise_id or "")
        assert workspace is not None  # else bolt would not have let it in
        return workspace

    async def _on_message(self, event: Body, context: AsyncBoltContext) -> None:
        await self._arrivals.hear(event, await self._workspace(context))

    async def _on_home(self, event: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        user_id, tab = str(event["user"]), event.get("tab")
        if tab == "messages":
            self._later(self._desk.suggest(str(event["channel"]), PROMPTS, workspace))
        elif tab == "home":
            self._later(self._desk.show_home(user_id, workspace))

    async def _on_session_stopped(self, event: Body, context: AsyncBoltContext) -> None:
        thread_ts = str(event.get("thread_ts") or "")
        key = place_key(context.team_id or "", str(event["channel"]), thread_ts)
        await self._arrivals.stop_in(key)

    async def _on_removed(self, body: Body) -> None:
        team_id, enterprise_id = (
            str(body.get("team_id") or ""),
            str(body.get("enterprise_id") or ""),
        )
        tokens = body["event"].get("tokens")
        if tokens is None or tokens.get("bot"):
            await self._workspaces.forget(team_id, enterprise_id)
            logger.warning("the app was removed from a workspace", extra={"team_id": team_id})

    async def _on_other(self, event: Body) -> None:
        logger.debug("nothing to do", extra={"type": event.get("type")})

    async def _on_command(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        workspace = await self._workspace(context)
        self._later(self._desk.take(Slash.of(body), workspace), context.respond)
        return BoltResponse(status=200, body="")

    async def _on_shortcut(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        workspace = await self._workspace(context)
        self._later(self._desk.ask_about(body, workspace), context.respond)
        return BoltResponse(status=200, body="")

    async def _on_press(self, body: Body, action: Body, context: AsyncBoltContext) -> BoltResponse:
        press, respond = to_press(body, action), context.respond

        async def work() -> None:
            if said := await act(press, self._inbox, self._store):
                await say(respond, said)

        self._later(work(), respond)
        return BoltResponse(status=200, body="")

    async def _on_settings_button(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        workspace = await self._workspace(context)
        trigger_id, user_id = str(body["trigger_id"]), str(body["user"]["id"])
        self._later(self._desk.open_home_settings(trigger_id, user_id, workspace))
        return BoltResponse(status=200, body="")

    async def _on_settings(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        workspace = await self._workspace(context)
        faults = await self._desk.save_settings(body["view"], str(body["user"]["id"]), workspace)
        if faults:
            return await context.ack(response_action="errors", errors=faults)
        return BoltResponse(status=200, body="")

    def _later(self, work: Coroutine[Any, Any, None], respond: AsyncRespond | None = None) -> None:
        """Do it after the acknowledgement; a failure is told to the person who asked."""
        task = asyncio.create_task(_guarded(work, respond))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _on_error(self, error: Exception, body: Body) -> BoltResponse:
        """Not acknowledged: Slack sends an event again, and what was kept is not kept twice."""
        if not isinstance(error, TooSlowError):
            kind = (body.get("event") or body).get("type", "")
            logger.error("a request of slack's failed", extra={"kind": kind}, exc_info=error)
        return BoltResponse(status=503, body="")


def _is_ours_to_know(record: logging.LogRecord) -> bool:
    """Bolt warns that SLACK_BOT_TOKEN in the environment is not used; it is, by us."""
    return not record.getMessage().startswith("As you gave `client` as well")


async def _guarded(work: Coroutine[Any, Any, None], respond: AsyncRespond | None) -> None:
    """The edge of what goes on after an acknowledgement."""
    try:
        await work
    except BotError as error:
        logger.info("slack work was refused", extra={"error": type(error).__name__})
        await say(respond, str(error))
    except Exception:
        logger.exception("slack work failed")
        await say(respond, APOLOGY)
