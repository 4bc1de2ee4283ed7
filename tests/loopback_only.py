"""Refuses every connection that leaves this machine, and every name that needs looking up.

It hooks into the interpreter itself, so it holds for every library and cannot be undone by one.
"""

import ipaddress
import sys
from typing import Any

# Connections that were refused and not yet reported: a library may swallow the error.
refused: list[str] = []
_is_installed = False

CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
RESOLVING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class NetworkRefusedError(Exception):
    """No test reaches the network."""


def is_local(host: object) -> bool:
    """Whether this host is the machine itself; a name other than localhost never is."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return True
    if not isinstance(name, str):
        return False
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def install() -> None:
    """Guard this interpreter until it ends; once is enough."""
    global _is_installed
    if not _is_installed:
        sys.addaudithook(_check)
    _is_installed = True


def _check(event: str, args: tuple[Any, ...]) -> None:
    if event in CONNECTING:
        address = args[1]  # ("host", port, …) for the internet; a path or None for everything else
        if isinstance(address, tuple) and isinstance(address[0], (str, bytes)):
            _refuse_unless_local(address[0])
    elif event in RESOLVING:
        _refuse_unless_local(args[0])


def _refuse_unless_local(host: object) -> None:
    if not is_local(host):
        refused.append(str(host))
        raise NetworkRefusedError(f"no test reaches the network; this one asked for {host!r}")
