"""`parley up` with a Discord token: the real program, a loopback Discord, a loopback provider."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.program import LIMIT_S, environment, run, up
from tests.loopback.discord import DiscordServer
from tests.loopback.discord.world import Payload
from tests.loopback.providers import ProviderServer, Reply
from tests.waiting import until

STORY = "Once upon a time there was a dragon. " * 30


@dataclass(frozen=True, slots=True)
class Town:
    """A Discord server with a channel and a person."""

    discord: DiscordServer
    provider: ProviderServer
    channel: Payload
    ada: Payload
    env: dict[str, str]

    def ask(self, text: str) -> str:
        """Mention the bot; returns the id of the thread to come."""
        return str(self.discord.people.ask(self.channel["id"], self.ada["id"], text)["id"])

    async def answered(self, thread_id: str, count: int = 1) -> list[Payload]:
        """Wait for answers that have ended."""

        def ended() -> list[Payload]:
            messages = self.discord.messages(thread_id)
            return [m for m in messages if "Again" in self.discord.people.buttons(m)]

        await until(lambda: len(ended()) >= count, limit_s=LIMIT_S)
        return ended()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with DiscordServer() as discord, ProviderServer() as provider:
        discord.gateway.identify_every_s = 0.0
        token = {"DISCORD_TOKEN": discord.token, "DISCORD_API_BASE": discord.api_base}
        yield Town(
            discord=discord,
            provider=provider,
            channel=discord.world.add_channel(discord.world.add_guild("Town")["id"], "general"),
            ada=discord.world.add_user("Ada"),
            env=environment(tmp_path, provider, **token),
        )


async def test_a_token_in_the_environment_is_all_it_takes(town: Town) -> None:
    town.provider.script(text="Four.")
    async with up(town.env):
        await until(lambda: town.discord.gateway.live(), limit_s=LIMIT_S)
        (answer,) = await town.answered(town.ask("@cheap What is two and two?"))
    assert answer["content"].startswith("Four.\n-# cheap · middle · ")
    assert [command["name"] for command in town.discord.world.commands[""]][:2] == ["ask", "help"]


async def test_a_kill_in_mid_answer_ends_in_one_exact_message(town: Town) -> None:
    town.provider.queue(Reply(text=STORY, chunk_delay_s=0.05), Reply(text=STORY))
    async with up(town.env) as program:
        await until(lambda: town.discord.gateway.live(), limit_s=LIMIT_S)
        thread_id = town.ask("@cheap Tell me a story.")
        await until(lambda: town.discord.texts(thread_id), limit_s=LIMIT_S)
        program.kill()
    async with up(town.env):
        (answer,) = await town.answered(thread_id)
    assert answer["content"].split("\n-# ")[0] == STORY.strip()
    assert len(town.discord.messages(thread_id)) == 1
    assert len(town.provider.requests) == 2


async def test_what_is_asked_while_nobody_runs_is_answered_at_the_next_start(town: Town) -> None:
    async with up(town.env):
        await until(lambda: town.discord.gateway.live(), limit_s=LIMIT_S)
        await town.answered(town.ask("@cheap Are you there?"))
    missed = town.ask("@cheap And now?")
    async with up(town.env):
        await town.answered(missed)
    assert len(town.discord.messages(missed)) == 1


async def test_doctor_names_a_missing_intent_and_how_to_switch_it_on(town: Town) -> None:
    town.discord.rest.application_flags = 0
    ended = await run(town.env, "doctor")
    assert ended.code == 1
    assert "the Message Content Intent is off" in ended.out
    assert "https://discord.com/developers/applications" in " ".join(ended.out.split())
