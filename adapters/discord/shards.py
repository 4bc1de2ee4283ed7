"""Which of the bot's shards this process serves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.errors import ConfigurationError

_SHARDS = re.compile(r"(\d+)(?:-(\d+))?/(\d+)")


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards that this process serves; None leaves it to Discord, all in one process."""

    ids: tuple[int, ...] | None = None
    count: int | None = None

    @classmethod
    def parse(cls, text: str) -> Shards:
        """Read `0-3/16` or `5/16`; empty is all. Raises ConfigurationError."""
        if not text.strip():
            return cls()
        match = _SHARDS.fullmatch(text.strip())
        first, last, count = (
            (int(match[1]), int(match[2] or match[1]), int(match[3])) if match else (0, 0, 0)
        )
        if not first <= last < count:
            raise ConfigurationError(
                f"DISCORD_SHARDS is first-last/count, such as 0-3/16, not {text.strip()!r}."
            )
        return cls(tuple(range(first, last + 1)), count)
