"""`parley up` as a person meets it: the real program, a real browser, a loopback provider."""

import asyncio
import os
import re
import resource
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect

from tests.e2e.browser import open_browser, open_page
from tests.e2e.program import LIMIT_S, environment, run, up
from tests.loopback.providers import ProviderServer


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.mark.browser
async def test_a_prompt_asked_before_all_is_loaded_is_answered_in_the_browser(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Hello **Ada**")
    async with (
        up(environment(tmp_path, provider)) as program,
        open_browser() as browser,
        open_page(browser) as page,
    ):
        await page.goto(program.address)
        await page.get_by_label("Your prompt").fill("@cheap Hi")
        await page.get_by_label("Your prompt").press("Enter")
        answer = page.locator(".answer")
        await expect(answer.locator("strong")).to_have_text("Ada", timeout=LIMIT_S * 1000)
        await expect(answer.locator(".footer")).to_have_text(
            re.compile(r"cheap · middle · \d+ tok · <?\$0\.\d{4} · \d+\.\d s")
        )
        await answer.get_by_role("button", name="Why?").click()
        await expect(answer.locator(".why")).to_contain_text("you asked for the cheap tier")
    assert provider.requests[0].messages[-1]["content"] == "Hi"


async def test_conversations_are_there_after_a_restart(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env, json = environment(tmp_path, provider), {"accept": "application/json"}
    provider.script(text="Kept")
    async with up(env) as program, aiohttp.ClientSession(program.address) as http:
        asked = await http.post("/api/ask", json={"text": "Keep this"}, headers=json)
        turn = await asked.json()
    async with up(env) as program, aiohttp.ClientSession(program.address) as http:
        page = await http.get(f"/c/{turn['conversation']}")
        assert "<p>Kept</p>" in await page.text()


async def test_a_program_that_has_answered_stops_without_a_second_of_work(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Hello")
    children_s = _cpu_of_children_s()
    async with up(environment(tmp_path, provider)) as program, aiohttp.ClientSession() as session:
        ask = {"text": "Hi"}
        async with session.post(f"{program.address}/api/ask", json=ask) as response:
            assert "Hello" in await response.text()
        used_s = _cpu_of_s(program.process.pid)
    ended_s = _cpu_of_children_s() - children_s

    assert program.process.returncode == 0
    assert ended_s - used_s < 1


def _cpu_of_s(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _cpu_of_children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def test_the_log_says_that_no_model_can_answer(
    provider: ProviderServer, tmp_path: Path
) -> None:
    keys = dict.fromkeys(("GROQ_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"), "")
    async with up(environment(tmp_path, provider, **keys)) as program, asyncio.timeout(LIMIT_S):
        while not any("no model can answer yet" in line for line in program.log):
            await asyncio.sleep(0.05)
    assert any("put a provider's key into .env" in line for line in program.log)


async def test_a_port_in_use_is_a_sentence(provider: ProviderServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = environment(tmp_path, provider, PARLEY_PORT=str(port))
        async with asyncio.timeout(LIMIT_S):
            ended = await run(env, "up")
    assert ended.code == 1
    assert f"Port {port} is in use" in ended.err
    assert "Traceback" not in ended.err


async def test_other_machines_need_a_token(provider: ProviderServer, tmp_path: Path) -> None:
    env = environment(tmp_path, provider, PARLEY_HOST="0.0.0.0")
    async with asyncio.timeout(LIMIT_S):
        ended = await run(env, "up")
    assert ended.code == 1
    assert "Set PARLEY_WEB_TOKEN" in ended.err


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_an_open_page_goes_on_after_the_program_was_killed(
    provider: ProviderServer, tmp_path: Path
) -> None:
    port = str(_free_port())
    env = environment(tmp_path, provider, PARLEY_PORT=port)
    provider.script(text="Slowly and steadily " * 20, chunk_delay_s=0.2)
    async with open_browser() as browser, open_page(browser) as page:
        async with up(env) as program:
            await page.goto(program.address)
            await page.get_by_label("Your prompt").fill("Hi")
            await page.get_by_label("Your prompt").press("Enter")
            answer = page.locator(".answer")
            await expect(answer).to_contain_text("Slowly and", timeout=LIMIT_S * 1000)
            program.kill()
            await expect(answer).to_contain_text("The connection was lost", timeout=20_000)
        provider.script(text="Whole at last.")
        async with up(env):
            await expect(answer.locator(":scope > .text")).to_have_text(
                "Whole at last.", timeout=LIMIT_S * 1000
            )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        assert isinstance(port, int)
        return port


async def test_its_figures_and_its_readiness_are_there(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Hello")
    async with (
        up(environment(tmp_path, provider)) as program,
        aiohttp.ClientSession(program.address) as http,
    ):
        asked = await http.post("/api/ask", json={"text": "@cheap Hi"})
        assert "Hello" in await asked.text()
        over = 'parley_turns_total{platform="web",status="done"} 1.0'
        ready, figures = "", ""
        async with asyncio.timeout(LIMIT_S):
            while '"ready"' not in ready or over not in figures:
                await asyncio.sleep(0.1)
                ready = await (await http.get("/readyz")).text()
                figures = await (await http.get("/metrics")).text()
    assert 'parley_tokens_total{kind="output",model="middle",tier="cheap"}' in figures
