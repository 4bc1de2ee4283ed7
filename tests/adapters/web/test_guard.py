"""Only this machine's own pages and scripts are heard, or those who know the token."""

import asyncio
import socket
from typing import NoReturn

import aiohttp
import pytest

from adapters.web.guard import CONTENT_POLICY, COOKIE, is_loopback_name
from storage import MemoryStore
from tests.adapters.web.kit import WebChat, web_chat

TOKEN = "a-long-random-text"


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("LOCALHOST:8484".lower(), True),
        ("parley.localhost:8484", True),
        ("127.0.0.1:8484", True),
        ("127.8.9.1", True),
        ("[::1]:8484", True),
        ("::1", True),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example:8484", False),
        ("192.168.1.7:8484", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_names_of_this_machine_are_ours(host: str, is_ours: bool) -> None:
    assert is_loopback_name(host) is is_ours


async def test_a_name_that_somebody_else_bound_to_this_address_is_refused() -> None:
    async with web_chat() as chat:
        for path in ("/", "/api/conversations", "/static/chat.js"):
            response = await chat.http.get(path, headers={"host": "evil.example"})
            assert response.status == 421
            assert "localhost" in (await response.json())["error"]


async def post(chat: WebChat, **headers: str) -> aiohttp.ClientResponse:
    return await chat.http.post("/api/ask", data=b'{"text": ""}', headers=headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ({"content-type": "application/json", "origin": "null"}, 403),
        ({"content-type": "application/json", "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "application/json", "sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 400),
        ({"content-type": "application/json", "sec-fetch-site": "same-origin"}, 400),
    ],
)
async def test_what_another_site_sends_is_refused(headers: dict[str, str], status: int) -> None:
    async with web_chat() as chat:
        response = await post(chat, **headers)
        assert response.status == status
        assert not chat.gateway.calls


async def test_the_page_s_own_origin_is_heard() -> None:
    async with web_chat() as chat:
        response = await post(chat, **{"content-type": "application/json", "origin": chat.url})
        assert "no question" in (await response.json())["error"]


async def test_every_response_carries_the_policy() -> None:
    async with web_chat() as chat:
        for path in ("/", "/static/chat.css", "/api/models", "/nowhere"):
            headers = (await chat.http.get(path)).headers
            assert headers["content-security-policy"] == CONTENT_POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


class BrokenStore(MemoryStore):
    """Fails as no store should."""

    async def conversations(self, *arguments: object, **more: object) -> NoReturn:
        raise RuntimeError


async def test_a_page_that_fails_by_our_fault_carries_the_policy_too() -> None:
    async with web_chat(store=BrokenStore()) as chat:
        response = await chat.http.get("/", headers={"accept": "text/html"})
        assert (response.status, response.content_type) == (500, "text/html")
        assert response.headers["content-security-policy"] == CONTENT_POLICY
        assert response.headers["cache-control"] == "no-store"


async def test_without_the_token_nothing_is_told() -> None:
    async with web_chat(token=TOKEN) as chat:
        page = await chat.http.get("/", allow_redirects=False)
        assert (page.status, page.headers["location"]) == (303, "/login")
        asked = await chat.ask("Hello")
        assert asked.status == 401
        assert "PARLEY_WEB_TOKEN" in (await asked.json())["error"]
        assert not chat.gateway.calls


async def test_a_script_shows_the_token_in_its_header() -> None:
    async with web_chat(token=TOKEN) as chat:
        known = {"authorization": f"Bearer {TOKEN}", "host": "chat.example"}
        assert (await chat.http.get("/api/models", headers=known)).status == 200
        wrong = {"authorization": "Bearer wrong"}
        assert (await chat.http.get("/api/models", headers=wrong)).status == 401


async def test_a_browser_gives_the_token_once() -> None:
    async with (
        web_chat(token=TOKEN) as chat,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        refused = await browser.post(f"{chat.url}/login", data={"token": "wrong"})
        assert refused.status == 403
        assert "That is not the token" in await refused.text()
        welcome = await browser.post(f"{chat.url}/login", data={"token": TOKEN})
        assert "What would you like to know?" in await welcome.text()
        cookie = welcome.history[0].headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie


async def test_an_invented_cookie_opens_nothing() -> None:
    async with web_chat(token=TOKEN) as chat:
        for value in ("", TOKEN, "0" * 64, '"'):
            response = await chat.http.get(
                "/", headers={"cookie": f"{COOKIE}={value}"}, allow_redirects=False
            )
            assert response.status == 303


async def test_a_request_without_a_host_is_refused() -> None:
    async with web_chat() as chat:
        port = int(chat.url.rsplit(":", 1)[1])
        assert b"421" in await _raw(port, b"GET / HTTP/1.0\r\n\r\n")


async def _raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, family=socket.AF_INET)
    writer.write(request)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_endless_token_is_not_read() -> None:
    async with web_chat(token=TOKEN) as chat:
        refused = await chat.http.post("/login", data={"token": TOKEN + "x" * 10_000})
        assert refused.status == 403
