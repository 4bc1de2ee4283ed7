"""A workspace's turns with opinions, as a store has them once people have used it for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.messages import ConversationKey
from bot.ports import Store
from bot.turns import TurnStatus
from tests.fakes import PLACE, incoming, turn

BEGIN = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
BREAD = "my sourdough starter smells like {} and does not rise"
CHAT = "recommend a nice book about {} please"


async def rated(store: Store, first: int, count: int, *, key: ConversationKey = PLACE) -> None:
    """Keep turns of the free tier, one a minute: bread is complained of, chat is praised."""
    for number in range(first, first + count):
        at, is_bread = BEGIN + timedelta(minutes=number), number % 2 == 0
        text = (BREAD if is_bread else CHAT).format(f"{key.workspace_id} {number}")
        place = replace(key, thread_id=f"t{number}")
        message_id = f"{key.workspace_id}{number}"
        asked = turn(
            text,
            f"{key.platform}:{message_id}",
            key=place,
            message_id=message_id,
            created_at=at,
        )
        await store.accept(incoming(text, message_id, key=place, sent_at=at), asked)
        begun = await store.begin(asked.turn_id, at)
        assert begun is not None
        done = replace(
            begun.turn, status=TurnStatus.DONE, decision={"tier": "free"}, finished_at=at
        )
        await store.finish(done)
        await store.add_feedback(asked.turn_id, "ada", -1 if is_bread else 1)
