"""What people send and what models see: keys, messages, attachments. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


class Role(StrEnum):
    """Who speaks, as a model sees it."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Where a conversation takes place: one thread, direct chat or pane."""

    platform: str
    workspace_id: str
    channel_id: str
    thread_id: str

    def __str__(self) -> str:
        return f"{self.platform}/{self.workspace_id}/{self.channel_id}/{self.thread_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message: by its address, and once read, its content."""

    name: str
    media_type: str
    size_bytes: int
    url: str = ""
    text: str = ""
    """The words of a text, code or PDF file."""
    data: bytes = b""
    """The bytes of an image."""
    problem: str = ""
    """Why it could not be read, for the person who sent it."""

    @property
    def is_image(self) -> bool:
        """Whether a model needs vision for it."""
        return self.media_type.startswith("image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """What a person sent, translated from one platform's event by a pure function."""

    key: ConversationKey
    message_id: str
    """Unique on its platform; a message is answered once by it."""
    author_id: str
    author_name: str
    text: str
    sent_at: datetime
    attachments: tuple[Attachment, ...] = ()
    is_addressed: bool = True
    """False for talk between people: kept as context, never answered."""
    is_admin: bool = False
    role_ids: tuple[str, ...] = ()
    workspace_name: str = ""
    channel_name: str = ""
    """What the place is called, as far as the platform says so with the message."""
    anchor: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """What the platform's delivery needs to answer it, opaque to the core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One role's text as a model sees it."""

    role: Role
    text: str
    attachments: tuple[Attachment, ...] = ()
    position: int = field(default=0, compare=False)
    """Of the last thing said in it, as `Utterance.position`; 0 for what is not kept."""
