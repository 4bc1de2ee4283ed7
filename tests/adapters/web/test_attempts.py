"""A token cannot be guessed by trying many."""

import pytest
from yarl import URL

from adapters.web.attempts import MAX_FAILURES, WITHIN_S, Attempts
from tests.adapters.web.kit import web_chat
from tests.fakes import FrozenClock

TOKEN = "a-long-random-text"


def test_after_ten_failures_in_a_minute_nobody_is_let_in_until_it_is_over() -> None:
    clock = FrozenClock()
    attempts = Attempts(clock)
    for number in range(MAX_FAILURES):
        assert not attempts.are_too_many()
        attempts.note_failure(f"guess {number}")
        clock.advance(1)
    assert attempts.are_too_many()
    clock.advance(WITHIN_S - MAX_FAILURES)
    assert not attempts.are_too_many()


def test_the_same_wrong_token_again_and_again_is_no_guessing() -> None:
    attempts = Attempts(FrozenClock())
    for _ in range(2 * MAX_FAILURES):
        attempts.note_failure("the old token")
    assert not attempts.are_too_many()


async def test_a_guesser_is_held_up_and_a_script_with_the_token_is_not() -> None:
    async with web_chat(token=TOKEN) as chat:
        for number in range(MAX_FAILURES):
            wrong = await chat.http.post("/login", data={"token": f"wrong {number}"})
            assert (wrong.status, "not the token" in await wrong.text()) == (403, True)
        right = await chat.http.post("/login", data={"token": TOKEN}, allow_redirects=False)
        assert right.status == 429
        assert "Wait a minute" in await right.text()
        known = {"authorization": f"Bearer {TOKEN}"}
        models = await chat.http.get("/api/models", headers=known)
        assert (models.status, "error" in await models.json()) == (200, False)


async def test_a_guesser_in_a_header_is_held_up_and_a_browser_with_the_cookie_is_not() -> None:
    async with web_chat(token=TOKEN) as chat:

        async def shown(token: str) -> int:
            known = {"authorization": f"Bearer {token}"}
            return (await chat.http.get("/api/models", headers=known)).status

        await chat.http.post("/login", data={"token": TOKEN})
        cookies = chat.http.cookie_jar.filter_cookies(URL(chat.url))
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        chat.http.cookie_jar.clear()
        assert [await shown(f"wrong {n}") for n in range(MAX_FAILURES)] == [401] * MAX_FAILURES
        assert await shown(TOKEN) == 429
        assert (await chat.http.get("/api/models", headers={"cookie": cookie})).status == 200


async def test_the_cookie_is_secure_where_the_page_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")  # a proxy that uvicorn does not know
    async with web_chat(token=TOKEN) as chat:
        sent = {"x-forwarded-proto": "https"}
        form = {"token": TOKEN}
        welcome = await chat.http.post("/login", data=form, headers=sent, allow_redirects=False)
        assert "Secure" in welcome.headers["set-cookie"]


async def test_a_hundred_megabytes_are_not_read_to_the_end() -> None:
    async with web_chat() as chat:
        read = 0

        async def endless() -> object:
            nonlocal read
            for _ in range(100):
                read += 1
                yield b"x" * 1_000_000

        json = {"content-type": "application/json"}
        response = await chat.http.post("/api/ask", data=endless(), headers=json)
        assert response.status in (400, 413)
        assert read < 100
