"""Listens for browsers: takes the port before anything else starts, and stops without waiting."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from adapters.web.guard import is_loopback_name
from bot.errors import ConfigurationError

BACKLOG = 256
STOP_TIMEOUT_S = 2


def listen(host: str, port: int, *, token: str = "", has_page: bool = True) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises ConfigurationError when the port is taken, or others could reach the page without a
    token.
    """
    if has_page and not token and not is_loopback_name(host):
        raise ConfigurationError(
            f"PARLEY_HOST={host} lets other machines reach the chat, and nothing asks who they "
            "are. Set PARLEY_WEB_TOKEN to a long random text, or leave PARLEY_HOST out."
        )
    try:
        return socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(_why_not(host, port, error)) from error


def address_of(listener: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listener.getsockname()[:2]
    shown = {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::": "localhost"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


async def run_web(
    app: ASGIApp, listener: socket.socket, *, close_streams: Callable[[], None]
) -> None:
    """Serve until cancelled; signals are left to the caller.

    `close_streams` ends the pages' open streams, so that stopping does not wait for them.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
    )
    serving = asyncio.create_task(server.serve([listener]), name="web")
    try:
        await asyncio.shield(serving)
    finally:
        close_streams()
        server.should_exit = True
        await asyncio.wait({serving})
        listener.close()


class _Server(uvicorn.Server):
    """Leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use, perhaps by another Parley. "
            f"Stop that one, or choose another port: PARLEY_PORT={port + 1} ./parley up"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used here. Choose one above 1024: PARLEY_PORT=8484"
    return (
        f"Parley can't listen on {host}:{port} ({error.strerror}). "
        "Check PARLEY_HOST and PARLEY_PORT."
    )
