"""Runs the Slack side: connects, stays connected, and says what to do when it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from slack_bolt.adapter.starlette.async_handler import (
    to_async_bolt_request,
    to_starlette_response,
)
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.parts import Deliveries, Parts, tell_end
from adapters.settings import AppSettings
from adapters.slack.announcer import SlackAnnouncer
from adapters.slack.app import SlackApp
from adapters.slack.arrivals import Arrivals
from adapters.slack.catchup import CatchUp
from adapters.slack.delivery import DEFAULT_LIMITS, SlackDelivery
from adapters.slack.desk import Desk
from adapters.slack.doorway import Doorway
from adapters.slack.earlier import OWN_APP_LIMIT, SHARED_APP_LIMIT
from adapters.slack.errors import SlackRefusalError, UncertainError
from adapters.slack.files import SlackFiles
from adapters.slack.inbound import PLATFORM
from adapters.slack.installations import (
    InstallationRows,
    Installations,
    InstalledWorkspaces,
    to_cipher,
    to_oauth_flow,
)
from adapters.slack.preview import PreviewLimits
from adapters.slack.rules import Rules
from adapters.slack.sockets import Sockets, open_sockets
from adapters.slack.workspaces import (
    Clients,
    OneWorkspace,
    Workspace,
    Workspaces,
    connect_one,
    open_clients,
)
from bot.errors import ConfigurationError, DeliveryError
from bot.ports import Sink
from bot.turns import Turn

logger = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
RETRY_S = (1, 2, 5, 10, 30, 60)
CONNECT_WITHIN_S = 30.0
BAD_TOKEN = (
    "Slack refused SLACK_BOT_TOKEN. Copy the Bot User OAuth Token from your app's page, OAuth & "
    "Permissions, at https://api.slack.com/apps into .env, and start again."
)
BAD_APP_TOKEN = (
    "Slack refused SLACK_APP_TOKEN. Make an app-level token with connections:write on your app's "
    "page, Basic Information, at https://api.slack.com/apps, put it into .env, and start again."
)
NO_WAY_IN = (
    "Slack has no way in. Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP."
)


class SlackBot:
    """The running Slack side. It delivers what was asked on Slack."""

    def __init__(
        self, parts: Parts, limits: PreviewLimits = DEFAULT_LIMITS, *, hears: bool = True
    ) -> None:
        self._parts = parts
        self._hears = hears
        self._store = parts.store
        self._limits = limits
        self._delivery: SlackDelivery | None = None
        self._http: Doorway | None = None
        self._oauth: AsyncOAuthFlow | None = None
        self._sockets: Sockets | None = None
        self.workspaces: Workspaces | None = None
        self.is_ready = asyncio.Event()

    @property
    def is_http(self) -> bool:
        """Whether Slack sends events to our address, not through sockets."""
        settings = self._parts.settings
        has_secret = bool(settings.slack_signing_secret.get_secret_value())
        return has_secret and not settings.slack_app_token.get_secret_value()

    @property
    def routes(self) -> Sequence[Route]:
        """What a web server has to serve: events, whose signatures are checked, and installs."""
        if not self._hears:
            return []
        events = [Route(EVENTS_PATH, self._serve, methods=["POST"])] if self.is_http else []
        pages = (INSTALL_PATH, REDIRECT_PATH) if self._has_oauth else ()
        return [*events, *(Route(path, self._install, methods=["GET"]) for path in pages)]

    @property
    def _has_oauth(self) -> bool:
        """Whether many workspaces may install the app; one bot token is for one workspace."""
        settings = self._parts.settings
        return has_oauth(settings) and not settings.slack_bot_token.get_secret_value()

    @property
    def is_connected(self) -> bool:
        """Whether Slack knows us and its events can come."""
        can_come = self._sockets is None or self._sockets.is_open
        return self.is_ready.is_set() and can_come

    @property
    def announcer(self) -> SlackAnnouncer | None:
        """What posts where nobody has asked; None until Slack is connected."""
        if self.workspaces is None or not self.is_ready.is_set():
            return None
        return SlackAnnouncer(self.workspaces, self._store, self._parts.clock)

    async def open(self, turn: Turn) -> Sink:
        """A sink for a turn, as soon as Slack has told us who we are."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self.is_ready.wait()
        except TimeoutError as error:
            raise DeliveryError("Slack is not connected.") from error
        assert self._delivery is not None
        return await self._delivery.open(turn)

    async def run(self) -> None:
        """Stay connected; ends only when that is hopeless, and says why in the log."""
        settings = self._parts.settings
        has_way_in = self.is_http or settings.slack_app_token.get_secret_value()
        if self._hears and not has_way_in:
            logger.error(NO_WAY_IN)
            return
        trace = self._parts.http_trace(PLATFORM)
        async with open_clients(self._parts.clock, settings.slack_api_base, trace) as clients:
            try:
                await self._run(clients)
            except ConfigurationError as error:
                logger.error("%s", error)

    async def _run(self, clients: Clients) -> None:
        self.workspaces = workspaces = await self._find_workspaces(clients)
        async with AsyncExitStack() as stack:
            self._delivery = await stack.enter_async_context(
                SlackDelivery(workspaces, self._store, self._parts.clock, self._limits)
            )
            catch_up = await self._hear(workspaces, clients, stack) if self._hears else None
            stack.callback(self.is_ready.clear)
            self.is_ready.set()
            logger.info("Slack is connected")
            if catch_up is not None:
                await catch_up.run()
            await asyncio.Event().wait()

    async def _hear(
        self, workspaces: Workspaces, clients: Clients, stack: AsyncExitStack
    ) -> CatchUp:
        """Take events in; returns what reads on from where they ended last time."""
        files = SlackFiles(clients.session, self._parts.settings.slack_api_base)
        arrivals = self._arrivals(files)
        slack = self._build(workspaces, arrivals, files)
        stack.push_async_callback(slack.close)
        secret = self._parts.settings.slack_signing_secret.get_secret_value()
        await self._listen(slack.build(clients.client(None), secret), clients, stack)
        limit = SHARED_APP_LIMIT if self._has_oauth else OWN_APP_LIMIT
        return CatchUp(workspaces, self._store, arrivals, self._parts.clock, limit)

    async def _find_workspaces(self, clients: Clients) -> Workspaces:
        settings, store = self._parts.settings, self._store
        if not self._has_oauth:
            token = settings.slack_bot_token.get_secret_value()
            return OneWorkspace(await _patiently(clients, token))
        if not isinstance(store, InstallationRows):
            raise TypeError("this store keeps no installations")
        cipher = to_cipher(settings.parley_secret_key.get_secret_value())
        installations = Installations(store, cipher, self._parts.clock)
        client_id = settings.slack_client_id
        secret = settings.slack_client_secret.get_secret_value()
        self._oauth = to_oauth_flow(
            clients, installations, cipher, client_id=client_id, secret=secret
        )
        rotator = AsyncTokenRotator(
            client_id=client_id, client_secret=secret, client=clients.client(None)
        )
        return InstalledWorkspaces(installations, clients, rotator, self._parts.clock)

    async def _listen(self, app: AsyncApp, clients: Clients, stack: AsyncExitStack) -> None:
        app_token = self._parts.settings.slack_app_token.get_secret_value()
        if self.is_http:
            self._http = Doorway(app, self._parts.clock)
            return
        client = clients.client(app_token)
        try:
            await clients.api(app_token).call("apps.connections.open")
        except SlackRefusalError as error:
            raise ConfigurationError(BAD_APP_TOKEN) from error
        except UncertainError:
            logger.info("sockets are not to be had yet")  # slack_sdk tries again by itself
        self._sockets = await stack.enter_async_context(open_sockets(app, app_token, client))

    @property
    def _rules(self) -> Rules:
        settings = self._parts.settings
        return Rules(settings.admins, settings.instance_caps)

    def _arrivals(self, files: SlackFiles) -> Arrivals:
        return Arrivals(
            inbox=self._parts.inbox,
            store=self._store,
            files=files,
            rules=self._rules,
            earlier_limit=SHARED_APP_LIMIT if self._has_oauth else OWN_APP_LIMIT,
        )

    def _build(self, workspaces: Workspaces, arrivals: Arrivals, files: SlackFiles) -> SlackApp:
        parts = self._parts
        desk = Desk(
            inbox=parts.inbox,
            store=self._store,
            clock=parts.clock,
            catalog=lambda: parts.router.catalog,
            files=files,
            rules=self._rules,
        )
        return SlackApp(
            workspaces=workspaces,
            inbox=parts.inbox,
            store=self._store,
            arrivals=arrivals,
            desk=desk,
        )

    async def _serve(self, request: Request) -> Response:
        if self._http is None:
            return Response("Not connected yet.", status_code=503)
        return await self._http.serve(request)

    async def _install(self, request: Request) -> Response:
        if self._oauth is None:
            return Response("Not connected yet.", status_code=503)
        asked = to_async_bolt_request(request, b"")
        is_start = request.url.path == INSTALL_PATH
        handle = self._oauth.handle_installation if is_start else self._oauth.handle_callback
        return to_starlette_response(await handle(asked))


def has_oauth(settings: AppSettings) -> bool:
    """Whether Slack's client id and secret are set."""
    return bool(settings.slack_client_id and settings.slack_client_secret.get_secret_value())


async def _patiently(clients: Clients, token: str) -> Workspace:
    """Who we are; waits for Slack to be reachable."""
    attempt = 0
    while True:
        try:
            return await connect_one(clients, token)
        except SlackRefusalError as error:
            raise ConfigurationError(BAD_TOKEN) from error
        except UncertainError:
            wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            logger.warning("Slack cannot be reached", extra={"again_in_s": wait_s})
        await asyncio.sleep(wait_s)
        attempt += 1


@asynccontextmanager
async def open_slack(
    parts: Parts, deliveries: Deliveries, *, hears: bool = True
) -> AsyncIterator[SlackBot]:
    """Slack, running beside everything else for as long as it is open.

    Without `hears` it answers what other processes have heard.
    """
    bot = SlackBot(parts, hears=hears)
    deliveries.by_platform[PLATFORM] = bot
    task = asyncio.create_task(bot.run(), name=PLATFORM)
    task.add_done_callback(tell_end)
    try:
        yield bot
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
