"""The close of a turn: its end is shown, kept and told of, whatever the platform makes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.errors import DeliveryError
from bot.ports import Clock, Observer, Sink, TurnStore
from bot.replies import Action, Notice
from bot.turns import Turn

logger = logging.getLogger("bot.responder")
"""The name under which people find `turn over` in their logs; docs/observing.md shows it."""


class Closing:
    """Closes turns. `error` is the name of the class of what went wrong, empty when nothing did."""

    def __init__(self, store: TurnStore, clock: Clock, observers: Sequence[Observer]) -> None:
        self._store = store
        self._clock = clock
        self._observers = observers

    async def close(self, turn: Turn, sink: Sink, error: str) -> None:
        """Show the end, then keep it. A stop that comes only now changes nothing about it."""
        turn = self._dated(turn)
        showing = asyncio.ensure_future(_show(turn, sink))
        try:
            await asyncio.shield(showing)
        except asyncio.CancelledError:
            if not await self._store.is_stopped(turn.turn_id):
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
                raise
            await showing
        await self._keep(turn, error)

    async def close_unseen(self, turn: Turn, error: str) -> None:
        """Keep the end of a turn that there is no place to show it in."""
        await self._keep(self._dated(turn), error)

    def _dated(self, turn: Turn) -> Turn:
        return replace(turn, finished_at=self._clock.now())

    async def _keep(self, turn: Turn, error: str) -> None:
        """Keep a turn's end, then tell of it."""
        await self._store.finish(turn)
        footer = turn.reply.footer if turn.reply else None
        latency_s = (self._clock.now() - turn.created_at).total_seconds()
        logger.info(
            "turn over",
            extra={
                "turn_id": turn.turn_id,
                "platform": turn.key.platform,
                "status": turn.status.value,
                "model": footer.model if footer else "",
                "cost": footer.cost if footer else 0,
                "latency_s": round(latency_s, 3),
                "error": error,
            },
        )
        for observer in self._observers:
            observer.turn_ended(turn, error)


async def _show(turn: Turn, sink: Sink) -> None:
    """A platform that refuses does not lose the answer."""
    try:
        if turn.reply is not None:
            await sink.finish(turn.reply)
        else:
            actions = () if turn.is_refused else (Action.AGAIN,)
            notice = Notice(text=turn.notice, actions=actions, is_refusal=turn.is_refused)
            await sink.fail(notice)
    except DeliveryError as error:
        # Mostly people's doing: the prompt or the thread was deleted meanwhile.
        facts = {"turn_id": turn.turn_id, "error": type(error).__name__, "says": str(error)}
        logger.warning("the answer could not be posted", extra=facts)
