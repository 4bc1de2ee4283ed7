"""Commands are done from what is kept, by those who may, and say what was done."""

from dataclasses import replace

import pytest

from bot.commands import COMMANDS
from bot.settings import SETTINGS, SettingChange
from bot.turns import TurnStatus
from tests.fakes import NOON, PLACE, ScriptedGateway, completion
from tests.unit.world import World

CHANNEL = "test/w/c"


async def _say(world: World, text: str, number: int = 1, **more: object) -> str:
    sink = await world.ask(text, f"m{number}", **more)
    ended = [event for name, event in sink.events if name in ("finish", "fail")]
    return str(getattr(ended[0], "text", ""))


@pytest.mark.parametrize("name", [name for name, spec in COMMANDS.items() if spec.is_on])
async def test_every_command_that_help_lists_is_answered(name: str) -> None:
    world = World(ScriptedGateway())
    if not COMMANDS[name].asks_models:
        await _say(world, f"/{name}", is_admin=True)
        assert world.delivery.last.reply.text
        assert world.gateway.calls == []
    assert name == "help" or f"- `{name}" in await _say(world, "help", 2)


async def test_a_command_costs_nothing_and_has_no_small_print_and_no_buttons() -> None:
    world = World(ScriptedGateway())
    await _say(world, "help")
    reply = world.delivery.last.reply
    assert (reply.footer, reply.actions, world.gateway.calls) == (None, (), [])
    assert await world.store.entries("test:m1") == ()
    assert await world.status() is TurnStatus.DONE


async def test_help_tells_one_command_in_full() -> None:
    text = await _say(World(ScriptedGateway()), "help settings")
    assert all(f"`{name}`" in text for name in SETTINGS)


async def test_commands_are_not_sent_to_models_later() -> None:
    world = World(ScriptedGateway("Hi"))
    await _say(world, "tier full")
    await _say(world, "/teir full", 2)
    await _say(world, "Hello", 3)
    assert [m.text for m in world.gateway.calls[0].messages[1:]] == ["Hello"]


async def test_a_faulty_command_is_told_and_costs_nothing() -> None:
    world = World(ScriptedGateway())
    assert "Did you mean `heavy`?" in await _say(world, "tier heavi")
    assert world.gateway.calls == []


async def test_models_says_what_is_allowed_here() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings max_tier cheap", is_admin=True)
    lines = (await _say(world, "models", 2)).splitlines()
    assert (
        lines[0] == "- `@free` · free · free, worth $0.10 in, $0.40 out per million tokens · "
        "100,000 tokens"
    )
    assert lines[2].endswith("reads images · **not allowed here**")


async def test_anybody_sets_the_tier_of_a_thread_and_the_router_obeys() -> None:
    world = World(ScriptedGateway())
    assert "the `full` tier answers in this thread" in await _say(world, "tier heavy")
    sink = await world.ask("Hi", "m2")
    assert sink.reply.footer is not None
    assert sink.reply.footer.model == "full"
    assert "I decide" in await _say(world, "/tier auto", 3)
    assert "**auto** (set for this thread)" in await _say(world, "tier", 4)


async def test_a_tier_above_the_dearest_allowed_is_said_to_go_no_further() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings max_tier cheap", is_admin=True)
    assert "allowed here is `cheap`" in await _say(world, "tier full", 2)


async def test_only_an_admin_sets_the_tier_of_a_channel() -> None:
    world = World(ScriptedGateway())
    assert "Only an admin" in await _say(world, "tier full channel")
    assert "this channel" in await _say(world, "tier full channel", 2, is_admin=True)
    assert await world.store.settings_of(CHANNEL) == {"tier": "full"}


async def test_an_admin_of_the_configuration_is_one_everywhere() -> None:
    world = World(ScriptedGateway(), admins=frozenset({"test:ada"}))
    assert "Done" in await _say(world, "settings dial 7")
    other = World(ScriptedGateway(), admins=frozenset({"other:ada"}))
    assert "Only an admin" in await _say(other, "settings channel dial 7")


