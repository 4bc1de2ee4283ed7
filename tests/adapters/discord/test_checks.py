"""What `doctor` says of the Discord side."""

from __future__ import annotations

from pydantic import SecretStr

from adapters.discord import check_discord
from adapters.settings import AppSettings
from tests.loopback.discord import DiscordServer


def settings(server: DiscordServer, token: str = "") -> AppSettings:
    return AppSettings.model_construct(
        discord_token=SecretStr(token or server.token), discord_api_base=server.api_base
    )


async def test_all_is_well(server: DiscordServer) -> None:
    server.world.add_guild("Test")
    found = await check_discord(settings(server))
    assert [check.is_well for check in found] == [True, True, True]
    assert [check.says for check in found] == [
        "the token is Parley's",
        "the Message Content Intent is on",
        "the bot is in 1 server",
    ]


async def test_a_missing_intent_and_a_missing_invitation_are_named(server: DiscordServer) -> None:
    server.rest.application_flags = 0
    _, intent, servers = await check_discord(settings(server))
    assert intent.remedy.startswith("Switch it on at https://discord.com/developers/applications")
    assert servers.remedy.startswith("Invite it: https://discord.com/oauth2/authorize?client_id=")


async def test_a_refused_token_is_named(server: DiscordServer) -> None:
    (check,) = await check_discord(settings(server, "wrong"))
    assert check.says == "Discord refuses DISCORD_TOKEN"


async def test_no_connection_is_named(server: DiscordServer) -> None:
    await server.stop()
    (check,) = await check_discord(settings(server))
    assert check.says.startswith("Discord cannot be reached")
