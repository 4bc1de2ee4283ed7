"""Machines learn whether it lives, whether it is ready, and its figures: no more."""

import asyncio

import pytest

from tests.adapters.web.kit import web_chat

TOKEN = "a-token-for-figures"


async def _well() -> str:
    return ""


async def _down() -> str:
    return "not connected"


async def _hangs() -> str:
    await asyncio.Event().wait()
    return ""


async def test_it_is_ready_when_nothing_is_missing() -> None:
    async with web_chat(checks={"database": _well}) as chat:
        response = await chat.http.get("/readyz")
        assert (response.status, await response.json()) == (200, {"status": "ready"})


async def test_what_is_missing_is_named() -> None:
    async with web_chat(checks={"database": _well, "discord": _down}) as chat:
        response = await chat.http.get("/readyz")
        assert response.status == 503
        assert await response.json() == {
            "status": "not ready",
            "missing": {"discord": "not connected"},
        }


async def test_a_check_that_hangs_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.web.probes.CHECK_WITHIN_S", 0.05)
    async with web_chat(checks={"database": _hangs}) as chat:
        missing = (await (await chat.http.get("/readyz")).json())["missing"]
        assert missing["database"].startswith("no answer within")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_ask_by_address_and_without_a_token(path: str) -> None:
    async with web_chat(token="secret") as chat:
        response = await chat.http.get(path, headers={"host": "10.1.2.3:8484"})
        assert response.status == 200


async def test_this_machine_reads_the_figures() -> None:
    async with web_chat(token="a page's token is another thing") as chat:
        response = await chat.http.get("/metrics")
        assert (response.status, await response.text()) == (200, "figures 1\n")
        assert response.content_type == "text/plain"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
    ],
)
async def test_others_do_not_read_the_figures_without_a_token(headers: dict[str, str]) -> None:
    async with web_chat() as chat:
        response = await chat.http.get("/metrics", headers=headers)
        assert response.status == 401
        assert "PARLEY_METRICS_TOKEN" in (await response.json())["error"]


async def test_with_a_token_everybody_has_to_know_it() -> None:
    async with web_chat(metrics_token=TOKEN) as chat:
        assert (await chat.http.get("/metrics")).status == 401
        wrong = {"authorization": "Bearer wrong"}
        assert (await chat.http.get("/metrics", headers=wrong)).status == 401
        right = {"authorization": f"Bearer {TOKEN}", "host": "parley.example"}
        assert (await chat.http.get("/metrics", headers=right)).status == 200
