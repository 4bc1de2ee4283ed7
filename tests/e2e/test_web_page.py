"""The page as a person uses it, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from bot.errors import AuthenticationError
from bot.replies import Notice, Reply
from tests import fakes
from tests.adapters.web.kit import MODELS, WebChat, web_chat
from tests.e2e.browser import PHONE, open_browser, open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


def prompt(page: Page) -> Locator:
    return page.get_by_label("Your prompt")


def answer(page: Page) -> Locator:
    return page.locator(".exchange > .answer").last


def act(page: Page, name: str) -> Locator:
    return answer(page).get_by_role("button", name=name)


async def ask(page: Page, text: str) -> None:
    await prompt(page).fill(text)
    await prompt(page).press("Enter")


async def answered(chat: WebChat, page: Page, text: str, reply: str) -> None:
    chat.gateway.answer(reply)
    await ask(page, text)
    await expect(act(page, "Why?")).to_be_visible()


async def test_an_answer_grows_on_the_page_and_ends_with_its_small_print(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await ask(page, "How do I reverse a string?")
        await expect(page).to_have_url(re.compile(r"/c/\w+"))
        await expect(answer(page)).to_have_attribute("aria-busy", "true")
        chat.gateway.say("Take **a slice**:\n\n```python\n", "text[::-1]\n")
        await expect(answer(page).locator("pre")).to_have_text("text[::-1]\n")
        await expect(answer(page).locator("strong")).to_have_text("a slice")
        chat.gateway.answer("```\n\nThat is all.")
        await expect(answer(page).locator(".text")).to_contain_text("That is all.")
        await expect(answer(page).locator(".footer")).to_contain_text("free · free · 30 tok · $0")
        await expect(answer(page)).not_to_have_attribute("aria-busy", "true")
        await expect(page.locator("#threads a")).to_have_text("How do I reverse a string?")
        await expect(prompt(page)).to_be_focused()


async def test_code_reads_from_left_to_right_and_a_column_keeps_to_its_side_in_any_script(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        table = "| اسم | قيمة |\n|---|---|\n| ألف | 1 |\n"
        await answered(chat, page, "مرحبا", f"مرحبا `f(x)`:\n\n```\nf(x)\n```\n\n{table}")
        text = answer(page).locator(".text")
        await expect(text).to_have_css("direction", "rtl")
        for code in await text.locator("code").all():
            await expect(code).to_have_css("direction", "ltr")
        for cell in await text.locator("th, td").all():
            await expect(cell).to_have_css("text-align", "right")


@pytest.mark.parametrize("way", ["key", "button"])
async def test_a_prompt_sent_before_the_scripts_are_there_waits_for_them(
    browser: Browser, way: str
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        may_load = asyncio.Event()

        async def late(route: Route) -> None:
            await may_load.wait()
            await route.continue_()

        await page.route("**/static/chat.js", late)
        await page.goto(chat.url, wait_until="commit")
        await prompt(page).fill("Hello")
        if way == "key":
            await prompt(page).press("Enter")
        else:
            await page.get_by_role("button", name="Send").click()
        may_load.set()
        chat.gateway.answer("Good day.")
        await expect(answer(page).locator(".text")).to_have_text("Good day.")
        assert chat.gateway.calls[0].messages[-1].text == "Hello"


async def test_a_page_loaded_anew_in_the_middle_goes_on_where_the_answer_is(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await ask(page, "Hello")
        chat.gateway.say("First half, ")
        await expect(answer(page)).to_contain_text("First half")
        await page.reload()
        await expect(answer(page)).to_contain_text("First half")
        chat.gateway.answer("second half.")
        await expect(answer(page).locator(".text")).to_have_text("First half, second half.")
        assert len(chat.gateway.calls) == 1


@pytest.mark.parametrize("way", ["button", "send", "escape"])
async def test_stop_keeps_what_was_written(browser: Browser, way: str) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await ask(page, "Tell me everything")
        chat.gateway.say("So far and")
        await expect(answer(page)).to_contain_text("So far")
        if way == "button":
            await act(page, "Stop").click()
        elif way == "send":
            await page.locator("form").get_by_role("button", name="Stop").click()
        else:
            await prompt(page).press("Escape")
        await expect(answer(page)).to_contain_text("Stopped.")
        await expect(answer(page).locator(".text")).to_have_text("So far and")
        assert chat.gateway.cancelled


async def test_heavier_and_again_keep_the_earlier_answers_at_hand(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "First.")
        chat.gateway.answer("Second.")
        await act(page, "Heavier").click()
        await expect(answer(page).locator(".text")).to_have_text("Second.")
        await expect(answer(page).locator(".footer")).to_contain_text("cheap · cheap")
        chat.gateway.answer("Third.")
        await act(page, "Again").click()
        await expect(answer(page).locator(".text")).to_have_text("Third.")
        earlier = page.locator(".earlier > summary")
        await expect(earlier).to_have_count(2)
        await earlier.first.click()
        await expect(page.locator(".earlier .text").first).to_be_visible()
        await page.reload()
        await expect(page.locator(".exchange")).to_have_count(1)
        await expect(earlier).to_have_count(2)


async def test_why_and_the_opinions_are_one_click(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "Good day.")
        await act(page, "Why?").click()
        panel = answer(page).locator(".why")
        await expect(panel.get_by_role("row", name="free")).to_contain_text(re.compile(r"\d+ %"))
        await act(page, "Why?").click()
        await expect(panel).to_have_count(0)
        await act(page, "Good answer").click()
        await expect(act(page, "Good answer")).to_have_attribute("aria-pressed", "true")
        await act(page, "Poor answer").click()
        await expect(act(page, "Good answer")).to_have_attribute("aria-pressed", "false")


async def test_why_shows_its_estimates_on_a_phone_without_scrolling(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser, size=PHONE) as page:
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "Good day.")
        await act(page, "Why?").click()
        estimate = answer(page).locator(".why").get_by_role("columnheader", name="Estimate")
        await expect(estimate).to_be_in_viewport(ratio=1)


async def test_a_prompt_asked_while_models_load_is_answered_not_refused(browser: Browser) -> None:
    async with web_chat(is_ready=False) as chat, open_page(browser) as page:
        chat.startup.working(MODELS, "loading")
        await page.goto(chat.url)
        await expect(page.locator("#stages")).to_contain_text(MODELS)
        await ask(page, "Hello")
        await expect(answer(page)).to_contain_text(f"Still starting ({MODELS})")
        chat.startup.done(MODELS, "ready")
        chat.gateway.answer("Good day.")
        await expect(answer(page).locator(".text")).to_have_text("Good day.")
        await expect(page.locator("#stages")).to_be_hidden()


async def test_a_conversation_is_listed_without_the_tags_of_its_first_prompt(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await answered(chat, page, "@fast @cheap What is\nan atom? @free", "Small.")
        await expect(page.locator("#threads a")).to_have_text("What is an atom?")
        await expect(page).to_have_title("What is an atom?")
        await page.reload()
        await expect(page.locator("#threads a")).to_have_text("What is an atom?")
        await expect(page).to_have_title("What is an atom?")


@pytest.mark.parametrize("text", ["help settings", "@fast help settings"])
async def test_a_long_answer_that_comes_at_once_is_shown_from_its_beginning(
    browser: Browser, text: str
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.set_viewport_size({"width": 900, "height": 600})
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "A line of text.\n\n" * 40)
        await ask(page, text)
        await expect(act(page, "Copy")).to_be_attached()
        await expect(answer(page).get_by_text("what is set here, and where")).to_be_in_viewport()
        await expect(page.locator(".prompt").last).to_be_in_viewport()
        await expect(act(page, "Copy")).not_to_be_in_viewport()
        await expect(page.locator("#down")).to_be_visible()


async def test_an_answer_that_grows_is_followed_to_its_end(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.set_viewport_size({"width": 900, "height": 600})
        await page.goto(chat.url)
        await ask(page, "Count")
        chat.gateway.say("First line.\n\n")
        await expect(answer(page).locator(".text")).to_contain_text("First line.")
        chat.gateway.say("A line of text.\n\n" * 40)
        await expect(answer(page).locator(".text p")).to_have_count(41)
        chat.gateway.answer("Last line.")
        await expect(act(page, "Why?")).to_be_in_viewport()
        await expect(answer(page).get_by_text("Last line.")).to_be_in_viewport()


async def test_a_failure_is_a_sentence_with_a_way_on(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        for _ in fakes.catalog():
            chat.gateway.end(AuthenticationError())
        await ask(page, "Hello")
        await expect(answer(page).locator(".notice")).to_contain_text(
            "The provider refused the key"
        )
        await expect(answer(page).locator(".notice code")).to_have_text("parley doctor")
        chat.gateway.answer("Now it works.")
        await act(page, "Again").click()
        await expect(answer(page).locator(".text")).to_have_text("Now it works.")


async def test_a_refused_command_looks_like_any_answer_of_parley_now_and_later(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await ask(page, "/setings dial 7")
        await expect(answer(page).locator(".text code").first).to_have_text("/setings")
        await page.reload()
        await expect(answer(page).locator(".text code").first).to_have_text("/setings")
        await expect(answer(page).locator(".notice")).to_have_count(0)
        await expect(act(page, "Again")).to_have_count(0)
        await act(page, "Copy").click()
        await expect(act(page, "Copied")).to_be_visible()
        await prompt(page).press("Control+v")
        await expect(prompt(page)).to_have_value(re.compile("There is no command `/setings`"))


async def test_a_prompt_that_is_refused_stays_in_the_box(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await page.evaluate("document.getElementById('prompt').value = 'word '.repeat(100000)")
        await prompt(page).press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("Shorten it")
        assert len(await prompt(page).input_value()) == 500_000


async def test_a_server_that_went_away_costs_no_prompt(browser: Browser) -> None:
    async with open_page(browser) as page:
        async with web_chat() as chat:
            await page.goto(chat.url)
        await ask(page, "Still there?")
        await expect(page.get_by_role("alert")).to_contain_text("can't be reached")
        await expect(prompt(page)).to_have_value("Still there?")


async def test_tags_are_offered_and_the_tier_can_be_picked(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await prompt(page).press_sequentially("@hea")
        await expect(page.get_by_role("option", name="@heavy")).to_be_visible()
        await prompt(page).press("Enter")
        await expect(prompt(page)).to_have_value("@heavy ")
        await prompt(page).fill("")
        await page.get_by_label("Tier").select_option("Cheap")
        await answered(chat, page, "Hello", "Good day.")
        await expect(answer(page).locator(".footer")).to_contain_text("cheap · cheap")
        await expect(page.get_by_label("Tier")).to_have_value("")


async def test_everything_can_be_done_with_the_keyboard(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await expect(prompt(page)).to_be_focused()
        await page.keyboard.type("One")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("two")
        chat.gateway.answer("Both.")
        await page.keyboard.press("Enter")
        await expect(act(page, "Why?")).to_be_visible()
        assert chat.gateway.calls[0].messages[-1].text == "One\ntwo"
        await page.keyboard.press("Shift+Tab")
        await expect(act(page, "Why?")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(answer(page).locator(".why")).to_be_visible()
        await page.goto(page.url)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the prompt")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(prompt(page)).to_be_focused()


async def test_two_tabs_on_one_conversation_show_the_same(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "Good day.")
        other = await page.context.new_page()
        await other.goto(page.url)
        await ask(page, "And now?")
        await expect(answer(other)).to_have_attribute("aria-busy", "true")
        chat.gateway.answer("Good night.")
        for tab in (page, other):
            await expect(answer(tab).locator(".text")).to_have_text("Good night.")


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser, size=PHONE) as page:
        await page.goto(chat.url)
        table = (
            "| a | b | c |\n|---|---|---|\n" + "| long words here | and here | and there |\n" * 3
        )
        await answered(
            chat, page, "Word" * 60, f"{'Verylongword' * 20}\n\n{table}\n    {'x' * 200}"
        )
        assert await page.evaluate("document.scrollingElement.scrollWidth") == PHONE[0]
        await page.get_by_role("button", name="Conversations").click()
        await expect(page.get_by_role("link", name="New chat").first).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Conversations")).to_be_focused()


async def test_dark_follows_the_system_and_can_be_chosen(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser, is_dark=True) as page:
        await page.goto(chat.url)
        body = page.locator("html")
        await expect(body).to_have_css("background-color", "rgb(23, 24, 27)")
        await page.locator("#theme").click()
        await expect(body).to_have_css("background-color", "rgb(252, 251, 249)")
        await page.reload()
        await expect(body).to_have_css("background-color", "rgb(252, 251, 249)")


async def test_many_prompts_at_once_are_answered_in_order_and_can_be_stopped(
    browser: Browser,
) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        for number in range(9):
            await ask(page, f"Prompt {number}")
            await expect(prompt(page)).to_have_value("")
        await act(page, "Stop").click()
        first = page.locator(".answer").first
        chat.gateway.say("First, ")
        await expect(first.locator(".text")).to_have_text("First,")
        for number in range(8):
            chat.gateway.answer(f"reply {number}.")
        await expect(answer(page)).to_contain_text("Stopped")
        await expect(page.locator(".answer .text")).to_have_text(
            ["First, reply 0.", *(f"reply {number}." for number in range(1, 8)), ""]
        )


async def test_voices_grow_above_the_answer_each_in_a_frame_of_its_own(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await ask(page, "Which database?")
        turn_id = await answer(page).get_attribute("data-turn")
        turn = await chat.store.turn(turn_id or "")
        assert turn is not None
        sink = await chat.web.open(turn)
        voices = [sink.branch(name, f"Answer · {name}") for name in ("a", "b")]
        for voice, text in zip(voices, ("Use **one**.", "Use two."), strict=True):
            voice.append(text)
        frames = page.locator(".branch")
        await expect(frames).to_have_count(2)
        await expect(frames.first.locator("strong")).to_have_text("one")
        await voices[1].fail(Notice(text="b did not answer."))
        await voices[0].finish(Reply(text="Use **one**."))
        await sink.finish(Reply(text="They agree."))
        await expect(frames.last.locator(".notice")).to_have_text("b did not answer.")
        await expect(answer(page).locator(":scope > .text")).to_have_text("They agree.")


async def test_a_chat_is_deleted_after_a_question(browser: Browser) -> None:
    async with web_chat() as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await answered(chat, page, "Hello", "Good day.")
        delete = page.get_by_role("button", name="Delete: Hello")
        await delete.click()
        await page.get_by_role("button", name="Keep it").click()
        await expect(page.locator("#threads li")).to_have_count(1)
        await delete.click()
        await page.get_by_role("button", name="Delete", exact=True).click()
        await expect(page.get_by_text("What would you like to know?")).to_be_visible()
        await expect(page.locator("#threads li")).to_have_count(0)


async def test_a_token_is_asked_for_once(browser: Browser) -> None:
    async with web_chat(token="a-long-random-text") as chat, open_page(browser) as page:
        await page.goto(chat.url)
        await page.get_by_label("The token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("That is not the token")
        await page.get_by_label("The token").fill("a-long-random-text")
        await page.keyboard.press("Enter")
        await answered(chat, page, "Hello", "Good day.")
