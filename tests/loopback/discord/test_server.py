"""The loopback Discord, tried with the real discord.py client."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
from discord.gateway import DiscordWebSocket
from yarl import URL

from tests.loopback.discord import DiscordServer
from tests.loopback.discord.world import Payload


async def until(condition: Callable[[], object], limit_s: float = 5.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)


class Listener(discord.AutoShardedClient):
    """Keeps the events it is sent."""

    def __init__(self, *, content: bool = True) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.messages = intents.reactions = True
        intents.message_content = content
        super().__init__(intents=intents, guild_ready_timeout=0.1, max_messages=None)
        self.heard: list[str] = []
        self.events: list[str] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        return

    async def on_ready(self) -> None:
        self.events.append("ready")

    async def on_resumed(self) -> None:
        self.events.append("resumed")

    async def on_message(self, message: discord.Message) -> None:
        if not message.author.bot:
            self.heard.append(message.content)


@asynccontextmanager
async def connected(server: DiscordServer, *, content: bool = True) -> AsyncIterator[Listener]:
    client = Listener(content=content)
    discord.http.Route.BASE = server.api_base
    DiscordWebSocket.DEFAULT_GATEWAY = URL(server.gateway.url)
    task = asyncio.create_task(client.start(server.token))
    try:
        await until(lambda: "ready" in client.events or task.done())
        if task.done():
            await task
        yield client
    finally:
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordServer() as running:
        running.gateway.identify_every_s = 0.0
        yield running
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
def channel(server: DiscordServer) -> Payload:
    return server.world.add_channel(server.world.add_guild("Test")["id"], "general")


@pytest.fixture
def ada(server: DiscordServer) -> Payload:
    return server.world.add_user("Ada")


def place(client: discord.Client, channel: Payload) -> discord.TextChannel:
    found = client.get_channel(int(channel["id"]))
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_client_connects_and_hears_what_people_say(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    async with connected(server) as client:
        server.people.say(channel["id"], ada["id"], "hello")
        await until(lambda: client.heard == ["hello"])
        assert place(client, channel).guild.name == "Test"


async def test_content_is_hidden_without_its_intent_unless_the_bot_is_named(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    async with connected(server, content=False) as client:
        server.people.say(channel["id"], ada["id"], "secret")
        server.people.ask(channel["id"], ada["id"], "open")
        await until(lambda: len(client.heard) == 2)
        assert client.heard == ["", f"<@{server.world.bot['id']}> open"]


async def test_a_dropped_socket_is_resumed_and_what_was_missed_is_replayed(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    async with connected(server) as client:
        server.gateway.drop_all()
        server.people.say(channel["id"], ada["id"], "while away")
        await until(lambda: "resumed" in client.events)
        assert client.heard == ["while away"]


async def test_op_7_makes_the_client_resume(server: DiscordServer, channel: Payload) -> None:
    async with connected(server) as client:
        server.gateway.reconnect()
        await until(lambda: "resumed" in client.events)
        assert client.events == ["ready", "resumed"]


async def test_an_invalid_session_starts_anew_and_loses_what_came_between(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    async with connected(server) as client:
        server.gateway.invalidate(resumable=False)
        server.people.say(channel["id"], ada["id"], "lost")
        await until(lambda: client.events.count("ready") == 2)
        assert client.heard == []


async def test_a_wrong_intent_closes_with_4014(server: DiscordServer, channel: Payload) -> None:
    server.gateway.allowed_privileged = 0
    client = Listener()
    discord.http.Route.BASE = server.api_base
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await client.start(server.token)
    await client.close()


async def test_a_wrong_token_is_refused(server: DiscordServer) -> None:
    client = Listener()
    discord.http.Route.BASE = server.api_base
    with pytest.raises(discord.LoginFailure):
        await client.start("wrong")
    await client.close()


async def test_texts_are_kept_version_by_version(server: DiscordServer, channel: Payload) -> None:
    async with connected(server) as client:
        message = await place(client, channel).send("one")
        await message.edit(content="two")
        assert server.record.texts(str(message.id)) == ["one", "two"]


async def test_the_same_nonce_is_the_same_message(server: DiscordServer, channel: Payload) -> None:
    async with connected(server) as client:
        first = await place(client, channel).send("one", nonce="n1")
        second = await place(client, channel).send("one", nonce="n1")
        assert first.id == second.id
        assert server.texts(channel["id"]) == ["one"]


@pytest.mark.parametrize(
    ("content", "code"), [("x" * 2001, 50035), (" \n", 50006), ("bad word", 200000)]
)
async def test_what_discord_refuses_is_refused(
    server: DiscordServer, channel: Payload, content: str, code: int
) -> None:
    server.rest.blocked_words.add("bad word")
    async with connected(server) as client:
        with pytest.raises(discord.HTTPException) as caught:
            await place(client, channel).send(content)
        assert caught.value.code == code


async def test_embeds_over_six_thousand_characters_are_refused(
    server: DiscordServer, channel: Payload
) -> None:
    async with connected(server) as client:
        embeds = [discord.Embed(description="x" * 3500), discord.Embed(description="x" * 3500)]
        with pytest.raises(discord.HTTPException) as caught:
            await place(client, channel).send(embeds=embeds)
        assert caught.value.code == 50035


async def test_the_sixth_message_in_five_seconds_is_a_429(
    server: DiscordServer, channel: Payload
) -> None:
    headers = {"Authorization": f"Bot {server.token}", "User-Agent": "DiscordBot (x, 1)"}
    url = f"{server.api_base}/channels/{channel['id']}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        statuses = []
        for _ in range(6):
            async with session.post(url, json={"content": "x"}) as response:
                statuses.append(response.status)
    assert statuses == [200] * 5 + [429]
    assert response.headers["X-RateLimit-Remaining"] == "0"


async def test_a_fault_after_its_effect_leaves_the_message_there(
    server: DiscordServer, channel: Payload
) -> None:
    server.fail("POST", "/messages$", status=503, after_effect=True)
    async with connected(server) as client:
        with pytest.raises(discord.DiscordServerError):
            await place(client, channel).send("x")
        assert server.texts(channel["id"]) == ["x"]


async def test_permissions_archives_and_unknown_channels_have_their_codes(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    question = server.people.ask(channel["id"], ada["id"], "x")
    async with connected(server) as client:
        here = place(client, channel)
        thread = await here.create_thread(name="t", message=discord.Object(int(question["id"])))
        message = await thread.send("in the thread")
        server.world.set_archived(str(thread.id), archived=True)
        server.world.deny(channel["id"], "send_messages")
        codes = []
        for refused in (
            message.edit(content="late"),
            here.send("x"),
            client.get_partial_messageable(1).send("x"),
        ):
            with pytest.raises(discord.HTTPException) as caught:
                await refused
            codes.append(caught.value.code)
        assert codes == [50083, 50013, 10003]


async def test_a_file_arrives_with_its_name_and_description(
    server: DiscordServer, channel: Payload
) -> None:
    async with connected(server) as client:
        file = discord.File(io.BytesIO(b"abc"), "a.txt", description="three letters")
        message = await place(client, channel).send(file=file)
        (kept,) = server.messages(channel["id"])[0]["attachments"]
        assert (kept["filename"], kept["size"], kept["description"]) == (
            "a.txt",
            3,
            "three letters",
        )
        async with aiohttp.ClientSession() as session, session.get(message.attachments[0].url) as r:
            assert await r.read() == b"abc"


async def test_model_text_that_pings_is_noticed(server: DiscordServer, channel: Payload) -> None:
    async with connected(server) as client:
        await place(client, channel).send("@everyone")
        silent = discord.AllowedMentions.none()
        await place(client, channel).send("@everyone", allowed_mentions=silent)
        assert [who for _, who in server.record.pinged] == ["@everyone"]


class Commanded(Listener):
    """Has one command, which answers as told."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = discord.app_commands.CommandTree(self)
        self.answered: list[object] = []

        @self.tree.command(name="ask", description="Ask something")
        async def ask(interaction: discord.Interaction, question: str) -> None:
            await interaction.response.defer()
            try:
                await interaction.response.send_message("twice")
            except discord.InteractionResponded as error:
                self.answered.append(error)
            await interaction.edit_original_response(content=question.upper())
            await interaction.followup.send("more", ephemeral=True)

    async def setup_hook(self) -> None:
        await self.tree.sync()


