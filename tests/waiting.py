"""Waiting for what is going to be true, with a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], *, limit_s: float = 10.0) -> None:
    """Wait until something is true; raises TimeoutError when it takes too long."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.02)
