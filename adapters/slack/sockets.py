"""Socket Mode: two connections, so that a refresh or a cut of one loses nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

logger = logging.getLogger(__name__)

CONNECTIONS = 2
PING_S = 2.0
"""Also how long slack_sdk waits before it replaces a connection that was cut."""
WATCH_S = 10.0


class _Handler(AsyncSocketModeHandler):
    """Takes events in; a socket that went away meanwhile takes the acknowledgement with it."""

    async def handle(  # type: ignore[override]  # as slack_bolt has it
        self, client: SocketModeClient, req: SocketModeRequest
    ) -> None:
        try:
            await super().handle(client, req)
        except ConnectionError:
            logger.warning("an acknowledgement was lost with its socket; slack sends it again")


class _Calm(logging.Filter):
    """A lost connection is slack_sdk's daily bread: it connects again, so nobody is woken.

    Each two seconds, though, for as long as Slack is away: in a line, without a trace.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if "reconnect to the server" in said or said.startswith("Failed to connect"):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return True


class Sockets:
    """The connections through which Slack's events come."""

    def __init__(self, clients: Sequence[SocketModeClient]) -> None:
        self._clients = clients

    @property
    def is_open(self) -> bool:
        """Whether events can come in at this moment; one connection is enough."""
        return any(
            client.current_session is not None and not client.current_session.closed
            for client in self._clients
        )


@asynccontextmanager
async def open_sockets(
    app: AsyncApp, app_token: str, client: AsyncWebClient
) -> AsyncIterator[Sockets]:
    """Receive events for as long as it is open."""
    handlers = [
        _Handler(app, app_token, web_client=client, ping_interval=PING_S)
        for _ in range(CONNECTIONS)
    ]
    calm = _Calm()
    for handler in handlers:
        handler.client.logger.addFilter(calm)
    tasks = [asyncio.create_task(_keep(handler.client)) for handler in handlers]
    try:
        yield Sockets([handler.client for handler in handlers])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for handler in handlers:
            await _close(handler.client)


async def _keep(client: SocketModeClient) -> None:
    """Connect and stay so. slack_sdk tries a used-up address for ever: it is given a new one."""
    connecting = asyncio.create_task(_connect(client))
    was_down = False
    try:
        while True:
            await asyncio.sleep(WATCH_S)
            is_down = not await client.is_connected()
            if is_down and was_down:
                logger.warning("a socket is down; asking slack for another")
                client.wss_uri = None
            was_down = is_down
    finally:
        connecting.cancel()


async def _connect(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]  # slack_sdk


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]  # slack_sdk
    tasks = [client.message_processor, client.message_receiver, client.current_session_monitor]
    await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
