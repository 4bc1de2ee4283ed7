"""A turn: what was asked, what was decided, what was answered; and what a conversation holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.catalog import Tier
from bot.messages import NOTHING, Attachment, ConversationKey, Role
from bot.replies import Reply
from bot.settings import Settings

RATE_WINDOW = timedelta(minutes=1)
REFUSED = "refused"
"""What a refused turn's decision holds."""


class TurnStatus(StrEnum):
    """How far a turn has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One prompt and its answer, from the moment it is accepted."""

    turn_id: str
    """The platform's event: `discord:<message id>`; the same event is the same turn."""
    key: ConversationKey
    message_id: str
    user_id: str
    user_name: str
    prompt: str
    """As typed, tags included; read anew from the message until the answer begins."""
    created_at: datetime
    attachments: tuple[Attachment, ...] = ()
    tier: Tier | None = None
    """Asked for by a button (Heavier); overrules the tags."""
    retry_of: str | None = None
    """The turn whose answer this one replaces."""
    is_admin: bool = False
    role_ids: tuple[str, ...] = ()
    anchor: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    status: TurnStatus = TurnStatus.QUEUED
    attempts: int = 0
    """How often it was begun; more than one after a crash."""
    reply: Reply | None = None
    notice: str = ""
    """What the person was told when it failed."""
    decision: Mapping[str, object] = field(default_factory=dict)
    """Why this model: what `explanation.to_record` keeps, in plain values."""
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it was refused before any model was asked; asked again, it would be again."""
        return REFUSED in self.decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A turn that has begun to run, and what is known of it at that moment."""

    turn: Turn
    settings: Settings
    """Those in force where it was asked."""
    recent_prompts: int
    """How many turns its user has sent in its workspace within RATE_WINDOW, this one included."""
    is_stopped: bool = False
    """Whether somebody has asked for it to stop already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One message of a conversation as it is kept, whoever said it."""

    role: Role
    author_name: str
    text: str
    sent_at: datetime
    attachments: tuple[Attachment, ...] = ()
    turn_id: str = ""
    alias: str = ""
    """The model that answered, for an answer."""
    tier: Tier | None = None
    feedback: int = 0
    """1 for 👍, -1 for 👎 or Heavier, on an answer."""
    position: int = 0
    """Where its message stands among all that are kept; it only grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What stands for the beginning of a conversation where that does not fit a model's window."""

    covers_to: int
    """The position of the last message in it."""
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation as it stands in a list: where it is, how it began, when it was last used."""

    key: ConversationKey
    title: str
    updated_at: datetime
