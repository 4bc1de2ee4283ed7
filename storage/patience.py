"""Waits with what must not get lost for a store that is gone: a call's end is paid for already."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.errors import StoreError

PATIENCE_S = 60.0
"""A database that is started again, or goes on elsewhere, is mostly back by then."""
RETRY_S = 0.5
logger = logging.getLogger(__name__)


async def until_kept(
    keep: Callable[[], Awaitable[bool]], is_kept: Callable[[], Awaitable[bool]]
) -> bool:
    """Keep something, trying again while the store is gone. Whether it is kept.

    `is_kept` tells what no answer has told: whether an earlier try's commit took place.
    """
    until_s = time.monotonic() + PATIENCE_S
    is_unsure = False
    while True:
        try:
            return await keep() or (is_unsure and await is_kept())
        except StoreError:
            if time.monotonic() >= until_s:
                raise
            if not is_unsure:
                logger.warning("the store is gone, so a call's end waits for it")
            is_unsure = True
            await asyncio.sleep(RETRY_S)
