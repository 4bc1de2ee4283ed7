"""What `doctor` sees by itself, and what it advises."""

import socket
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from adapters.cli import findings
from adapters.cli.findings import Verdict
from adapters.llm import PriceTable
from adapters.settings import AppSettings
from tests.fakes import NOON, model

SAID = "Mon, 23 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("day", "verdicts"),
    [
        ("2026-11-22", [Verdict.FAULT]),
        ("2026-12-24", [Verdict.HINT]),
        ("2027-11-23", []),
        (None, []),
    ],
)
def test_a_model_that_ends_is_told_in_time(day: str | None, verdicts: list[Verdict]) -> None:
    table = PriceTable(
        {"provider/old": {"mode": "chat", "litellm_provider": "provider", "deprecation_date": day}}
    )
    found = list(findings.retirements([model("old")], table, date(2026, 11, 23)))
    assert [finding.verdict for finding in found] == verdicts
    assert all("models.toml" in finding.remedy for finding in found)


def test_a_data_folder_that_others_read_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert findings.folder(tmp_path).verdict is Verdict.HINT
    tmp_path.chmod(0o700)
    assert findings.folder(tmp_path).verdict is Verdict.OK
    assert "first start" in findings.folder(tmp_path / "absent").says


def test_a_port_that_is_taken_may_be_parley_s_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        assert findings.port("127.0.0.1", number).verdict is Verdict.HINT
    assert findings.port("127.0.0.1", number).verdict is Verdict.OK


def test_an_address_is_taken_by_its_own_family() -> None:
    """Of IPv6, which this machine may lack: what is wrong is never the family."""
    assert "family for hostname" not in findings.port("::1", 0).says


def test_an_address_of_another_machine_is_a_fault() -> None:
    assert findings.port("192.0.2.1", 8484).verdict is Verdict.FAULT


def test_an_env_file_that_others_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert list(findings.env_file(path)) == []
    path.write_text("OPENAI_API_KEY=x")
    path.chmod(0o644)
    assert [f.remedy for f in findings.env_file(path)] == [
        f"Unless you mean them to: chmod go-rwx {path}"
    ]


@pytest.mark.parametrize(
    ("host", "token", "verdicts"),
    [
        ("127.0.0.1", "", []),
        ("::1", "", []),
        ("0.0.0.0", "", [Verdict.FAULT]),
        ("0.0.0.0", "abc", [Verdict.HINT]),
        ("0.0.0.0", "x" * 32, []),
    ],
)
def test_a_token_that_can_be_guessed_is_told(
    host: str, token: str, verdicts: list[Verdict]
) -> None:
    known = {"parley_host": host, "parley_web_token": SecretStr(token)}
    settings = AppSettings.model_validate(known)
    assert [finding.verdict for finding in findings.tokens(settings)] == verdicts


@pytest.mark.parametrize(
    ("late_s", "verdict", "says"),
    [
        (0, Verdict.OK, "agrees"),
        (29, Verdict.OK, "agrees"),
        (120, Verdict.FAULT, "120 s ahead of"),
        (-3_600, Verdict.FAULT, "3,600 s behind"),
    ],
)
def test_a_clock_that_goes_wrong_is_told(late_s: float, verdict: Verdict, says: str) -> None:
    found = findings.compare(SAID, NOON + timedelta(seconds=late_s))
    assert found is not None
    assert (found.verdict, says in found.says) == (verdict, True)


@pytest.mark.parametrize("said", ["", "yesterday", "Mon, 99 Nov 2026"])
def test_a_server_that_does_not_know_the_time_is_left_aside(said: str) -> None:
    assert findings.compare(said, NOON) is None


async def test_the_next_is_asked_when_one_does_not_answer() -> None:
    async with TestServer(web.Application()) as server:
        asked: Iterator[str] = iter(["http://127.0.0.1:1/", str(server.make_url("/"))])
        found = await findings.clock(asked)
    assert [finding.verdict for finding in found] == [Verdict.OK]


async def test_without_anybody_to_ask_nothing_is_said() -> None:
    assert await findings.clock([]) == ()
