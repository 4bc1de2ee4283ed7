"""What the web chat is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from adapters.web.delivery import WebDelivery
from adapters.web.startup import Stages
from bot.catalog import Catalog
from bot.inbox import Inbox
from bot.ledger import LedgerEntry
from bot.messages import ConversationKey
from bot.ports import Clock
from bot.settings import Settings
from bot.turns import Conversation, Turn

PLATFORM = "web"
WORKSPACE = "local"
CHANNEL = "chat"
USER_ID = "local"
USER_NAME = "you"


class WebStore(Protocol):
    """What the page reads."""

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The model calls of a turn, oldest first."""

    async def settings(self, key: ConversationKey) -> Settings:
        """The settings in force there."""

    async def conversations(
        self, platform: str, user_id: str, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """The conversations that a person began, the latest used first."""

    async def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        """The turns of a conversation, oldest first."""

    async def forget(self, key: ConversationKey) -> tuple[str, ...]:
        """Delete what was said in a conversation; what was spent stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """Everything the web chat may use; `main` builds it."""

    store: WebStore
    inbox: Inbox
    delivery: WebDelivery
    stages: Stages
    catalog: Callable[[], Catalog]
    """The active models now; more may be found while the page is open already."""
    clock: Clock
    token: str = ""
    """What a visitor must know; empty asks nobody, which only loopback may do."""


async def entries_of(store: WebStore, turns: Iterable[Turn]) -> dict[str, tuple[LedgerEntry, ...]]:
    """The model calls of those turns that were made in steps, by the turn's id."""
    in_steps = [turn.turn_id for turn in turns if turn.decision.get("strategy")]
    return {turn_id: await store.entries(turn_id) for turn_id in in_steps}


def to_key(conversation_id: str) -> ConversationKey:
    """The place of a conversation on the page."""
    return ConversationKey(
        platform=PLATFORM, workspace_id=WORKSPACE, channel_id=CHANNEL, thread_id=conversation_id
    )


async def listed(store: WebStore) -> tuple[Conversation, ...]:
    """The conversations to show; a forgotten one has lost its title."""
    return tuple(c for c in await store.conversations(PLATFORM, USER_ID) if c.title)
