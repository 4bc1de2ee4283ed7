"""What was begun in a database is ended there, also when whoever asked for it was cancelled.

A cancelled query costs its connection; a cancelled commit leaves open whether it took place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import getmembers, iscoroutinefunction
from typing import Any, TypeVar

_T = TypeVar("_T")
_going: set[asyncio.Task[Any]] = set()


def uninterrupted(kind: type[_T]) -> type[_T]:
    """Let every public method of a class run to its end."""
    for name, method in getmembers(kind, iscoroutinefunction):
        if not name.startswith("_"):
            setattr(kind, name, _to_the_end(method))
    return kind


def _to_the_end(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def call(*arguments: Any, **named: Any) -> Any:
        task = asyncio.ensure_future(method(*arguments, **named))
        _going.add(task)
        task.add_done_callback(_ended)
        return await asyncio.shield(task)

    return call


def _ended(task: asyncio.Task[Any]) -> None:
    _going.discard(task)
    if not task.cancelled():
        task.exception()  # seen, if nobody waits for it any more


async def until_all_ended() -> None:
    """Wait for what goes on in this loop after its callers have left."""
    loop = asyncio.get_running_loop()
    own = [task for task in _going if task.get_loop() is loop]
    if own:
        await asyncio.wait(own)
