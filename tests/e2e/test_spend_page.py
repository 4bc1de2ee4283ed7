"""The page of spend in a real browser: without scripts, on a phone, in the dark, by keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.catalog import Tier
from storage import MemoryStore
from tests.adapters.web.kit import web_chat
from tests.contract.test_spend import booked
from tests.e2e.browser import PHONE, open_browser, open_page
from tests.unit.spending import call, usd

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def spent() -> MemoryStore:
    store, now = MemoryStore(), datetime.now(UTC) - timedelta(minutes=5)
    await booked(
        store,
        call(1, created_at=now),
        call(2, created_at=now, user_id="bob", tier=Tier.FULL, alias="opus", cost=usd("3")),
    )
    return store


async def test_filters_work_by_keyboard_and_without_any_script(browser: Browser) -> None:
    async with web_chat(store=await spent()) as chat:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{chat.url}/spend?period=today")
        await expect(page.locator(".tile .value").first).to_have_text("$4.00")
        await page.get_by_label("Person").select_option("bob")
        await page.get_by_role("button", name="Show").press("Enter")
        await expect(page.locator(".tile .value").first).to_have_text("$3.00")
        await page.get_by_text("The same as a table").press("Enter")
        await expect(page.get_by_role("columnheader", name="Together")).to_be_visible()
        await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_fits_a_phone_in_light_and_dark(browser: Browser, scheme: str) -> None:
    async with web_chat(store=await spent()) as chat:
        context = await browser.new_context(
            viewport={"width": 360, "height": 740},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of the two
        )
        page = await context.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text))
        await page.goto(f"{chat.url}/spend?period=month&by=model")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        paper, ink = [
            await page.evaluate(f"getComputedStyle(document.querySelector('{name}')).fill")
            for name in (".card-paper", ".card-ink")
        ]
        assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
        assert paper != ink
        assert faults == []
        await context.close()


async def test_on_a_phone_the_picture_begins_with_the_newest_days(browser: Browser) -> None:
    async with (
        web_chat(store=await spent()) as chat,
        open_page(browser, size=PHONE) as page,
    ):
        await page.goto(f"{chat.url}/spend?period=week")
        sunday = page.locator(".spend-card text", has_text="Sun ")
        await page.locator(".spend-card").evaluate("picture => picture.scrollIntoView()")
        await expect(sunday).to_be_in_viewport(ratio=1)


async def test_the_chat_answers_spend_with_the_picture(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        chat.gateway.answer("Hi.")
        await page.goto(chat.url)
        await page.get_by_label("Your prompt").fill("Hello")
        await page.get_by_label("Your prompt").press("Enter")
        await expect(page.locator(".answer").last).to_contain_text("Hi.")
        await page.get_by_label("Your prompt").fill("/spend today")
        await page.get_by_label("Your prompt").press("Enter")
        await expect(page.locator(".answer").last).to_contain_text("1 call")
        await expect(page.locator(".answer").last.locator("figure svg")).to_be_visible()
        await page.get_by_role("link", name="Spend").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Spend, ")