async def test_settings_show_where_each_value_comes_from() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings workspace dial 3", 1, is_admin=True)
    await _say(world, "settings dial 7", 2, is_admin=True)
    await _say(world, "settings workspace footer short", 3, is_admin=True)
    text = await _say(world, "settings", 4)
    assert "- `dial` **7** (set for this channel)" in text
    assert "- `footer` **short** (set for this workspace)" in text
    assert "`threads` on · " in text.partition("**As it comes**")[2]
    assert "the rest is for admins" in text


async def test_resetting_takes_away_what_one_sees() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings workspace dial 3", 1, is_admin=True)
    await _say(world, "settings dial 7", 2, is_admin=True)
    text = await _say(world, "settings reset dial", 3, is_admin=True)
    assert "**3** (set for this workspace)" in text
    assert "nothing to take away" in await _say(world, "settings reset footer", 4, is_admin=True)


async def test_a_person_may_set_what_is_theirs_for_a_thread_only() -> None:
    world = World(ScriptedGateway())
    assert "this thread" in await _say(world, "settings dial 7")
    assert "For this thread you can" in await _say(world, "settings channel dial 7", 2)
    assert "Only an admin" in await _say(world, "settings thread retention_days 1", 3)
    assert "Only an admin" in await _say(world, "budget user 100", 4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("settings dial 11", "`dial` takes 0 to 10, not '11'"),
        ("settings models gpt9", "There is no model `gpt9`"),
        ("settings zone Mars/Olympus", "takes a time zone"),
        ("budget user 5000000000000", "`user_daily_cap` takes dollars"),
    ],
)
async def test_a_value_outside_its_range_is_refused_and_not_kept(text: str, says: str) -> None:
    world = World(ScriptedGateway())
    assert says in await _say(world, text, is_admin=True)
    assert await world.store.audit(CHANNEL) == ()


async def test_the_history_says_who_changed_what() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings dial 3", 1, is_admin=True)
    await _say(world, "settings dial 7", 2, is_admin=True, author_id="bob`*")
    text = await _say(world, "settings history", 3)
    assert text.splitlines() == [
        "- 23 November 2026, 12:00 UTC · `bobˋ∗` · this channel · `dial`: 3 → 7",
        "- 23 November 2026, 12:00 UTC · `ada` · this channel · `dial`: not set → 3",
    ]


async def test_a_typed_prompt_cannot_break_out_of_the_list() -> None:
    world = World(ScriptedGateway())
    text = await _say(world, "settings system_prompt **`boo`** " + "x" * 500, is_admin=True)
    assert "**∗∗ˋbooˋ∗∗ xxx" in text
    assert "x…**" in text


async def test_budget_shows_what_is_left_and_sets_caps() -> None:
    world = World(ScriptedGateway(completion("Hi", output_tokens=100_000)))
    await _say(world, "budget user 2.50", 2, is_admin=True)
    await world.ask("@heavy Hi")
    text = await _say(world, "budget", 4, is_admin=True)
    assert "**You**, this day: $2.00 of $2.50 spent (80 %); $0.50 left until 24 November" in text
    assert "**All of Parley**, this month: $2.00 of $20.00" in text
    assert "You" not in await _say(world, "/budget user none", 3, is_admin=True)


