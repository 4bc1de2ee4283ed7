"""Logs on standard error: a constant sentence and its facts, one line each. No prompts, no keys."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

Format = Literal["auto", "json", "text"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message", "asctime", "taskName", "color_message", "litellm_redacted",
}  # fmt: skip
_QUIET = (
    "LiteLLM",
    "httpx",
    "httpcore",
    "openai",
    "aiosqlite",
    "alembic",
    "apscheduler",
    "asyncio",
    "dbos",
    "discord",
    "opentelemetry",
    "slack_bolt",
    "slack_sdk",
    "websockets",
)
"""At DEBUG these write whole requests, with prompts and keys; so they never do."""


def _facts_of(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class _FactsFormatter(logging.Formatter):
    """`time level sentence  key=value …`; what is in `extra` follows the sentence."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in _facts_of(record).items())
        line = super().format(record)
        first, newline, rest = line.partition("\n")
        return f"{first}  {facts}{newline}{rest}" if facts else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, sentence, facts, and the trace of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            **_facts_of(record),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start_logs(level: str, style: Format = "auto") -> None:
    """Send logs to standard error at `level`; noisy libraries only from WARNING on.

    `auto` is text for a person at a terminal, JSON for a program that collects them.
    """
    handler = logging.StreamHandler(sys.stderr)
    is_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    handler.setFormatter(_text() if is_text else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the web chat logs its own faults


def _text() -> logging.Formatter:
    return _FactsFormatter("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
