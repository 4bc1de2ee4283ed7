"""A line says what happened, for a person or for a program; libraries do not write their own."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from adapters.logs import JsonFormatter, start_logs


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def _record(message: str, **facts: object) -> logging.LogRecord:
    record = logging.LogRecord("bot.responder", logging.INFO, "", 1, message, (), None)
    vars(record).update(facts)
    return record


def test_a_line_of_json_holds_the_sentence_and_its_facts() -> None:
    line = json.loads(JsonFormatter().format(_record("turn over", turn_id="t1", cost=12)))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "bot.responder",
        "message": "turn over",
        "turn_id": "t1",
        "cost": 12,
    }


def test_a_fault_is_one_line_with_its_trace() -> None:
    record = _record("it failed")
    try:
        raise ValueError("odd\nthing")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["trace"].endswith("odd\nthing")


def test_a_fact_cannot_forge_a_line_or_its_level() -> None:
    record = _record("turn over", level="CRITICAL", thing='a\n{"level": "ERROR"}')
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["level"] == "INFO"


@pytest.mark.parametrize(("style", "is_json"), [("json", True), ("text", False), ("auto", True)])
def test_the_format_is_chosen(
    style: str, is_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    start_logs("INFO", style)  # type: ignore[arg-type]  # a Literal
    logging.getLogger("test").info("a sentence", extra={"fact": 1})
    line = capsys.readouterr().err
    assert line.startswith("{") is is_json
    assert "a sentence" in line


@pytest.mark.parametrize(
    "library", ["LiteLLM", "discord.gateway", "slack_sdk.web", "slack_bolt.App", "httpx", "dbos"]
)
def test_libraries_stay_quiet_when_we_debug(
    library: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start_logs("DEBUG", "text")
    logging.getLogger(library).debug("a whole request")
    logging.getLogger(library).info("a whole request")
    assert capsys.readouterr().err == ""