async def test_caps_of_several_periods_stand_beside_one_another() -> None:
    world = World(ScriptedGateway(), cap=None)
    await _say(world, "budget user 2.50", 2, is_admin=True)
    await _say(world, "budget user 10 a week", 3, is_admin=True)
    text = await _say(world, "budget channel 3 daily", 4, is_admin=True)
    assert text.splitlines()[:3] == [
        "- **You**, this day: $0 of $2.50 spent (0 %); $2.50 left until 24 November, 00:00 UTC",
        "- **You**, this week: $0 of $10.00 spent (0 %); $10.00 left until 30 November, 00:00 UTC",
        "- **This channel**, this day: $0 of $3.00 spent (0 %); $3.00 left until "
        "24 November, 00:00 UTC",
    ]
    assert await world.store.settings_of("test/w") == {
        "user_daily_cap": "2.50",
        "user_weekly_cap": "10",
    }
    assert "this week" not in await _say(world, "budget user none weekly", 5, is_admin=True)


async def test_without_any_cap_budget_says_so() -> None:
    assert await _say(World(ScriptedGateway(), cap=None), "budget") == "No budget is set here."


async def test_forget_takes_the_thread_out_of_the_store_and_itself_with_it() -> None:
    world = World(ScriptedGateway("Noted"))
    await world.ask("My secret is a heron")
    assert "I have forgotten this conversation" in await _say(world, "/forget", 2)
    assert await world.store.turns(PLACE) == ()
    assert (await world.store.entries("test:m1"))[0].text == ""
    await world.ask("What is my secret?", "m3")
    assert "heron" not in str(world.gateway.calls[-1].messages)


async def test_forget_all_takes_every_conversation_of_one_person() -> None:
    world = World(ScriptedGateway("A", "B", "C"))
    elsewhere = replace(PLACE, thread_id="other")
    await world.ask("One", "m1")
    await world.ask("Two", "m2", key=elsewhere)
    await world.ask("Three", "m3", key=elsewhere, author_id="bob")
    assert "all that you wrote" in await _say(world, "forget all", 4)
    assert [turn.prompt for turn in await world.store.turns(elsewhere)] == ["Three"]


async def test_who_is_not_let_in_is_told_so_and_may_still_forget() -> None:
    world = World(ScriptedGateway())
    change = SettingChange(
        scope_id="test/w", name="blocked_users", after="<@ada>", user_id="root", at=NOON
    )
    await world.store.set_setting(change)
    assert "You may not ask me here" in await _say(world, "Hi")
    assert "You may not ask me here" in await _say(world, "settings dial 10", 2)
    assert "I have forgotten" in await _say(world, "forget all", 3)
    assert world.gateway.calls == []


async def test_a_person_who_asks_too_fast_waits_before_any_budget_is_touched() -> None:
    world = World(ScriptedGateway())
    await _say(world, "settings prompts_per_minute 2", 1, is_admin=True, author_id="root")
    for number in (2, 3):
        await world.ask("Hi", f"m{number}")
    assert "a lot of messages at once" in await _say(world, "Hi", 4)
    assert "echo" in await _say(world, "Hi", 5, author_id="bob")
    world.clock.advance(61)
    assert "echo" in await _say(world, "Hi", 6)
    assert len(world.gateway.calls) == 4


@pytest.mark.parametrize(
    ("own_id", "typed", "is_refused"),
    [
        ("1234", "Ann", True),
        ("1234", "<@99>, 100", False),
        ("U0123", "ann", True),
        ("U0123", "<@U099|ann>, S1", False),
        ("local", "anybody", False),
    ],
)
async def test_a_list_of_ids_takes_no_names(own_id: str, typed: str, is_refused: bool) -> None:
    world = World(ScriptedGateway())
    text = await _say(world, f"settings blocked_users {typed}", is_admin=True, author_id=own_id)
    assert (f"takes ids such as `{own_id}`" in text) is is_refused


async def test_one_setting_can_be_looked_at_and_a_cap_goes_where_it_counts() -> None:
    world = World(ScriptedGateway())
    assert await _say(world, "settings footer") == (
        "- `footer` **full** (default): the small print under an answer"
    )
    text = await _say(world, "settings user_daily_cap 3", 2, is_admin=True)
    assert "Done, for this workspace" in text
    assert await world.store.settings_of("test/w") == {"user_daily_cap": "3"}
