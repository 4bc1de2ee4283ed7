"""The store in memory: the same contract, for tests and for a program that keeps nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.errors import SupersededError
from bot.messages import ConversationKey, IncomingMessage, Role
from bot.ports import Post
from bot.settings import SettingChange, Settings, parse_setting
from bot.turns import RATE_WINDOW, Begun, Conversation, Summary, Turn, TurnStatus, Utterance
from storage.convert import to_title
from storage.memory_kept import Kept, MemoryForgetting, place_of
from storage.memory_ledger import MemoryLedger
from storage.memory_lessons import MemoryLessons
from storage.memory_spend import MemorySpend
from storage.posts import in_post_order


class _MemoryTurns:
    """Messages and turns."""

    _kept: Kept

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        """Keep a message and its turn."""
        kept, place = self._kept, (message.key.platform, message.message_id)
        if place in kept.messages or turn.turn_id in kept.turns:
            return False
        kept.messages[place] = message
        kept.turns[turn.turn_id] = turn
        name = str(turn.key)
        kept.began.setdefault(name, turn.user_id)
        known = kept.conversations.pop(name, None)
        title = to_title(turn.prompt) if known is None else known.title
        kept.conversations[name] = Conversation(
            key=turn.key, title=title, updated_at=turn.created_at
        )
        return True

    async def keep(self, message: IncomingMessage) -> None:
        """Keep a message that is context only."""
        self._kept.messages.setdefault((message.key.platform, message.message_id), message)

    async def retry(self, turn: Turn) -> bool:
        """Keep a further turn on a kept message."""
        place = (turn.key.platform, turn.message_id)
        if place not in self._kept.messages or place in self._kept.withdrawn:
            return False
        return self._kept.turns.setdefault(turn.turn_id, turn) is turn

    async def amend(self, platform: str, message_id: str, text: str) -> None:
        """Take an edited text."""
        place = (platform, message_id)
        if place in self._kept.messages and place not in self._kept.withdrawn:
            self._kept.messages[place] = replace(self._kept.messages[place], text=text)

    async def name_place(
        self, platform: str, workspace_id: str, channel_id: str, name: str
    ) -> None:
        """Keep what a channel is called, without one the workspace."""
        self._kept.places[platform, workspace_id, channel_id] = name

    async def request_stop(self, turn_id: str) -> bool:
        """Mark a turn as to be stopped."""
        turn = self._kept.turns.get(turn_id)
        if turn is None or turn.status.is_over:
            return False
        self._kept.stopped.add(turn_id)
        return True

    async def going(self, key: ConversationKey) -> tuple[str, ...]:
        """The turns of a conversation that have not ended."""
        turns = self._kept.turns.values()
        return tuple(t.turn_id for t in turns if t.key == key and not t.status.is_over)

    async def add_feedback(self, turn_id: str, user_id: str, value: int) -> None:
        """Keep a person's opinion of an answer; the last one counts."""
        self._kept.feedback[turn_id, user_id] = value

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""
        turn = self._kept.turns.get(turn_id)
        return None if turn is None else self._current(turn)

    async def takes_part(self, key: ConversationKey) -> bool:
        """Whether a prompt was ever accepted in this conversation."""
        return any(turn.key == key for turn in self._kept.turns.values())

    async def begin(self, turn_id: str, at: datetime) -> Begun | None:
        """Mark a turn as running and count the attempt."""
        turn = self._kept.turns.get(turn_id)
        if turn is None or turn.status.is_over:
            return None
        begun = replace(
            self._current(turn),
            status=TurnStatus.RUNNING,
            attempts=turn.attempts + 1,
            started_at=turn.started_at or at,
        )
        self._kept.turns[turn_id] = begun
        return Begun(
            turn=begun,
            settings=self._kept.settings_at(begun.key),
            recent_prompts=self._recent_prompts(begun),
            is_stopped=turn_id in self._kept.stopped,
        )

    def _current(self, turn: Turn) -> Turn:
        message = self._kept.messages[place_of(turn)]
        prompt = turn.prompt if turn.attempts else message.text
        return replace(turn, prompt=prompt, attachments=message.attachments)

    async def is_stopped(self, turn_id: str) -> bool:
        """Whether somebody asked for this turn to stop."""
        return turn_id in self._kept.stopped

    async def stopped(self, turn_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these turns somebody asked to stop."""
        return tuple(turn_id for turn_id in turn_ids if turn_id in self._kept.stopped)

    async def history(self, turn: Turn) -> tuple[Utterance, ...]:
        """What was said in this conversation before this turn, oldest first."""
        said: list[Utterance] = []
        for position, (place, message) in enumerate(self._kept.messages.items(), 1):
            if place == place_of(turn):
                break
            if message.key == turn.key and place not in self._kept.withdrawn:
                said += self._exchange(place, message, position)
        return tuple(said)

    def _exchange(
        self, place: tuple[str, str], message: IncomingMessage, position: int
    ) -> list[Utterance]:
        """A message, and the answer that was given last; nothing for a command."""
        turns = [t for t in self._kept.turns.values() if place_of(t) == place]
        if any("command" in turn.decision for turn in turns):
            return []
        said = Utterance(
            role=Role.USER,
            author_name=message.author_name,
            text=message.text,
            sent_at=message.sent_at,
            attachments=message.attachments,
            position=position,
        )
        answers = [self._answer(turn, position) for turn in turns if turn.reply]
        return [said, answers[-1]] if answers and answers[-1].text else [said]

    def _answer(self, turn: Turn, position: int) -> Utterance:
        marks = sum(v for (turn_id, _), v in self._kept.feedback.items() if turn_id == turn.turn_id)
        footer = turn.reply.footer if turn.reply else None
        return Utterance(
            role=Role.ASSISTANT,
            author_name="",
            text=turn.reply.remembered or turn.reply.text if turn.reply else "",
            sent_at=turn.finished_at or turn.created_at,
            turn_id=turn.turn_id,
            alias=str(turn.decision.get("model", "")),
            tier=footer.tier if footer else None,
            feedback=(marks > 0) - (marks < 0),
            position=position,
        )

    async def summaries(self, key: ConversationKey) -> tuple[Summary, ...]:
        """The summaries of this conversation's beginning, the one that covers least first."""
        own = [summary for (name, _), summary in self._kept.summaries.items() if name == str(key)]
        return tuple(sorted(own, key=lambda summary: summary.covers_to))

    async def keep_summary(self, key: ConversationKey, summary: Summary) -> None:
        """Keep a summary; one that covers as much is replaced."""
        self._kept.summaries[str(key), summary.covers_to] = summary

    def _recent_prompts(self, turn: Turn) -> int:
        since, until = turn.created_at - RATE_WINDOW, turn.created_at
        return sum(
            since < each.created_at <= until and each.user_id == turn.user_id
            for each in self._kept.turns.values()
            if each.key.platform == turn.key.platform
            and each.key.workspace_id == turn.key.workspace_id
        )

    async def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        """The turns of a conversation that were not withdrawn, oldest first."""
        return tuple(
            self._current(turn)
            for turn in self._kept.turns.values()
            if turn.key == key and place_of(turn) not in self._kept.withdrawn
        )

    async def conversations(
        self, platform: str, user_id: str, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """The conversations that a person began, the latest used first."""
        own = [
            conversation
            for name, conversation in self._kept.conversations.items()
            if conversation.key.platform == platform and self._kept.began[name] == user_id
        ]
        return tuple(sorted(own, key=lambda c: c.updated_at, reverse=True)[:limit])


class MemoryStore(_MemoryTurns, MemoryLedger, MemoryForgetting, MemorySpend, MemoryLessons):
    """Everything that is kept, as long as the process lives."""

    def __init__(self) -> None:
        self._kept = Kept()

    async def finish(self, turn: Turn) -> None:
        """Keep a turn's end, and release whatever its calls still hold."""
        known = self._kept.turns.get(turn.turn_id)
        if known is None:
            return
        if known.attempts != turn.attempts:
            raise SupersededError
        self._kept.turns[turn.turn_id] = turn
        self.release_open_calls(turn.turn_id)
        if place_of(turn) in self._kept.withdrawn:
            self.empty_turns([turn])

    async def sending(self, post: Post) -> Post:
        """Keep the intent to post, before posting."""
        return self._kept.posts.setdefault(post.post_id, post)

    async def sent(self, post: Post) -> None:
        """Keep the id that the platform gave it."""
        known = self._kept.posts.get(post.post_id)
        if known is not None:
            self._kept.posts[post.post_id] = replace(
                known, platform_id=post.platform_id, channel_id=post.channel_id
            )

    async def posts(self, turn_id: str) -> tuple[Post, ...]:
        """The posts of a turn, in order."""
        own = [post for post in self._kept.posts.values() if post.turn_id == turn_id]
        return tuple(sorted(own, key=in_post_order))

    async def turn_of_post(self, platform: str, platform_id: str) -> str | None:
        """The turn that a message of ours belongs to."""
        for post in self._kept.posts.values():
            turn = self._kept.turns.get(post.turn_id)
            if post.platform_id == platform_id and turn and turn.key.platform == platform:
                return post.turn_id
        return None

    async def settings(self, key: ConversationKey) -> Settings:
        """The settings in force there: the narrowest wins."""
        return self._kept.settings_at(key)

    async def settings_of(self, scope_id: str) -> dict[str, str]:
        """What is set at one place itself, as it was typed."""
        return dict(self._kept.settings.get(scope_id, {}))

    async def set_setting(self, change: SettingChange) -> None:
        """Change a setting and keep who did it; raises SettingError in words."""
        if change.after is not None:
            parse_setting(change.name, change.after)
        place = self._kept.settings.setdefault(change.scope_id, {})
        before = place.pop(change.name, None)
        if change.after is not None:
            place[change.name] = change.after
        self._kept.audit.append(replace(change, before=before))

    async def audit(self, scope_id: str, limit: int = 100) -> tuple[SettingChange, ...]:
        """The changes made at one place, the latest first."""
        return tuple(c for c in reversed(self._kept.audit) if c.scope_id == scope_id)[:limit]

    async def unfinished(self) -> tuple[Turn, ...]:
        """The turns that are queued or running, oldest first."""
        going = [self._current(t) for t in self._kept.turns.values() if not t.status.is_over]
        return tuple(sorted(going, key=lambda turn: turn.created_at))

    async def sweep(self) -> int:
        """Close the open calls of ended turns and book them as lost; release what they hold."""
        holding = {e.turn_id for e in self._kept.entries.values()} | set(self._kept.reservations)
        ended = [
            turn_id
            for turn_id in holding
            if turn_id not in self._kept.turns or self._kept.turns[turn_id].status.is_over
        ]
        return sum(self.release_open_calls(turn_id) for turn_id in ended)

    async def last_message_ids(self, platform: str) -> tuple[tuple[ConversationKey, str], ...]:
        """For each conversation with a turn: its last message, to read on from."""
        last: dict[str, tuple[ConversationKey, str]] = {}
        for message in self._kept.messages.values():
            if message.key.platform == platform and str(message.key) in self._kept.conversations:
                last[str(message.key)] = (message.key, message.message_id)
        return tuple(last.values())
