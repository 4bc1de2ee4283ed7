"""From a command such as `debate …` to a question on a stage, and to its outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from bot.calls import OnText
from bot.catalog import Catalog, Tier
from bot.command_grammar import Command
from bot.commands import COMMANDS, parse_command
from bot.conversation import needs_of
from bot.messages import Message
from bot.metering import Account
from bot.ports import Sink
from bot.settings import Settings
from bot.strategies.debate import debate
from bot.strategies.ensemble import ensemble
from bot.strategies.outcome import Outcome
from bot.strategies.question import Question
from bot.strategies.stage import Means, Stage
from bot.tags import TIER_TAGS, Tagged, parse_tags

STRATEGIES = {"debate": debate, "ensemble": ensemble}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A discussion that somebody asks for."""

    command: Command
    settings: Settings
    tagged: Tagged
    messages: tuple[Message, ...]


def to_discussion(prompt: str, aliases: Collection[str]) -> Command | None:
    """The debate or ensemble that a prompt asks for, None for anything else.

    A tag before the command counts as one before its question. Raises CommandError in words.
    """
    tagged = parse_tags(prompt, aliases)
    command = parse_command(tagged.prompt)
    if command is None or not COMMANDS[command.name].asks_models:
        return None
    own = parse_tags(command.text, aliases)
    tag = tagged.alias or next((w for w, tier in TIER_TAGS.items() if tier is tagged.tier), "")
    is_tagged = own.prompt != command.text.strip() or not tag
    return command if is_tagged else replace(command, text=f"@{tag} {command.text}")


class Discussions:
    """Runs debates and ensembles."""

    def __init__(self, means: Means, catalog: Callable[[], Catalog]) -> None:
        self._means = means
        self._catalog = catalog

    def stage(self, account: Account, sink: Sink) -> Stage:
        """Where the steps of a turn are made and shown."""
        return Stage(self._means, account, sink)

    async def run(self, asked: Asked, account: Account, stage: Stage, on_text: OnText) -> Outcome:
        """Discuss to the end; raises BotErrors in words when there is no answer at all."""
        question = await self._question(asked, account)
        return await STRATEGIES[asked.command.name](question, stage, on_text)

    async def _question(self, asked: Asked, account: Account) -> Question:
        settings, tagged, turn = asked.settings, asked.tagged, account.turn
        entries = await self._means.ledger.entries(turn.turn_id)
        planned = turn.decision.get("plan")
        return Question(
            turn_id=turn.turn_id,
            messages=asked.messages,
            models=self._catalog(),
            options=asked.command.options,
            needs=needs_of(asked.messages),
            max_tier=min(settings.max_tier, Tier.FULL if tagged.tier is None else tagged.tier),
            allowed=settings.models,
            alias=tagged.alias,
            unhealthy=self._means.health.unhealthy(),
            planned=planned if isinstance(planned, Mapping) else {},
            begun=frozenset(e.call_id.removeprefix(f"{turn.turn_id}:") for e in entries),
        )
