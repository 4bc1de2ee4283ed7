"""The guard that keeps every test on this machine."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import loopback_only
from tests.conftest import CHILD_GUARD, OFFLINE, scrub
from tests.loopback_only import NetworkRefusedError


@pytest.fixture
def forgive() -> Iterator[None]:
    """Only here: asking for the network is what is tested, so it is no fault."""
    yield
    assert loopback_only.refused, "the guard never saw the connection"
    loopback_only.refused.clear()


@pytest.mark.usefixtures("forgive")
@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "8.8.8.8"])
def test_refuses_an_address_elsewhere(address: str) -> None:
    with socket.socket() as sock, pytest.raises(NetworkRefusedError, match="no test reaches"):
        sock.connect((address, 80))


@pytest.mark.usefixtures("forgive")
def test_refuses_a_datagram_elsewhere() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(NetworkRefusedError),
    ):
        sock.sendto(b"?", ("192.0.2.1", 53))


@pytest.mark.usefixtures("forgive")
def test_refuses_to_look_up_a_name() -> None:
    with pytest.raises(NetworkRefusedError, match="no test reaches"):
        urllib.request.urlopen("http://api.example.com/", timeout=1)


@pytest.mark.usefixtures("forgive")
async def test_refuses_asyncio_too() -> None:
    with pytest.raises(NetworkRefusedError):
        await asyncio.open_connection("192.0.2.1", 443)


def test_stands_in_the_way_of_no_thread() -> None:
    """Traced threads may die at their start where there is such a guard: see pyproject.toml."""
    assert threading.gettrace() is None


def test_refuses_what_a_child_process_asks_for() -> None:
    ask = "import urllib.request; urllib.request.urlopen('http://api.example.com/', timeout=1)"
    child = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=30)
    assert "no test reaches the network" in child.stderr


async def test_lets_a_loopback_server_answer() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


def test_lets_a_unix_socket_connect(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        assert client.getpeername() == path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "", None, b"::1"])
def test_this_machine_is_local(host: object) -> None:
    assert loopback_only.is_local(host)


@given(st.ip_addresses().filter(lambda ip: not ip.is_loopback and not ip.is_unspecified))
def test_no_other_address_is_local(address: object) -> None:
    assert not loopback_only.is_local(str(address))


def test_data_goes_to_a_folder_of_the_tests_own(tmp_path: Path) -> None:
    assert Path(os.environ["PARLEY_HOME"]).parent == tmp_path


def test_no_secret_of_the_person_who_runs_the_tests_is_seen() -> None:
    environment = {"OPENAI_API_KEY": "k", "SLACK_BOT_TOKEN": "t", "HTTPS_PROXY": "p", "PATH": "x"}
    assert scrub(environment).keys() == {"PATH", *OFFLINE, *CHILD_GUARD}