async def test_a_command_is_deferred_answered_and_followed_up(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    client = Commanded()
    discord.http.Route.BASE = server.api_base
    task = asyncio.create_task(client.start(server.token))
    await until(lambda: "ready" in client.events)
    used = server.people.command(channel["id"], ada["id"], "ask", question="why")
    await until(lambda: len(used.messages) == 2)
    assert used.texts == ["WHY", "more"]
    assert server.texts(channel["id"]) == ["WHY"]
    await client.close()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_late_answer_finds_the_interaction_unknown_and_a_late_edit_the_token_invalid(
    server: DiscordServer, channel: Payload, ada: Payload
) -> None:
    server.world.commands[""] = [{"id": "1", "name": "ask", "type": 1}]
    late = server.people.command(channel["id"], ada["id"], "ask")
    in_time = server.people.command(channel["id"], ada["id"], "ask")
    codes = []
    async with aiohttp.ClientSession() as session:

        async def send(method: str, path: str, body: Payload) -> None:
            async with session.request(method, server.api_base + path, json=body) as response:
                codes.append((await response.json(content_type=None) or {}).get("code"))

        def callback(one: Payload) -> str:
            return f"/interactions/{one['id']}/{one['token']}/callback"

        await send("POST", callback(in_time.payload) + "?with_response=1", {"type": 5})
        await send("POST", callback(in_time.payload), {"type": 5})
        server.advance(4)
        await send("POST", callback(late.payload), {"type": 5})
        server.advance(900)
        hook = f"/webhooks/{server.world.application_id}/{in_time.payload['token']}"
        await send("PATCH", f"{hook}/messages/@original", {"content": "x"})
    assert codes == [None, 40060, 10062, 50027]


async def test_two_shards_share_the_servers(server: DiscordServer, ada: Payload) -> None:
    server.gateway.shards = 2
    guilds = [server.world.add_guild(f"G{n}") for n in range(2)]
    guilds += [server.world.add_guild("more") for _ in range(6)]
    async with connected(server) as client:
        await until(lambda: len(client.guilds) == 8)
        assert {s.shard for s in server.gateway.sessions.values()} == {(0, 2), (1, 2)}


async def test_it_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.loopback.discord", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        about = discord.utils._from_json(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            said = {k: about[k] for k in ("channel_id", "user_id")} | {"text": "hi"}
            async with session.post(f"{about['control']}/people/say", json=said) as response:
                assert (await response.json())["content"] == "hi"
            async with session.get(f"{about['control']}/state") as response:
                state = await response.json()
        assert [m["content"] for m in state["messages"][about["channel_id"]].values()] == ["hi"]
    finally:
        process.terminate()
        await process.wait()
