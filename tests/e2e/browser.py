"""A real browser on a real page; where there is none, the test says so and is skipped."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000
"""How long a page may take on a busy machine; what comes at once is not waited for any longer."""
DESKTOP = (1280, 800)
PHONE = (360, 740)


def chromium() -> Path:
    """Where the browser is; skips the test where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("No Chromium on this machine; on Debian: apt-get install chromium")
    return Path(found)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser without any page."""
    path = chromium()
    expect.set_options(timeout=PATIENCE_MS)  # playwright's own five seconds are for idle ones
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_page(
    browser: Browser, *, size: tuple[int, int] = DESKTOP, is_dark: bool = False
) -> AsyncIterator[Page]:
    """An empty page of that size; at its end: no error in it, and nothing left this machine."""
    problems: list[str] = []
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if is_dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if "Content Security" in said.text else None,
    )
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith(("http://localhost:", "data:", "about:"))
            else problems.append(f"asked {asked.url}")
        ),
    )
    try:
        yield page
    finally:
        await context.close()
    assert problems == []
