"""What the core needs from outside, a few verbs each. The docstrings are the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.budget import BudgetAlert, BudgetState, Limit
from bot.calls import Completion, ModelCall, OnText, unheard
from bot.ledger import LedgerEntry
from bot.lessons import AnsweredTurn, LearnedVersion
from bot.messages import ConversationKey, IncomingMessage
from bot.replies import Notice, Reply
from bot.settings import SettingChange, Settings
from bot.spend import Spending, Where
from bot.turns import Begun, Conversation, Summary, Turn, Utterance


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""

    def elapsed_s(self) -> float:
        """Seconds on a clock that only goes forward."""


class Gateway(Protocol):
    """Calls models."""

    async def complete(
        self, call: ModelCall, on_text: OnText, on_reasoning: OnText = unheard
    ) -> Completion:
        """Ask a model; hand each piece of text to `on_text` as it comes, return the whole.

        What a provider shows of the model's reasoning goes to `on_reasoning`: it is billed, too.

        Raises a GatewayError, never a provider's own. Cancelling it ends the provider's stream.
        It tries once: retries and fallbacks are the caller's, since each try costs money.
        """


class Sink(Protocol):
    """Takes one reply to where the question was asked."""

    def status(self, text: str) -> None:
        """Show what is going on, such as the model that was chosen. Never waits."""

    def append(self, text: str) -> None:
        """Show more of the answer, at the pace the platform allows. Never waits."""

    def branch(self, name: str, label: str, *, is_brief: bool = False) -> Sink:
        """A further message of the same turn, under a label; several may be written at once.

        The same name is the same message, also after a crash. A brief one shows only the
        beginning of a long text where messages crowd a channel, the whole in a file. Never waits.
        """

    async def finish(self, reply: Reply) -> None:
        """Show the whole answer exactly, with its footer, notes and buttons. Once, at the end.

        May be repeated after a crash: what is there already is edited, not posted again.
        Raises DeliveryError when the platform refuses for good.
        """

    async def fail(self, notice: Notice) -> None:
        """Show a notice in place of an answer. Once, instead of `finish`; may be repeated."""

    async def close(self) -> None:
        """Show nothing more, without an end: another process goes on with the turn."""


class Delivery(Protocol):
    """Opens sinks on one platform."""

    async def open(self, turn: Turn) -> Sink:
        """A sink for this turn, with a sign of life shown at once.

        May be called again for the same turn, also by another process: it goes on with what was
        posted before.
        """


class Queue(Protocol):
    """Runs turns: in order within a conversation, at once across conversations."""

    async def submit(self, turn: Turn) -> None:
        """Run a turn that the store has accepted. Doing so twice runs it once."""

    async def cancel(self, turn_id: str) -> None:
        """Interrupt a turn that runs now, here or elsewhere; nothing if it does not."""


class Intake(Protocol):
    """What the inbox keeps."""

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        """Keep a message, its turn and its place in the queue in one commit.

        False when (platform, message id) or the turn is there already: then nothing is kept.
        """

    async def keep(self, message: IncomingMessage) -> None:
        """Keep a message that is context only. A known message is left as it is."""

    async def retry(self, turn: Turn) -> bool:
        """Keep a further turn on a kept message, queued. False when the turn is there already."""

    async def amend(self, platform: str, message_id: str, text: str) -> None:
        """Take an edited text; it is what a turn that has not begun will answer."""

    async def withdraw(self, platform: str, message_id: str) -> tuple[str, ...]:
        """Forget a deleted message; its turns are to stop. Returns those that had not ended."""

    async def request_stop(self, turn_id: str) -> bool:
        """Mark a turn as to be stopped. False when it has ended or never was."""

    async def going(self, key: ConversationKey) -> tuple[str, ...]:
        """The turns of a conversation that have not ended."""

    async def name_place(
        self, platform: str, workspace_id: str, channel_id: str, name: str
    ) -> None:
        """Keep what a channel is called, without one the workspace; the last name counts."""

    async def add_feedback(self, turn_id: str, user_id: str, value: int) -> None:
        """Keep a person's opinion of an answer, 1 or -1; the last one counts."""

    async def turn(self, turn_id: str) -> Turn | None:
        """A turn as it stands."""

    async def takes_part(self, key: ConversationKey) -> bool:
        """Whether a prompt was ever accepted in this conversation: there, no mention is needed."""


