"""What the store in memory holds, and how it forgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.budget import Limit
from bot.ledger import LedgerEntry
from bot.lessons import LearnedVersion
from bot.messages import ConversationKey, IncomingMessage
from bot.ports import Post
from bot.settings import SettingChange, Settings, resolve, to_scope_ids
from bot.turns import Conversation, Summary, Turn
from storage.convert import to_title


@dataclass(slots=True)
class Budget:
    """What of a cap is used."""

    limit: Limit
    spent: int = 0
    held: int = 0


@dataclass(slots=True)
class Reservation:
    """What a turn holds for calls to come, and in which budgets."""

    remaining: int
    held_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Where a call's hold was taken from: the budgets, and how much of it was reserved."""

    held_in: tuple[str, ...]
    drawn: int = 0


@dataclass(slots=True)
class Kept:
    """All that there is; messages in the order in which they came."""

    messages: dict[tuple[str, str], IncomingMessage] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    turns: dict[str, Turn] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    feedback: dict[tuple[str, str], int] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    began: dict[str, str] = field(default_factory=dict)
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    alerted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """For each budget: the cap and the mark of the last alert."""
    posts: dict[str, Post] = field(default_factory=dict)
    places: dict[tuple[str, str, str], str] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    audit: list[SettingChange] = field(default_factory=list)
    summaries: dict[tuple[str, int], Summary] = field(default_factory=dict)
    learned: dict[tuple[str, int], LearnedVersion] = field(default_factory=dict)

    def settings_at(self, key: ConversationKey) -> Settings:
        """The settings in force there: the narrowest wins."""
        return resolve(self.settings.get(scope_id, {}) for scope_id in to_scope_ids(key))


def place_of(turn: Turn) -> tuple[str, str]:
    """The message that a turn answers."""
    return turn.key.platform, turn.message_id


class MemoryForgetting:
    """The part of the store in memory that deletes."""

    _kept: Kept

    async def withdraw(self, platform: str, message_id: str) -> tuple[str, ...]:
        """Forget a deleted message; its turns are to stop."""
        return self._forget(lambda m: m.key.platform == platform and m.message_id == message_id)

    async def forget(self, key: ConversationKey) -> tuple[str, ...]:
        """Forget a conversation."""
        return self._forget(lambda message: message.key == key)

    async def forget_user(self, platform: str, workspace_id: str, user_id: str) -> tuple[str, ...]:
        """Forget all that a person wrote in a workspace, and the answers to it."""
        place = (platform, workspace_id, user_id)
        return self._forget(lambda m: (m.key.platform, m.key.workspace_id, m.author_id) == place)

    async def forget_expired(self, now: datetime) -> tuple[str, ...]:
        """Forget what is older than `retention_days` where it was said."""
        return self._forget(lambda message: self._is_expired(message, now))

    def _is_expired(self, message: IncomingMessage, now: datetime) -> bool:
        days = self._kept.settings_at(message.key).retention_days
        return days > 0 and message.sent_at < now - timedelta(days=days)

    def _forget(self, is_chosen: Callable[[IncomingMessage], bool]) -> tuple[str, ...]:
        kept = self._kept
        places = {place for place, message in kept.messages.items() if is_chosen(message)}
        turns = [turn for turn in kept.turns.values() if place_of(turn) in places]
        going = tuple(turn.turn_id for turn in turns if not turn.status.is_over)
        kept.stopped.update(going)
        self.empty_turns(turns)
        names = {str(kept.messages[place].key) for place in places}
        for place in places:
            kept.messages[place] = replace(
                kept.messages[place], text="", author_name="", attachments=()
            )
        kept.withdrawn |= places
        for name in names:
            self._rename(name)
        for key in [key for key in kept.summaries if key[0] in names]:
            del kept.summaries[key]
        return going

    def empty_turns(self, turns: Iterable[Turn]) -> None:
        """Take all words out of turns, their calls and opinions."""
        ids = set()
        for turn in turns:
            ids.add(turn.turn_id)
            self._kept.turns[turn.turn_id] = replace(
                turn, prompt="", user_name="", notice="", reply=None, decision={}, attachments=()
            )
        for entry in self._kept.entries.values():
            if entry.turn_id in ids:
                self._kept.entries[entry.call_id] = replace(entry, text="", error_message="")
        for key in [key for key in self._kept.feedback if key[0] in ids]:
            del self._kept.feedback[key]

    def _rename(self, name: str) -> None:
        """Name a conversation after the first prompt that is left, else list it no more."""
        left = [
            message.text
            for place, message in self._kept.messages.items()
            if str(message.key) == name
            and message.is_addressed
            and place not in self._kept.withdrawn
        ]
        known = self._kept.conversations.pop(name, None)
        if left and known:
            self._kept.conversations[name] = replace(known, title=to_title(left[0]))
