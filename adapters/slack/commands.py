"""Commands: as `/parley …`, and as words in threads, where Slack refuses slash commands."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.slack.formatting import markdown_block
from adapters.slack.inbound import PLATFORM
from adapters.slack.posts import Place, TurnPosts
from adapters.slack.workspaces import Workspace
from bot.catalog import Catalog
from bot.errors import BotError, NotAllowedError
from bot.inbox import Inbox
from bot.messages import ConversationKey, IncomingMessage
from bot.ports import Clock, Store
from bot.settings import SETTINGS, SettingChange, parse_setting, shown, to_scope_ids
from bot.tags import TIER_TAGS

HELP = """\
Mention me in a channel, write to me here, or run `/parley ask …`. I answer in a thread; \
there you need not mention me again.

**Choose a model yourself:** `@fast` free · `@cheap` cheap · `@heavy` the best · \
`@auto` I decide · `@model:NAME` that one

**Commands** (in a channel with `/parley` in front; in a thread just the words, after my name)
`ask QUESTION` · `models` · `tier fast|cheap|heavy|auto` · `stop` · `settings` · `help`"""


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody wants done, with what follows the word."""

    name: str
    rest: str = ""


_TIERS = "|".join([*TIER_TAGS, "auto", "free", "full"])
_WORDS = re.compile(
    rf"(?P<name>help|models|stop|settings)[.!?]?|tier\s+(?P<tier>{_TIERS})", re.IGNORECASE
)


def to_command(text: str) -> Command | None:
    """The command that a message in a thread is; None for everything else, such as a question.

    Only the bare words count, so that "stop the server" and "help me" stay questions.
    """
    match = _WORDS.fullmatch(text.strip().removeprefix("/parley").strip())
    if match is None:
        return None
    return (
        Command("tier", match["tier"].lower()) if match["tier"] else Command(match["name"].lower())
    )


def to_slash_command(command: str, text: str) -> Command:
    """The command behind `/parley …` or one of its short forms."""
    if command != "/parley":
        return Command(command.removeprefix("/"), text.strip())
    word, _, rest = text.strip().partition(" ")
    name = word.lower()
    if name in ("ask", "models", "tier", "settings", "stop", "help", ""):
        return Command(name or "help", rest.strip())
    return Command("ask", text.strip())


class Commands:
    """Does what commands say."""

    def __init__(
        self, *, inbox: Inbox, store: Store, clock: Clock, catalog: Callable[[], Catalog]
    ) -> None:
        self._inbox = inbox
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._answers: Mapping[str, Callable[[Command, Place, bool, str], Awaitable[str]]] = {
            "help": self._help,
            "models": self._models,
            "tier": self._tier,
            "stop": self._stop,
            "settings": self._settings,
        }

    async def answer(
        self, command: Command, place: Place, *, is_admin: bool, workspace_id: str
    ) -> str:
        """What to say to a command; refusals are said, too."""
        try:
            return await self._answers[command.name](command, place, is_admin, workspace_id)
        except BotError as error:
            return str(error)

    async def in_thread(
        self, command: Command, incoming: IncomingMessage, workspace: Workspace
    ) -> None:
        """Answer a command that was written as words."""
        key = incoming.key
        place = Place(key.channel_id, key.thread_id, incoming.author_id)
        text = await self.answer(
            command, place, is_admin=incoming.is_admin, workspace_id=key.workspace_id
        )
        await self.tell(text, incoming, workspace)

    async def tell(self, text: str, incoming: IncomingMessage, workspace: Workspace) -> None:
        """Say something below a message, once, however often its event comes."""
        key = incoming.key
        place = Place(key.channel_id, key.thread_id, incoming.author_id)
        turn_id = f"{PLATFORM}:{incoming.message_id}"
        posts = TurnPosts(workspace, self._store, self._clock, turn_id, place)
        await posts.post(1, text, [markdown_block(text)])

    async def change(self, scope_id: str, name: str, value: str | None, user_id: str) -> None:
        """Change one setting of a place; raises SettingError in words."""
        if value is not None:
            parse_setting(name, value)
        at: datetime = self._clock.now()
        await self._store.set_setting(
            SettingChange(scope_id=scope_id, name=name, after=value, user_id=user_id, at=at)
        )

    async def _help(self, command: Command, place: Place, is_admin: bool, workspace_id: str) -> str:
        return HELP

    async def _models(
        self, command: Command, place: Place, is_admin: bool, workspace_id: str
    ) -> str:
        lines = [
            f"- `@{model.alias}` · {model.tier.label} · {_price(model.input_usd_per_mtok)} in, "
            f"{_price(model.output_usd_per_mtok)} out per million tokens"
            for model in self._catalog()
        ]
        return "\n".join(lines) or "No model is switched on. `parley doctor` says what is missing."

    async def _tier(self, command: Command, place: Place, is_admin: bool, workspace_id: str) -> str:
        value = command.rest.lower()
        key = to_place_key(place, workspace_id)
        parse_setting("tier", value or "?")
        if place.thread_ts:
            await self.change(str(key), "tier", value, place.user_id)
            return f"From now on the tier in this thread is `{value}`."
        if not is_admin:
            raise NotAllowedError(
                "Only an admin can set the tier of a channel. In a thread you can."
            )
        await self.change(to_scope_ids(key)[1], "tier", value, place.user_id)
        return f"From now on the tier in this channel is `{value}`."

    async def _stop(self, command: Command, place: Place, is_admin: bool, workspace_id: str) -> str:
        stopped = await self.stop_in(to_place_key(place, workspace_id))
        return "Stopped." if stopped else "There is nothing to stop here."

    async def stop_in(self, key: ConversationKey) -> int:
        """Stop every answer that is under way in a thread."""
        going = [turn for turn in await self._store.unfinished() if turn.key == key]
        return sum([await self._inbox.stop(turn.turn_id) for turn in going])

    async def _settings(
        self, command: Command, place: Place, is_admin: bool, workspace_id: str
    ) -> str:
        if command.rest:
            return await self._set(command.rest, place, is_admin, workspace_id)
        key = to_place_key(place, workspace_id)
        settings = await self._store.settings(key)
        lines = [f"- `{name}` {shown(name, getattr(settings, name))}" for name in SETTINGS]
        return "Settings here:\n\n" + "\n".join(lines)

    async def _set(self, rest: str, place: Place, is_admin: bool, workspace_id: str) -> str:
        if not is_admin:
            raise NotAllowedError
        name, _, value = rest.partition(" ")
        scope_id = to_scope_ids(to_place_key(place, workspace_id))[1]
        await self.change(scope_id, name, value, place.user_id)
        return f"`{name}` is now `{value.strip()}` in this channel."


def to_place_key(place: Place, workspace_id: str) -> ConversationKey:
    """The conversation of a place."""
    return ConversationKey(
        platform=PLATFORM,
        workspace_id=workspace_id,
        channel_id=place.channel_id,
        thread_id=place.thread_ts,
    )


def _price(usd: object) -> str:
    return "unpriced" if usd is None else f"${usd}"