class TurnStore(Protocol):
    """What the responder reads and keeps."""

    async def begin(self, turn_id: str, at: datetime) -> Begun | None:
        """Mark a turn as running and count the attempt. None when it is over or unknown."""

    async def is_stopped(self, turn_id: str) -> bool:
        """Whether somebody asked for this turn to stop."""

    async def history(self, turn: Turn) -> tuple[Utterance, ...]:
        """What was said in this conversation before this turn, oldest first, back to a limit.

        Without withdrawn messages, answers that were replaced, commands, and the turn's own
        message.
        """

    async def summaries(self, key: ConversationKey) -> tuple[Summary, ...]:
        """The summaries of this conversation's beginning, the one that covers least first."""

    async def keep_summary(self, key: ConversationKey, summary: Summary) -> None:
        """Keep a summary; one that covers as much is replaced."""

    async def settings(self, key: ConversationKey) -> Settings:
        """The settings in force there."""

    async def finish(self, turn: Turn) -> None:
        """Keep a turn's end: status, reply or notice, decision, time."""


class Ledger(Protocol):
    """One entry for each model call, and the budgets it counts for."""

    async def reserve(self, turn: Turn, amount: int, limits: Sequence[Limit]) -> None:
        """Keep a turn's decision, and hold its estimate in every limit, in one commit.

        Once for each turn: asked again, only the decision is kept. What its calls did not use is
        released when the turn is finished, or swept. Raises BudgetExceededError when a limit has
        no room; then nothing is kept.
        """

    async def open(
        self, entry: LedgerEntry, limits: Sequence[Limit], *, draws: bool = False
    ) -> LedgerEntry:
        """Open an entry and hold its amount in every limit, in one commit.

        One that `draws` takes its hold from what its turn has reserved, as far as that goes; only
        what goes beyond must find room, and what it does not use goes back there.
        Returns the entry as it stands. Known and DONE or FAILED: the kept one, nothing is held.
        Known and OPEN or CANCELLED: attempt + 1, and what the earlier attempt can have cost
        (its hold, or its cost) becomes `lost_cost`, spent in the limits of its hold.
        Raises BudgetExceededError, with what is still available, when a limit has no room.
        """

    async def close(self, entry: LedgerEntry) -> bool:
        """Settle an open entry in the limits of its hold: spent + cost, held - hold.

        False, and nothing changes, when the entry is closed or another attempt has begun.
        """

    async def states(
        self, limits: Sequence[Limit], *, turn_id: str = ""
    ) -> tuple[BudgetState, ...]:
        """How much of each limit is spent and held, beside what that turn has reserved."""

    async def claim_alerts(
        self, limits: Sequence[Limit], *, is_used_up: bool = False
    ) -> tuple[BudgetAlert, ...]:
        """The limits that have come to a mark that was not said in their window; notes it as said.

        `is_used_up`: the tightest had no room for a call. Each mark is returned once for each
        window and cap, whoever asks; one that was passed over is not returned later.
        """

    async def entries(self, turn_id: str) -> tuple[LedgerEntry, ...]:
        """The entries of one turn, oldest first."""


class Spend(Protocol):
    """What was spent, added up."""

    async def spending(self, where: Where, bounds: Sequence[datetime]) -> Spending:
        """What was spent between the bounds, added up three times as it was at one moment.

        Each bound but the last begins a part; only the lines are told apart by it.
        """

    async def spent_between(self, where: Where, since: datetime, until: datetime) -> int:
        """The total of a stretch, in nano-dollars."""

    async def first_call_at(self, where: Where) -> datetime | None:
        """When the first call of the workspace was made."""

    async def user_names(self, where: Where, user_ids: Iterable[str]) -> dict[str, str]:
        """What people of a workspace were last called, by their ids; unknown ones are left out."""

    async def channel_names(self, where: Where, channel_ids: Iterable[str]) -> dict[str, str]:
        """What channels of a workspace were last called, by their ids; without unknown ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of ours on a platform.

    `post_id` is `<turn>:p<n>`; that of a branch `<turn>:<branch>:p<n>`.
    """

    post_id: str
    turn_id: str
    created_at: datetime
    platform_id: str = ""
    """Empty until the platform has confirmed it."""
    channel_id: str = ""
    """Where it stands, when that is not the conversation's own place."""


