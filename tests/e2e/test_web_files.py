"""Files and commands on the page, as a person sends them, in a real browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.adapters.web.kit import WebChat, web_chat
from tests.e2e.browser import PHONE, open_browser, open_page
from tests.unit.test_image_headers import png

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
SCRIPT = FilePayload(name="a.py", mimeType="text/x-python", buffer=b"print('heron')")
DOT = FilePayload(name="dot.png", mimeType="image/png", buffer=png(3, 3))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def _ask(page: Page, text: str) -> None:
    await page.get_by_label("Your prompt").fill(text)
    await page.get_by_label("Your prompt").press("Enter")


async def _dropped(page: Page, text: str) -> None:
    """Drop a text file named note.txt on the page."""
    script = f"""() => {{
        const data = new DataTransfer();
        data.items.add(new File([{json.dumps(text)}], "note.txt", {{ type: "text/plain" }}));
        document.body.dispatchEvent(
            new DragEvent("drop", {{ dataTransfer: data, bubbles: true, cancelable: true }}));
    }}"""
    await page.evaluate(script)


def _sent(chat: WebChat) -> list[str]:
    return [file.name for file in chat.gateway.calls[-1].messages[-1].attachments]


async def test_chosen_and_dropped_files_go_with_the_prompt_and_only_with_it(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser, size=PHONE) as page:
        await page.goto(chat.url)
        async with page.expect_file_chooser() as choosing:
            await page.get_by_role("button", name="Attach files").click()
        await (await choosing.value).set_files([SCRIPT, DOT])
        await _dropped(page, "hello")
        files = page.get_by_label("Files to send").get_by_role("listitem")
        await expect(files).to_have_count(3)
        await page.get_by_role("button", name="Remove dot.png").click()
        await expect(files).to_have_count(2)

        chat.gateway.answer("A script.")
        await _ask(page, "What is it?")
        await expect(page.locator(".exchange .text")).to_have_text("A script.")
        await expect(page.locator(".prompt .files li")).to_have_text(["a.py", "note.txt"])
        await expect(files).to_have_count(0)
        assert _sent(chat) == ["a.py", "note.txt"]

        chat.gateway.answer("Nothing more.")
        await _ask(page, "And now?")
        await expect(page.locator(".exchange .text").last).to_have_text("Nothing more.")
        assert _sent(chat) == []


async def test_a_file_that_cannot_be_read_is_told_and_the_prompt_stays(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        bad = FilePayload(name="a.pdf", mimeType="application/pdf", buffer=b"PK a zip")
        await page.locator("#file").set_input_files([bad])
        await _ask(page, "Sum it up")
        told = page.get_by_role("alert").filter(has_text="I could not read a.pdf")
        await expect(told).to_be_visible()
        await expect(page.get_by_label("Your prompt")).to_have_value("Sum it up")
        await page.locator("#file").set_input_files([SCRIPT] * 5)
        await expect(page.locator("#problem")).to_have_text("At most 5 files can go with a prompt.")
        assert chat.gateway.calls == []


async def test_a_command_is_answered_without_a_model_and_without_buttons(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await _ask(page, "/tier heavy")
        answer = page.locator(".exchange > .answer").last
        await expect(answer.locator(".text")).to_contain_text("the full tier answers")
        await expect(answer.get_by_role("button", name="Heavier")).to_have_count(0)
        await _ask(page, "/settings")
        await expect(page.locator(".exchange > .answer").last.locator("li")).not_to_have_count(0)
        assert chat.gateway.calls == []
