"""The short form of the ordeal, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.ordeal import Plan, go_through
from tests.postgres import Server, running_server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.mark.timeout(300)
async def test_kills_break_no_promise_on_sqlite(tmp_path: Path) -> None:
    report = await go_through(
        Plan(kills=3, conversations=3), f"sqlite:///{tmp_path / 'parley.db'}", tmp_path
    )

    assert report.broken.names == [], str(report)
    assert report.events > 3
    assert report.apologised <= 1, str(report)  # three kills of one call end its turn
    assert report.discussions > 0


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_kills_break_no_promise_on_postgresql_with_two_processes(
    tmp_path: Path, postgres: Server
) -> None:
    report = await go_through(
        Plan(kills=3, conversations=3, processes=2), postgres.new_database(), tmp_path
    )

    assert report.broken.names == [], str(report)
    assert report.events > 3
    assert report.apologised <= 1, str(report)  # three kills of one call end its turn
    assert report.discussions > 0