class Posts(Protocol):
    """What was sent where, so that nothing is posted twice."""

    async def sending(self, post: Post) -> Post:
        """Keep the intent to post, before posting. Returns the known post when there is one."""

    async def sent(self, post: Post) -> None:
        """Keep the id that the platform gave it."""

    async def posts(self, turn_id: str) -> tuple[Post, ...]:
        """The posts of a turn, in order."""

    async def turn_of_post(self, platform: str, platform_id: str) -> str | None:
        """The turn that a message of ours belongs to."""


class Upkeep(Protocol):
    """What the engine asks after a crash, and now and then."""

    async def unfinished(self) -> tuple[Turn, ...]:
        """The turns that are queued or running, oldest first."""

    async def sweep(self) -> int:
        """Close the open calls of ended turns and book them as lost; release what they hold."""

    async def last_message_ids(self, platform: str) -> tuple[tuple[ConversationKey, str], ...]:
        """For each conversation with a recent turn: its last message, to read on from."""


class Display(Protocol):
    """What a person can look at again."""

    async def conversations(
        self, platform: str, user_id: str, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """The conversations that a person began, the latest used first."""

    async def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        """The turns of a conversation that were not withdrawn, oldest first."""


class Preferences(Protocol):
    """What people set, with who did it."""

    async def settings_of(self, scope_id: str) -> Mapping[str, str]:
        """What is set at one place itself, as it was typed."""

    async def set_setting(self, change: SettingChange) -> None:
        """Change a setting and keep who did it, in one commit; raises SettingError in words."""

    async def audit(self, scope_id: str, limit: int = 100) -> tuple[SettingChange, ...]:
        """The changes made at one place, the latest first."""


class Forgetting(Protocol):
    """Deletes what was said; ids and what was spent stay. Each returns the turns that must stop."""

    async def forget(self, key: ConversationKey) -> tuple[str, ...]:
        """Forget a conversation."""

    async def forget_user(self, platform: str, workspace_id: str, user_id: str) -> tuple[str, ...]:
        """Forget all that a person wrote in a workspace, and the answers to it."""

    async def forget_expired(self, now: datetime) -> tuple[str, ...]:
        """Forget what is older than `retention_days` where it was said."""


class Observer(Protocol):
    """Is told what happened, for figures and traces. It never waits, raises or decides."""

    def call_ended(self, entry: LedgerEntry) -> None:
        """A model call was settled, however it ended. One that a crash repeats ends once."""

    def turn_ended(self, turn: Turn, error: str) -> None:
        """A turn is over and kept; `error` is the name of its error's class, empty without one."""


class Lessons(Protocol):
    """What opinions have taught, for each workspace by itself; numbers, no word of a prompt."""

    async def answered(self, scope_id: str, limit: int) -> tuple[AnsweredTurn, ...]:
        """The workspace's newest turns that one model answered, oldest first; none forgotten."""

    async def rated_workspaces(self) -> tuple[str, ...]:
        """The scope ids of all workspaces in which somebody gave an opinion."""

    async def learned(self, scope_id: str) -> LearnedVersion | None:
        """The version in use: the newest that was accepted and not withdrawn."""

    async def learned_versions(self, scope_id: str) -> tuple[LearnedVersion, ...]:
        """All versions, the newest first."""

    async def keep_learned(self, version: LearnedVersion) -> bool:
        """Keep a version; False when another process has kept one of that number."""

    async def withdraw_learned(self, scope_id: str, number: int) -> None:
        """Roll a version back: the one before it is in use again."""


class Store(
    Intake,
    TurnStore,
    Ledger,
    Spend,
    Posts,
    Display,
    Upkeep,
    Preferences,
    Forgetting,
    Lessons,
    Protocol,
):
    """Everything that is kept, in one place."""


__all__ = [
    "Clock",
    "Delivery",
    "Display",
    "Forgetting",
    "Gateway",
    "Intake",
    "Ledger",
    "Lessons",
    "Observer",
    "Post",
    "Posts",
    "Preferences",
    "Queue",
    "Sink",
    "Spend",
    "Store",
    "TurnStore",
    "Upkeep",
]
