"""Two processes share Discord's shards; one is killed, and the other hears for both."""

import asyncio
from pathlib import Path

import pytest

from adapters.discord.sharing import SHARD
from adapters.leases import AdvisoryLeases
from storage.database import to_url
from tests.e2e.program import LIMIT_S, environment, up
from tests.loopback.discord import DiscordServer
from tests.loopback.discord.world import Payload
from tests.loopback.providers import ProviderServer
from tests.postgres import running_server
from tests.waiting import until

SHARDS = 4
ALL = set(range(SHARDS))


def served(discord: DiscordServer) -> list[int]:
    """The shards that somebody is connected for, each as often as that is so."""
    sessions = discord.gateway.sessions.values()
    return sorted(session.shard[0] for session in sessions if session.line is not None)


async def channels_on_all_shards(discord: DiscordServer) -> list[Payload]:
    """A channel in a Discord server of each shard; a server's shard goes by its time of birth."""
    found: dict[int, Payload] = {}
    while set(found) != ALL:
        guild = discord.world.add_guild("Town")
        found[(int(guild["id"]) >> 22) % SHARDS] = discord.world.add_channel(guild["id"], "general")
        await asyncio.sleep(0.001)
    return list(found.values())


async def until_shared(address: str) -> None:
    """Wait until two processes have two shards each."""
    leases = AdvisoryLeases(to_url(address))
    await leases.renew()
    async with asyncio.timeout(LIMIT_S):
        while sorted(map(len, (await leases.held(SHARD)).values())) != [2, 2]:
            await asyncio.sleep(0.1)
    await leases.close()


@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_a_dead_process_s_shards_move_and_each_question_is_answered_once(
    tmp_path: Path,
) -> None:
    with running_server() as server:
        async with DiscordServer() as discord, ProviderServer() as provider:
            discord.gateway.shards, discord.gateway.max_concurrency = SHARDS, 2
            provider.script(text="Four.")
            ada = discord.world.add_user("Ada")
            channels = await channels_on_all_shards(discord)
            address = server.new_database()
            env = environment(
                tmp_path,
                provider,
                DATABASE_URL=address,
                DISCORD_TOKEN=discord.token,
                DISCORD_API_BASE=discord.api_base,
            )

            def ask_everywhere() -> list[str]:
                text = "@cheap Two and two?"
                asked = [discord.people.ask(each["id"], ada["id"], text) for each in channels]
                return [str(message["id"]) for message in asked]

            def is_answered(threads: list[str]) -> bool:
                return all("-# cheap" in str(discord.texts(thread)) for thread in threads)

            roles = ("--only", "discord,worker")
            async with up(env, *roles) as doomed, up(env, *roles):
                await until_shared(address)
                await until(lambda: served(discord) == sorted(ALL), limit_s=LIMIT_S)
                threads = ask_everywhere()
                doomed.kill()
                threads += ask_everywhere()
                await until(lambda: served(discord) != sorted(ALL), limit_s=LIMIT_S)
                await until(lambda: served(discord) == sorted(ALL), limit_s=LIMIT_S)
                threads += ask_everywhere()
                await until(lambda: is_answered(threads), limit_s=LIMIT_S)
            assert [len(discord.texts(thread)) for thread in threads] == [1] * 3 * SHARDS
