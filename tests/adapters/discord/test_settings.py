"""Settings, tiers and budgets, changed from the chat by commands, menus and forms."""

from __future__ import annotations

from typing import Any

from adapters.discord.forms import MOST_OPTIONS, PAGES, SettingSelect
from bot.settings import SETTINGS
from tests.adapters.discord.conftest import Stage, until
from tests.adapters.discord.test_answering import in_thread
from tests.loopback.discord import Interaction


async def used(stage: Stage, line: str, *, by_owner: bool = True) -> Interaction:
    """A command with its options (`name option=value …`), when it was answered."""
    person = stage.server.world.owner if by_owner else stage.ada
    name, *words = line.split()
    options: dict[str, Any] = dict(word.split("=") for word in words)
    command = stage.server.people.command(stage.channel_id, person["id"], name, **options)
    await until(lambda: command.texts and command.texts[-1])
    return command


async def test_an_admin_sets_the_dial_of_the_server(stage: Stage) -> None:
    command = await used(stage, "settings name=dial value=8 place=server")
    assert command.texts[0].startswith("Done")
    assert command.is_ephemeral
    assert await stage.store.settings_of(f"discord/{stage.guild['id']}") == {"dial": "8"}


async def test_others_may_not_and_are_told(stage: Stage) -> None:
    command = await used(stage, "settings name=dial value=8 place=server", by_owner=False)
    assert "admin" in command.texts[0]
    assert await stage.store.settings_of(f"discord/{stage.guild['id']}") == {}


async def test_a_faulty_value_is_refused_in_words(stage: Stage) -> None:
    command = await used(stage, "settings name=dial value=eleven place=server")
    assert "`dial` takes 0 to 10" in command.texts[0]


async def test_a_setting_is_chosen_and_filled_in_also_after_a_restart(offstage: Stage) -> None:
    people, owner = offstage.server.people, offstage.server.world.owner["id"]
    async with offstage.connected():
        listed = await used(offstage, "settings place=channel")
        assert listed.original is not None
        assert listed.original["content"] == "Choose a setting to change it:"
        await until(lambda: len(listed.messages) >= 2)
        assert all(message["flags"] & 64 for message in listed.messages.values())
    offstage.server.gateway.identify_every_s = 0.0
    async with offstage.connected():
        chosen = people.choose(listed.original, owner, "parley:choose:channel:0", ["footer"])
        await until(lambda: chosen.modal)
    async with offstage.connected():
        sent = people.submit(chosen, owner, {"value": "short"})
        await until(lambda: sent.texts and sent.texts[-1])
    scope = f"discord/{offstage.guild['id']}/{offstage.channel_id}"
    assert await offstage.store.settings_of(scope) == {"footer": "short"}


async def test_in_a_thread_anybody_sets_its_tier(stage: Stage) -> None:
    thread = await in_thread(stage)
    command = stage.server.people.command(thread["id"], stage.ada["id"], "tier", tier="full")
    await until(lambda: command.texts and command.texts[-1])
    stage.say("and now?", thread["id"])
    await stage.answered(thread["id"], 2)
    assert [call.model.alias for call in stage.gateway.calls] == ["free", "full"]


async def test_commands_work_as_words_in_a_thread(stage: Stage) -> None:
    thread = await in_thread(stage)
    stage.say("tier full", thread["id"])
    await until(lambda: len(stage.server.texts(thread["id"])) == 2)
    assert stage.gateway.prompts == ["begin"]


async def test_the_budget_is_shown_to_who_asks(stage: Stage) -> None:
    await used(stage, "budget whose=workspace dollars=5")
    await used(stage, "budget whose=user dollars=2 period=weekly")
    command = await used(stage, "budget")
    assert "this month: $0 of $5" in command.texts[0]
    assert "**You**, this week: $0 of $2" in command.texts[0]
    assert command.is_ephemeral


async def test_what_was_said_is_forgotten(stage: Stage) -> None:
    thread = await in_thread(stage)
    command = stage.server.people.command(thread["id"], stage.ada["id"], "forget", what="thread")
    await until(lambda: command.texts and command.texts[-1])
    stage.say("what did I say?", thread["id"])
    await stage.answered(thread["id"], 2)
    texts = [message.text for message in stage.gateway.calls[-1].messages]
    assert "begin" not in texts


def test_every_setting_is_in_one_of_the_menus_within_discords_limit() -> None:
    menus = [SettingSelect("channel", page).item.options for page in range(PAGES)]
    assert [option.label for options in menus for option in options] == list(SETTINGS)
    assert all(1 <= len(options) <= MOST_OPTIONS for options in menus)


async def test_a_person_whom_a_setting_names_keeps_their_id(stage: Stage) -> None:
    bot, owner, ada = stage.server.world.bot, stage.server.world.owner, stage.ada
    line = f"<@{bot['id']}> settings workspace blocked_users <@{ada['id']}>"
    said = stage.server.people.say(stage.channel_id, owner["id"], line)
    await until(lambda: stage.server.messages(said["id"]))
    kept = await stage.store.settings_of(f"discord/{stage.guild['id']}")
    assert kept == {"blocked_users": f"<@{ada['id']}>"}
