"""Nothing that anybody wrote and no secret is in the logs: a whole run is read."""

import asyncio
import json
from pathlib import Path

import aiohttp

from tests.e2e.program import LIMIT_S, environment, run, up
from tests.loopback.discord import DiscordServer
from tests.loopback.providers import FaultKind, ProviderServer
from tests.waiting import until

PROMPT, ANSWER = "zebra-prompt-3141", "walrus-answer-2718"
KEYS = {
    "GROQ_API_KEY": "gsk-secret-1111",
    "OPENAI_API_KEY": "sk-secret-2222",
    "ANTHROPIC_API_KEY": "ant-secret-3333",
    "PARLEY_WEB_TOKEN": "web-secret-4444-long-enough",
    "PARLEY_METRICS_TOKEN": "metrics-secret-5555",
    "PARLEY_SECRET_KEY": "key-secret-6666-long-enough",
}


async def test_a_whole_run_s_log_tells_no_word_and_no_secret(tmp_path: Path) -> None:
    async with DiscordServer() as discord, ProviderServer() as provider:
        discord.gateway.identify_every_s = 0.0
        place = {"DISCORD_TOKEN": discord.token, "DISCORD_API_BASE": discord.api_base}
        env = environment(tmp_path, provider, PARLEY_LOG_LEVEL="DEBUG", **KEYS, **place)
        channel = discord.world.add_channel(discord.world.add_guild("Town")["id"], "general")
        ada = discord.world.add_user("Ada")
        provider.script(text=ANSWER)
        async with up(env) as program, _visitor(program.address) as http:
            await until(lambda: discord.gateway.live(), limit_s=LIMIT_S)
            discord.people.ask(channel["id"], ada["id"], PROMPT)
            assert ANSWER in await _ask(http, f"@cheap {PROMPT}")
            provider.fail(FaultKind.BAD_KEY)
            provider.fail(FaultKind.MALFORMED)
            await _ask(http, f"@heavy {PROMPT}")
            provider.fail(FaultKind.CUT)
            await _ask(http, f"@fast {PROMPT}")
            async with http.post("/api/ask", data=_BROKEN, headers=_JSON) as refused:
                assert refused.status == 400
            log = program.log
        lines = [json.loads(line) for line in log if line.startswith("{")]
    assert sum(line["message"] == "turn over" for line in lines) >= 3
    written = "".join(log)
    for secret in (PROMPT, ANSWER, discord.token, *KEYS.values()):
        assert secret not in written


async def test_a_faulty_start_tells_no_secret(tmp_path: Path) -> None:
    async with ProviderServer() as provider:
        env = environment(tmp_path, provider, **KEYS)
        env["DATABASE_URL"] = "postgresql://ada:pass-secret-7777@127.0.0.1:1/parley"
        async with asyncio.timeout(LIMIT_S):
            ended = await run(env, "up")
    assert ended.code == 1
    for secret in ("pass-secret-7777", *KEYS.values()):
        assert secret not in ended.err + ended.out


_BROKEN = f'{{"text": "{PROMPT}"'.encode()
_JSON = {"content-type": "application/json"}


def _visitor(address: str) -> aiohttp.ClientSession:
    known = {"authorization": f"Bearer {KEYS['PARLEY_WEB_TOKEN']}"}
    return aiohttp.ClientSession(address, headers=known)


async def _ask(http: aiohttp.ClientSession, text: str) -> str:
    async with http.post("/api/ask", json={"text": text}) as response:
        return await response.text()
