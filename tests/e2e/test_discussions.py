"""Debates and ensembles as a person and as a script hold them: the real program, real clients."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from tests.e2e.browser import PHONE, open_browser, open_page
from tests.e2e.program import environment, run, up
from tests.loopback.providers import ProviderServer, Reply

WRONG, RIGHT = "The capital is Sydney.", "The capital is Canberra."
QUESTION = "What is the capital of Australia?"


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        server.answer("You are the critic", Reply(text="- [serious] It is Canberra."))
        server.answer("A critic objects", Reply(text=RIGHT))
        server.answer("assistants have answered", Reply(text=f"{RIGHT}\n\n**Agreement** all"))
        server.answer("ANSWER: <the answer>", Reply(text="ANSWER: Canberra"))
        server.script(text=WRONG)
        yield server


async def test_a_debate_prints_the_answer_and_tells_its_steps_beside_it(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "debate", QUESTION)
    assert (ended.code, ended.out) == (0, f"{RIGHT}\n")
    told = ended.err
    places = [
        told.index(part)
        for part in (
            "── Debate",
            "── Answer · large",
            WRONG,
            "── Critique · middle",
            "Final answer",
        )
    ]
    assert places == sorted(places)
    assert "3 calls, $0.00" in told


async def test_a_debate_in_json_has_its_steps_and_their_costs(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "debate", "--json", QUESTION)
    assert ended.json["answer"] == RIGHT
    assert ended.json["plan"].startswith("**large** answers, **middle** criticises")
    assert [(s["name"], s["text"]) for s in ended.json["steps"]] == [
        ("propose1", WRONG),
        ("criticise1", "- [serious] It is Canberra."),
    ]
    billed = [(r.model, r.billed.input_tokens, r.billed.output_tokens) for r in provider.requests]
    prices = {"large-1": (3_000, 15_000), "middle-1": (1_000, 5_000)}
    cost = sum(prices[m][0] * i + prices[m][1] * o for m, i, o in billed)
    assert ended.json["cost_nanousd"] == cost


async def test_an_ensemble_is_judged_without_names(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "ensemble", "--json", QUESTION)
    assert ended.json["answer"].startswith(RIGHT)
    assert len(ended.json["steps"]) == 3
    (judged,) = [r for r in provider.requests if "assistants have answered" in r.prompt]
    assert not any(alias in judged.prompt for alias in ("small", "middle", "large"))


async def test_a_vote_is_counted(provider: ProviderServer, tmp_path: Path) -> None:
    ended = await run(environment(tmp_path, provider), "ensemble", "--mode", "vote", QUESTION)
    assert ended.out.startswith("**Canberra**, with 3 of 3 votes")


async def test_a_voice_without_a_key_that_works_is_missing(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.fail("bad_key", provider="openai", times=None)
    ended = await run(environment(tmp_path, provider), "ensemble", QUESTION)
    assert ended.code == 0
    assert "middle is missing" in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("debate", "--rounds", "7", "Why?"), "`rounds:` takes 1, 2, 3"),
        (("debate", "--models", "large,nope", "Why?"), "There is no model `nope`"),
        (("ensemble", "--mode", "sing", "Why?"), "`mode:` takes synthesis, show, vote"),
        (("debate", " "), "needs a question"),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_asked(
    provider: ProviderServer, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = await run(environment(tmp_path, provider), *arguments)
    assert (ended.code, ended.out) == (1, "")
    assert sentence in ended.err
    assert provider.requests == []


async def test_words_in_a_chat_are_a_debate_and_what_follows_knows_it(
    provider: ProviderServer, tmp_path: Path
) -> None:
    await run(environment(tmp_path, provider), "chat", stdin=f"debate {QUESTION}\nWhy there?\n")
    assert any(RIGHT in m["content"] for m in provider.requests[-1].messages)


async def test_the_web_interface_streams_each_step_and_keeps_it(
    provider: ProviderServer, tmp_path: Path
) -> None:
    async with (
        up(environment(tmp_path, provider)) as running,
        aiohttp.ClientSession(running.address) as http,
    ):
        async with http.post("/api/ask", json={"text": f"debate {QUESTION}"}) as response:
            events = _events(await response.text())
        said = {e["name"]: e["label"] for name, e in events if name == "branch"}
        ended = next(data for name, data in events if name == "end")
        async with http.get(f"/api/turns/{ended['turn_id']}/steps") as response:
            steps = await response.json()
        async with http.get(f"/c/{ended['conversation']}") as response:
            page = await response.text()
    assert said == {
        "plan": "Debate", "propose1": "Answer · large", "criticise1": "Critique · middle",
    }  # fmt: skip
    assert ended["text"] == RIGHT
    assert [step["label"] for step in steps[:3]] == list(said.values())
    assert WRONG in page
    assert "<strong>large</strong> answers" in page


def _events(text: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for part in text.split("\n\n"):
        if part.startswith("event: "):
            name, _, data = part.partition("\ndata: ")
            found.append((name.removeprefix("event: "), json.loads(data)))
    return found


@pytest.mark.timeout(240)
async def test_killed_in_mid_debate_it_goes_on_and_pays_only_the_unfinished_step(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    asked = {"text": f"debate {QUESTION}", "message_id": "killed"}
    slow = Reply(text="- [serious] It is Canberra. " * 40, chunk_delay_s=0.2)
    provider.answer("You are the critic", slow, first=True)
    async with (
        up(env) as running,
        aiohttp.ClientSession(running.address) as http,
        http.post("/api/ask", json=asked) as response,
    ):
        async for line in response.content:
            if b"branch_text" in line and len(provider.requests) == 2:
                break
        running.kill()
    provider.answer("You are the critic", Reply(text="- [serious] It is Canberra."), first=True)
    async with up(env) as running, aiohttp.ClientSession(running.address) as http:
        headers = {"accept": "application/json"}
        async with http.post("/api/ask", json=asked, headers=headers) as response:
            ended = await response.json()
    asked_of = [_step(request.prompt) for request in provider.requests]
    assert asked_of == ["propose", "criticise", "criticise", "revise"]
    assert ended["text"] == RIGHT


def _step(prompt: str) -> str:
    known = {"You are the critic": "criticise", "A critic objects": "revise"}
    return next((step for words, step in known.items() if words in prompt), "propose")


@pytest.mark.browser
@pytest.mark.timeout(240)
async def test_the_page_shows_voices_side_by_side_and_on_a_phone_one_under_another(
    provider: ProviderServer, tmp_path: Path
) -> None:
    async with up(environment(tmp_path, provider)) as running, open_browser() as browser:
        async with open_page(browser) as page:
            await page.goto(running.address)
            await page.get_by_label("Your prompt").fill(f"ensemble {QUESTION}")
            await page.get_by_label("Your prompt").press("Enter")
            await expect(page.locator(".answer .footer").last).to_be_visible(timeout=60_000)
            wide = [await _place(voice) for voice in await page.locator(".voice").all()]
            address = page.url
        async with open_page(browser, size=PHONE) as page:
            await page.goto(address)
            narrow = [await _place(voice) for voice in await page.locator(".voice").all()]
    assert len({top for _, top in wide}) == 1
    assert len({left for left, _ in wide}) == len(wide) == 3
    assert len({left for left, _ in narrow}) == 1
    assert len({top for _, top in narrow}) == len(narrow) == 3


async def _place(element: Locator) -> tuple[int, int]:
    box = await element.bounding_box()
    assert box is not None
    return round(box["x"]), round(box["y"])
