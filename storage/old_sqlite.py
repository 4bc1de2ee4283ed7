"""What an older SQLite is taught: the time in fractions of a second.

From Python 3.12 on DBOS has SQLite tell it as `unixepoch('subsec')`, which is there since 3.42
(https://sqlite.org/lang_datefunc.html). Debian 12 and Ubuntu 22.04 bring 3.40 and 3.37.
"""

from __future__ import annotations

import sqlite3
import time

SUBSECONDS_SINCE = (3, 42)


def teach_subseconds(
    connection: sqlite3.Connection, version: tuple[int, ...] = sqlite3.sqlite_version_info
) -> None:
    """Let this connection tell the time as a newer SQLite does."""
    if version < SUBSECONDS_SINCE:
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(unit: str) -> float:
    if unit != "subsec":
        raise ValueError(unit)
    return round(time.time(), 3)
