"""`parley up --only …`: one process hears everybody, another answers; both on one PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.program import LIMIT_S, environment, run, up
from tests.loopback.discord import DiscordServer
from tests.loopback.providers import ProviderServer
from tests.loopback.slack import LoopbackSlack
from tests.postgres import Server, running_server
from tests.waiting import until

SECRET = "signing-secret"
AS_JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_what_one_process_hears_another_answers_everywhere(
    server: Server, tmp_path: Path
) -> None:
    async with (
        ProviderServer() as provider,
        DiscordServer() as discord,
        LoopbackSlack(time_scale=30) as slack,
    ):
        provider.script(text="Four.")
        channel = discord.world.add_channel(discord.world.add_guild("Town")["id"], "general")
        ada = discord.world.add_user("Ada")
        env = environment(
            tmp_path,
            provider,
            DATABASE_URL=server.new_database("template0"),
            DISCORD_TOKEN=discord.token,
            DISCORD_API_BASE=discord.api_base,
            SLACK_BOT_TOKEN=slack.space.bot_token,
            SLACK_SIGNING_SECRET=SECRET,
            SLACK_API_BASE=slack.base_url,
        )
        assert "up to date" in (await run(env, "migrate")).out
        async with (
            up(env, "--only", "web,discord", "--only", "slack") as ears,
            up(env, "--only", "worker") as worker,
            aiohttp.ClientSession(ears.address) as http,
        ):
            await until(lambda: discord.gateway.live(), limit_s=LIMIT_S)
            thread = discord.people.ask(channel["id"], ada["id"], "@cheap Two and two?")["id"]
            slack.deliver_by_http(f"{ears.address}/slack/events", SECRET)
            ts = slack.say("<@UPARLEY> @cheap What is two and two?")
            asked = await http.post("/api/ask", json={"text": "Two and two?"}, headers=AS_JSON)
            await until(lambda: "-# cheap" in str(discord.texts(thread)), limit_s=LIMIT_S)
            await until(lambda: "Four." in slack.replies(ts), limit_s=LIMIT_S)
            answered = await asked.json()
            async with http.get(f"{worker.address}/") as of_the_worker:
                await of_the_worker.read()

        assert answered["text"] == "Four."
        (answer,) = discord.texts(thread)
        assert answer.startswith("Four.\n-# cheap · middle · ")
        assert of_the_worker.status == 404
