"""Does what commands say, from what is kept: settings, tiers, budgets, forgetting. No model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot import command_texts as texts
from bot.budget import limits_for
from bot.caps import CAPS, InstanceCaps
from bot.catalog import Catalog, Tier
from bot.command_grammar import Command
from bot.commands import COMMANDS
from bot.errors import NotAllowedError, SettingError
from bot.ports import Clock, Store
from bot.replies import Reply
from bot.reporting import Reporter
from bot.settings import (
    PLACES,
    SETTINGS,
    SettingChange,
    parse_setting,
    to_scope_ids,
)
from bot.turns import Turn

Run = Callable[[Command, Turn], Awaitable[str | Reply]]


class CommandRunner:
    """Answers commands in Markdown; refusals are raised as BotErrors, in words."""

    def __init__(
        self,
        store: Store,
        catalog: Callable[[], Catalog],
        clock: Clock,
        *,
        instance_caps: InstanceCaps,
        admins: frozenset[str] = frozenset(),
    ) -> None:
        """`admins` are `platform:user id`, from the configuration."""
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._instance_caps = instance_caps
        self._admins = admins
        self._runs: dict[str, Run] = {
            "help": self._help,
            "models": self._models,
            "tier": self._tier,
            "settings": self._settings,
            "budget": self._budget,
            "forget": self._forget,
            "stop": self._stop,
            "spend": Reporter(store, catalog, clock, instance_caps=instance_caps).spend,
        }

    def with_rights(self, turn: Turn) -> Turn:
        """The turn, an admin's when the configuration says so."""
        named = f"{turn.key.platform}:{turn.user_id}"
        return replace(turn, is_admin=turn.is_admin or named in self._admins)

    async def run(self, command: Command, turn: Turn) -> Reply:
        """Do it, and say what was done."""
        said = await self._runs[command.name](command, turn)
        return said if isinstance(said, Reply) else Reply(text=said, actions=())

    async def _help(self, command: Command, turn: Turn) -> str:
        return texts.help_with(COMMANDS[command.words[0]]) if command.words else texts.help_text()

    async def _models(self, command: Command, turn: Turn) -> str:
        return texts.models_text(self._catalog(), await self._store.settings(turn.key))

    async def _tier(self, command: Command, turn: Turn) -> str:
        if not command.words:
            values = await self._layers(turn)
            return texts.setting_line("tier", await self._store.settings(turn.key), values)
        place = command.options.get("place", "thread")
        tier = parse_setting("tier", command.words[0])
        value = tier.label if isinstance(tier, Tier) else "auto"
        await self._set(turn, place, "tier", value)
        return texts.tier_text(value, place, await self._store.settings(turn.key))

    async def _settings(self, command: Command, turn: Turn) -> str:
        if not command.words:
            settings, layers = await self._store.settings(turn.key), await self._layers(turn)
            return texts.settings_text(settings, layers, is_admin=turn.is_admin)
        if command.words == ("history",):
            return await self._history(turn)
        name, place = command.words[0], command.options.get("place")
        if "reset" in command.options:
            place = place or _narrowest(name, await self._layers(turn))
            await self._set(turn, place, name, None)
            return f"Taken away: `{name}` of this {place}. Now it is:\n" + await self._one(
                name, turn
            )
        if not command.text:
            return await self._one(name, turn)
        place = place or _usual_place(name, is_admin=turn.is_admin)
        await self._set(turn, place, name, command.text)
        return f"Done, for this {place}:\n" + await self._one(name, turn)

    async def _one(self, name: str, turn: Turn) -> str:
        settings = await self._store.settings(turn.key)
        return texts.setting_line(name, settings, await self._layers(turn))

    async def _history(self, turn: Turn) -> str:
        changes = [
            (place, change)
            for place, scope_id in zip(PLACES, to_scope_ids(turn.key), strict=True)
            for change in await self._store.audit(scope_id, texts.MOST_CHANGES)
        ]
        return texts.history_text(changes)

    async def _layers(self, turn: Turn) -> Mapping[str, Mapping[str, str]]:
        """What is set at each place itself, the widest first."""
        return {
            place: await self._store.settings_of(scope_id)
            for place, scope_id in zip(PLACES, to_scope_ids(turn.key), strict=True)
        }

    async def _set(self, turn: Turn, place: str, name: str, value: str | None) -> None:
        may = turn.is_admin or (place == "thread" and SETTINGS[name].is_open)
        if not may:
            raise NotAllowedError(_refusal(name, place))
        if value is not None:
            _check(name, parsed := parse_setting(name, value), self._catalog())
            _check_ids(name, parsed, turn.user_id)
        await self._store.set_setting(
            SettingChange(
                scope_id=to_scope_ids(turn.key)[PLACES.index(place)],
                name=name,
                after=value,
                user_id=turn.user_id,
                at=self._clock.now(),
            )
        )

    async def _budget(self, command: Command, turn: Turn) -> str:
        if command.words:
            name = command.words[0]
            await self._set(turn, CAPS[name].place, name, command.text)
        settings = await self._store.settings(turn.key)
        limits = limits_for(
            turn.key, turn.user_id, settings, self._instance_caps, self._clock.now()
        )
        return texts.budget_text(await self._store.states(limits), is_admin=turn.is_admin)

    async def _stop(self, command: Command, turn: Turn) -> str:
        return texts.STOPPED

    async def _forget(self, command: Command, turn: Turn) -> str:
        if command.words == ("all",):
            key = turn.key
            await self._store.forget_user(key.platform, key.workspace_id, turn.user_id)
            return texts.FORGOTTEN_ALL
        await self._store.forget(turn.key)
        return texts.FORGOTTEN_THREAD


def _narrowest(name: str, layers: Mapping[str, Mapping[str, str]]) -> str:
    """The narrowest place that sets it: that is what somebody who resets it sees."""
    places = [place for place, values in layers.items() if name in values]
    if not places:
        raise SettingError(f"`{name}` is not set here, so there is nothing to take away.")
    return places[-1]


def _usual_place(name: str, *, is_admin: bool) -> str:
    """Where a setting is changed when nobody says where."""
    if name in CAPS:
        return CAPS[name].place
    return "channel" if is_admin or not SETTINGS[name].is_open else "thread"


def _refusal(name: str, place: str) -> str:
    if SETTINGS[name].is_open:
        return f"Only an admin can set `{name}` for this {place}. For this thread you can."
    return f"Only an admin of this workspace can change `{name}`."


def _check(name: str, value: object, catalog: Catalog) -> None:
    """Refuse a list of models of which none is there: nobody could be answered any more."""
    if name != "models" or not isinstance(value, frozenset) or not value:
        return
    unknown = sorted(alias for alias in value if catalog.named(alias) is None)
    if unknown:
        known = ", ".join(f"`{alias}`" for alias in catalog.aliases()) or "none"
        raise SettingError(f"There is no model `{unknown[0]}`. Switched on: {known}.")


def _check_ids(name: str, value: object, own_id: str) -> None:
    """Refuse names where this platform has ids: they would never match anybody."""
    if name.split("_")[0] not in ("allowed", "blocked") or not isinstance(value, frozenset):
        return
    is_id = str.isdigit if own_id.isdigit() else str.isupper if own_id.isupper() else None
    wrong = sorted(each for each in value if is_id is not None and not is_id(each))
    if wrong:
        raise SettingError(f"`{name}` takes ids such as `{own_id}`, not a name like `{wrong[0]}`.")
