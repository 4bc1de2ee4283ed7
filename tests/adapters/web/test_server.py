"""The port is taken first; what is wrong with it is said in words."""

import asyncio
import socket
from contextlib import suppress

import aiohttp
import pytest

from adapters.web import address_of, listen
from bot.errors import ConfigurationError
from tests.adapters.web.kit import events, web_chat


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"Port {port} is in use.*PARLEY_PORT="):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "127.evil.example", "::"])
def test_other_machines_are_let_in_with_a_token_only(host: str) -> None:
    with pytest.raises(ConfigurationError, match="PARLEY_WEB_TOKEN"):
        listen(host, 0)


def test_an_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(ConfigurationError, match=r"can't listen on 192\.0\.2\.7"):
        listen("192.0.2.7", 0, token="secret")


def test_the_address_is_one_that_a_browser_takes() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert address_of(listener) == f"http://localhost:{listener.getsockname()[1]}"


async def test_stopping_does_not_wait_for_pages_that_still_watch() -> None:
    async with asyncio.timeout(5):
        async with web_chat() as chat:
            response = await chat.ask("Hello")
            assert (await anext(events(response)))[0] == "turn"
        with suppress(aiohttp.ClientError):
            await response.read()
