"""The Slack workspaces that Parley is installed in: whose token, which bot user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import SlackRefusalError
from adapters.slack.pace import Pace
from adapters.slack.people import People
from adapters.slack.web_api import TIMEOUT_S, WebApi
from bot.ports import Clock

SLACK_API = "https://slack.com/api/"


@dataclass(slots=True)
class Workspace:
    """One workspace; what Slack refused there once is not tried again until a restart."""

    team_id: str
    name: str
    bot_user_id: str
    bot_id: str
    token: str
    api: WebApi
    people: People
    off: set[str] = field(default_factory=set)
    """Methods that Slack does not offer here."""
    edited: int = 0
    """Answers that are previewed by edits at the moment."""


class Workspaces(Protocol):
    """Finds the workspace an event or a turn belongs to."""

    async def find(self, team_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace, when the app is installed there."""

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """The app was removed from a workspace, or its token revoked."""


class Clients:
    """Makes Web API clients that share one connection pool."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, api_base: str) -> None:
        self.session = session
        self._clock = clock
        self._api_base = api_base or SLACK_API

    def client(self, token: str | None) -> AsyncWebClient:
        """A client for one token; pacing and second tries are ours, so it has none."""
        return AsyncWebClient(
            token=token, base_url=self._api_base, session=self.session, retry_handlers=[]
        )

    def api(self, token: str) -> WebApi:
        """The Web API with one token and budgets of its own."""
        return WebApi(self.client(token), self.session, Pace(self._clock.elapsed_s))

    def workspace(self, token: str, known: dict[str, Any]) -> Workspace:
        """A workspace from what auth.test or an installation says of it."""
        api = self.api(token)
        return Workspace(
            team_id=str(known["team_id"]),
            name=str(known.get("team") or ""),
            bot_user_id=str(known["user_id"]),
            bot_id=str(known["bot_id"]),
            token=token,
            api=api,
            people=People(api, self._clock),
        )


@asynccontextmanager
async def open_clients(
    clock: Clock, api_base: str, trace: aiohttp.TraceConfig | None = None
) -> AsyncIterator[Clients]:
    """Clients for as long as the connection pool is open."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=100)
    async with aiohttp.ClientSession(
        timeout=timeout,
        connector=connector,
        trust_env=True,
        trace_configs=[trace] if trace else None,
    ) as session:
        yield Clients(session, clock, api_base)


class OneWorkspace:
    """The single workspace of a bot token."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace: Workspace | None = workspace

    async def find(self, team_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace, unless the token was revoked or the event is another's."""
        workspace = self._workspace
        return workspace if workspace and workspace.team_id in (team_id, enterprise_id) else None

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """Stop answering; a new token needs a restart."""
        self._workspace = None


async def connect_one(clients: Clients, token: str) -> Workspace:
    """Ask Slack who this token is; raises SlackRefusalError when Slack does not accept it."""
    known = await clients.api(token).call("auth.test")
    if not known.get("bot_id"):
        raise SlackRefusalError("not_a_bot", "SLACK_BOT_TOKEN must be a bot token (xoxb-…).")
    return clients.workspace(token, known)
