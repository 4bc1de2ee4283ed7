"""Sets a program's clock: put this folder on its PYTHONPATH and seconds into CLOCK_OFFSET_FILE."""

from __future__ import annotations

import datetime as module
import os
import time
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

_offset = Path(os.environ["CLOCK_OFFSET_FILE"])
_real_time = time.time


def _set_time() -> float:
    return _real_time() + float(_offset.read_text(encoding="utf-8"))


class _LikeReal(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class _SetDatetime(datetime, metaclass=_LikeReal):
    """Knows the time from the clock above; the moments that it makes are ordinary ones."""

    def __new__(cls, *parts: Any, **named: Any) -> datetime:  # type: ignore[misc]  # as it says
        return datetime(*parts, **named)  # noqa: DTZ001  # with a zone if one was given

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # as it says
        return datetime.fromtimestamp(time.time(), tz)


time.time = _set_time
module.datetime = _SetDatetime  # type: ignore[misc]  # that is what this is for
