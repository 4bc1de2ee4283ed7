"""What the web chat is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.web.delivery import WebDelivery
from adapters.web.startup import Stages
from bot.catalog import Catalog
from bot.inbox import Inbox
from bot.ledger import LedgerEntry
from bot.messages import ConversationKey
from bot.ports import Clock
from bot.settings import Settings
from bot.tags import without_tags
from bot.turns import Conversation, Turn

PLATFORM = "web"
WORKSPACE = "local"
CHANNEL = "chat"
USER_ID = "local"
USER_NAME = "you"
TITLE_CHARACTERS = 80


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


async def listed(parts: WebParts) -> tuple[Conversation, ...]:
    """The conversations to show; a forgotten one has lost its title."""
    aliases = parts.catalog().aliases()
    kept = await parts.store.conversations(PLATFORM, USER_ID)
    return tuple(replace(c, title=to_title(c.title, aliases)) for c in kept if c.title)


def to_title(prompt: str, aliases: Collection[str]) -> str:
    """What a conversation is called: how it began, on one line, without tags."""
    line = " ".join((without_tags(prompt, aliases) or prompt).split())
    return line if len(line) <= TITLE_CHARACTERS else f"{line[: TITLE_CHARACTERS - 1]}…"
