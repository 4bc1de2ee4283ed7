"""Logs on standard error: a constant sentence and its facts, one line each. No prompts, no keys."""

from __future__ import annotations

import logging
import sys

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
)


class _FactsFormatter(logging.Formatter):
    """`time level sentence  key=value …`; what is in `extra` follows the sentence."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(
            f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD
        )
        line = super().format(record)
        first, newline, rest = line.partition("\n")
        return f"{first}  {facts}{newline}{rest}" if facts else line


def start_logs(level: str) -> None:
    """Send logs to standard error at `level`; noisy libraries only from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _FactsFormatter("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # the web chat logs its own faults
