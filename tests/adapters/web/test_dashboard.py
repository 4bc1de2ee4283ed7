"""The page of spend: figures, filters, tables beside pictures, CSV. It needs no script."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from html import unescape

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from adapters.ledger_csv import COLUMNS, PlaceNames, to_row, to_usd
from adapters.web import Dashboard
from adapters.web.attempts import Attempts
from adapters.web.guard import CONTENT_POLICY, Guard
from adapters.web.views import to_figure
from bot.calls import Purpose
from bot.catalog import Tier
from bot.ledger import CallStatus
from bot.reporting import Reporter
from bot.settings import SettingChange
from storage import MemoryStore
from tests.adapters.charts.test_charts import CARD
from tests.contract.test_spend import booked
from tests.fakes import FrozenClock, catalog, monthly
from tests.unit.spending import MONDAY, call, usd

NOW = MONDAY + timedelta(days=3, hours=12)


class Page:
    """The page, asked as a browser asks."""

    def __init__(self, store: MemoryStore, http: httpx.AsyncClient) -> None:
        self.store = store
        self._http = http

    async def text(self, query: str = "") -> str:
        response = await self._http.get(f"/spend?{query}")
        assert response.status_code == 200
        return unescape(response.text)

    async def csv(self, query: str = "") -> list[dict[str, str]]:
        response = await self._http.get(f"/spend.csv?{query}")
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(response.text)))


@asynccontextmanager
async def opened(cap: int | None = None) -> AsyncIterator[Page]:
    store, clock = MemoryStore(), FrozenClock(NOW)
    reporter = Reporter(store, catalog, clock, instance_caps=monthly(cap))
    dashboard = Dashboard(store=store, reporter=reporter, clock=clock, instance_caps=monthly(cap))
    guard = Middleware(Guard, attempts=Attempts(clock))
    app = Starlette(routes=dashboard.routes(), middleware=[guard])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield Page(store, http)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with opened() as page:
        await booked(
            page.store,
            call(1),
            call(2, user_id="bob", channel_id="d", tier=Tier.FULL, alias="opus", cost=usd("3")),
            call(3, platform="slack", workspace_id="T1", purpose=Purpose.JUDGE, cost=usd("5")),
            call(4, created_at=NOW - timedelta(days=10), cost=usd("7")),
        )
        yield page


async def test_shows_the_week_of_all_workspaces(page: Page) -> None:
    text = await page.text()

    assert "<h1>Spend, 16–22 November</h1>" in text
    assert '<dd class="value">$9.00</dd>' in text
    assert '<option value="slack/T1">slack/T1</option>' in text


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("period=today", "$0"),
        ("period=month", "$16.00"),
        ("period=all", "$16.00"),
        ("workspace=slack/T1", "$5.00"),
        ("workspace=test/w", "$4.00"),
        ("user=bob", "$3.00"),
        ("channel=d", "$3.00"),
        ("feature=ensemble", "$5.00"),
        ("period=month&workspace=test/w&user=ann", "$8.00"),
        ("period=fortnight&workspace=no/where&feature=magic&by=luck", "$9.00"),
        ("user=%3Cscript%3E", "$0"),
    ],
)
async def test_shows_what_is_asked_for(page: Page, query: str, total: str) -> None:
    assert f'<dd class="value">{total}</dd>' in await page.text(query)


async def test_places_are_shown_by_their_names(page: Page) -> None:
    await page.store.name_place("slack", "T1", "", "Acme")
    await page.store.name_place("test", "w", "d", "#general")
    text = await page.text()

    assert '<option value="slack/T1">Acme, slack</option>' in text
    assert '<option value="d">#general</option>' in text
    assert '<th scope="row">#general</th>' in text
    assert "<td>test/w · #general</td>" in text


async def test_two_workspaces_of_one_name_are_told_apart(page: Page) -> None:
    await booked(page.store, call(9, platform="slack", workspace_id="T2"))
    await page.store.name_place("slack", "T1", "", "Acme")
    await page.store.name_place("slack", "T2", "", "Acme")
    text = await page.text()

    assert '<option value="slack/T1">Acme, slack (slack/T1)</option>' in text
    assert '<option value="slack/T2">Acme, slack (slack/T2)</option>' in text


async def test_the_ledger_has_names_beside_its_ids(page: Page) -> None:
    await page.store.name_place("test", "w", "", "Acme")
    await page.store.name_place("test", "w", "c", "#general")
    lines = (await page._http.get("/spend.csv?workspace=test/w")).text.splitlines()
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))

    assert (row["workspace_id"], row["workspace"]) == ("w", "Acme")
    assert (row["channel_id"], row["channel"]) == ("c", "#general")
    assert (row["user_id"], row["user"]) == ("ann", "")


async def test_a_feature_shows_its_steps(page: Page) -> None:
    text = await page.text("workspace=slack/T1")

    assert '<tr><th scope="row">ensemble</th>' in text
    assert '<tr class="step"><th scope="row">judging</th>' in text


async def test_the_picture_has_its_table_beside_it(page: Page) -> None:
    text = await page.text()

    assert 'role="img" aria-label="Bar chart of the spend, 16–22 November: $9.00' in text
    assert '<th scope="row">Mon 16</th><td>$6.00</td><td>$3.00</td><td>$9.00</td>' in text


async def test_bars_can_be_stacked_by_model(page: Page) -> None:
    text = await page.text("by=model")

    assert "haiku $6.00" in text
    assert "opus $3.00" in text


async def test_shows_the_latest_calls_with_their_cost_and_outcome(page: Page) -> None:
    await booked(
        page.store,
        call(
            5,
            created_at=NOW - timedelta(hours=1),
            status=CallStatus.FAILED,
            cost=0,
            error="RateLimitError",
        ),
        call(6, created_at=NOW - timedelta(minutes=1), cost=None),
    )

    text = await page.text()

    assert "<td>RateLimitError</td>" in text
    assert '<td class="number">unpriced</td>' in text
    assert text.index("RateLimitError") > text.index("unpriced</td>")


async def test_budgets_are_bars_with_words() -> None:
    async with opened(cap=usd("20")) as page:
        change = SettingChange(
            scope_id="test/w", name="workspace_monthly_cap", after="5", user_id="ann", at=NOW
        )
        await page.store.set_setting(change)
        await page.store.set_setting(replace(change, name="workspace_weekly_cap", after="4"))
        await booked(page.store, call(1))

        text = await page.text("workspace=test/w")

    assert "This workspace, this week" in text
    assert "25 %: $1.00 of $4.00" in text
    assert "This workspace, this month" in text
    assert "20 %: $1.00 of $5.00" in text
    assert "All of Parley, this month" in text


async def test_an_instance_that_was_never_used_has_a_page() -> None:
    async with opened() as page:
        text = await page.text()

    assert "No model was called yet." in text
    assert '<dd class="value">$0</dd>' in text


async def test_names_and_ids_are_text_and_never_markup() -> None:
    async with opened() as page:
        await booked(page.store, call(1, user_id="<img src=x onerror=alert(1)>", alias="<b>"))
        response = await page._http.get("/spend?by=model")

    assert "<img src=x" not in response.text
    assert "<b>" not in response.text
    assert response.headers["content-security-policy"] == CONTENT_POLICY
    assert "style=" not in response.text


async def test_asks_nobody_elsewhere_for_anything(page: Page) -> None:
    text = await page.text()

    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert "style=" not in str(to_figure(CARD))


async def test_the_csv_is_the_ledger_of_what_is_shown(page: Page) -> None:
    rows = await page.csv("period=month&workspace=test/w")

    assert [row["turn_id"] for row in rows] == ["t4", "t1", "t2"]
    assert [row["cost_usd"] for row in rows] == ["7", "1", "3"]
    assert rows[0]["tier"] == "cheap"


async def test_the_csv_holds_a_ledger_of_many_pages() -> None:
    async with opened() as page:
        await booked(page.store, *(call(n) for n in range(2_500)))

        rows = await page.csv()

    assert len({row["call_id"] for row in rows}) == 2_500


def test_a_row_without_a_price_has_no_cost() -> None:
    row = dict(zip(COLUMNS, to_row(call(cost=None), PlaceNames()), strict=True))

    assert row["cost_usd"] == ""


def test_dollars_are_exact() -> None:
    assert to_usd(1) == "0.000000001"
    assert to_usd(None) is None


def test_no_cell_is_a_formula() -> None:
    assert "'=1+1" in to_row(replace(call(), user_id="=1+1"), PlaceNames())
