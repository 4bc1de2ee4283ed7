"""`parley spend` and `parley prices`, as a person and as a script use them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.program import environment, run
from tests.loopback.providers import ProviderServer


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


async def test_what_was_asked_is_in_the_spend(provider: ProviderServer, tmp_path: Path) -> None:
    env = environment(tmp_path, provider)
    provider.script(text="word " * 40)
    asked = (await run(env, "ask", "--json", "--tier", "full", "Hi")).json

    told = await run(env, "spend", "--by", "model", "--picture", str(tmp_path / "week.png"))
    record = (await run(env, "spend", "month", "--json")).json
    rows = list(csv.DictReader(io.StringIO((await run(env, "spend", "--csv", "-")).out)))

    assert told.code == 0
    assert told.out.startswith("Spend, ")
    assert "- @large: " in told.out
    assert (tmp_path / "week.png").read_bytes().startswith(b"\x89PNG")
    assert record["spent_nanousd"] == asked["cost_nanousd"]
    assert [row["alias"] for row in rows] == ["large"]
    assert int(float(rows[0]["cost_usd"]) * 1e9 + 0.5) == asked["cost_nanousd"]


async def test_what_cannot_be_shown_is_told_in_words(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)

    period = await run(env, "spend", "fortnight")
    place = await run(env, "spend", "--workspace", "slack/T1")
    picture = await run(env, "spend", "--picture", "week.gif")

    assert [each.code for each in (period, place, picture)] == [1, 1, 1]
    assert "Choose one of today, week, month, year, all" in period.err
    assert "No model was called in 'slack/T1'" in place.err
    assert ".svg or .png" in picture.err


async def test_nothing_spent_is_told_as_such(provider: ProviderServer, tmp_path: Path) -> None:
    told = await run(environment(tmp_path, provider), "spend", "all")

    assert told.code == 0
    assert "No model was called." in told.out


async def test_prices_are_compared(provider: ProviderServer, tmp_path: Path) -> None:
    told = await run(environment(tmp_path, provider), "prices")

    assert told.code == 0
    assert "@large" in told.out
    assert "not listed" in told.out
