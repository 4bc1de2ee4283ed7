"""Nothing that anybody wrote and no secret is in the logs: a whole run is read."""

import asyncio
import json
from pathlib import Path

import aiohttp

from tests.e2e.program import LIMIT_S, environment, run, up
from tests.loopback.discord import DiscordServer
from tests.loopback.providers import FaultKind, ProviderServer
from tests.loopback.slack import APP_TOKEN, LoopbackSlack
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


async def test_slack_s_libraries_tell_no_word_either(tmp_path: Path) -> None:
    async with LoopbackSlack(time_scale=60) as slack, ProviderServer() as provider:
        place = {"SLACK_BOT_TOKEN": slack.space.bot_token, "SLACK_API_BASE": slack.base_url}
        env = environment(tmp_path, provider, PARLEY_LOG_LEVEL="DEBUG", **KEYS, **place)
        provider.script(text=ANSWER)
        async with up({**env, "SLACK_APP_TOKEN": APP_TOKEN}) as by_socket:
            await until(lambda: slack.outbox.sockets, limit_s=LIMIT_S)
            ts = slack.say(f"<@UPARLEY> @cheap {PROMPT}")
            await until(lambda: ANSWER in "".join(slack.replies(ts)), limit_s=LIMIT_S)
        async with up({**env, "SLACK_SIGNING_SECRET": "slack-secret-8888"}) as by_http:
            await until(lambda: "Slack is connected" in "".join(by_http.log), limit_s=LIMIT_S)
            slack.deliver_by_http(f"{by_http.address}/slack/events", "another's secret")
            slack.say(f"<@UPARLEY> @cheap {PROMPT}")
            await until(lambda: len(slack.outbox.sent[-1].attempts) > 1, limit_s=LIMIT_S)
        written = "".join([*by_socket.log, *by_http.log])
    for secret in (PROMPT, ANSWER, slack.space.bot_token, APP_TOKEN, "slack-secret-8888"):
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
