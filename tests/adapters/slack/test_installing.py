"""Many workspaces: installed by OAuth, kept encrypted, renewed, removed."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import uvicorn
from slack_sdk.oauth.installation_store import Bot
from starlette.applications import Starlette

from adapters.clock import SystemClock
from adapters.slack.installations import NO_KEY, Installations, SignedStates, to_cipher
from storage import SqlStore, open_store
from tests.adapters.slack.rig import Rig, running
from tests.loopback.slack import LoopbackSlack

# slack_sdk 3.47 signs in at oauth.v2.access by a class that aiohttp is about to remove
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Hosted:
    """A Parley for many workspaces, with its web address."""

    rig: Rig
    store: SqlStore
    url: str

    async def install(self, team_id: str, *, state: str | None = None) -> int:
        """Go through Slack's install pages like a browser; returns the last page's status."""
        self.rig.slack.oauth_codes[f"code-{team_id}"] = team_id
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            async with browser.get(f"{self.url}/slack/install") as page:
                text = await page.text()
                cookie = page.headers["Set-Cookie"].partition(";")[0]
            link = text.partition('href="https://slack.com')[2].partition('"')[0]
            issued = parse_qs(urlsplit(link.replace("&amp;", "&")).query)["state"][0]
            back = f"{self.url}/slack/oauth_redirect"
            query = {"code": f"code-{team_id}", "state": state or issued}
            async with browser.get(back, params=query, headers={"Cookie": cookie}) as page:
                return page.status


@pytest.fixture
async def hosted(slack: LoopbackSlack, tmp_path: Path) -> AsyncIterator[Hosted]:
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    secrets = {
        "slack_bot_token": "",
        "slack_client_id": "1.2",
        "slack_client_secret": "secret",
        "parley_secret_key": KEY,
    }
    async with open_store(url) as store, running(slack, store=store, settings=secrets) as rig:
        app = Starlette(routes=list(rig.bot.routes))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await slack.until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Hosted(rig, store, f"http://127.0.0.1:{port}")
        server.should_exit = True
        await serving


async def test_two_workspaces_install_and_are_answered_with_their_own_tokens(
    hosted: Hosted, slack: LoopbackSlack
) -> None:
    assert [await hosted.install("T1"), await hosted.install("T2")] == [200, 200]
    second = slack.spaces["T2"]
    ts = slack.say("<@UPARLEY> one")
    other = slack.say("<@UPARLEY> two", space=second)
    await hosted.rig.answered(2)
    assert slack.replies(ts) == ["echo: one"]
    assert slack.replies(other, space=second) == ["echo: two"]


async def test_tokens_are_kept_encrypted(hosted: Hosted) -> None:
    await hosted.install("T1")
    kept = await hosted.store.installation("slack:T1")
    assert kept is not None
    assert "xoxb" not in kept


async def test_a_state_that_is_not_ours_installs_nothing(hosted: Hosted) -> None:
    assert await hosted.install("T1", state="made-up") in (400, 401)
    assert await hosted.store.installation("slack:T1") is None


async def test_a_token_is_renewed_before_it_ends(hosted: Hosted, slack: LoopbackSlack) -> None:
    slack.space.rotates = True
    await hosted.install("T1")
    installations = Installations(hosted.store, to_cipher(KEY), SystemClock())
    bot = await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert bot is not None
    bot.bot_token_expires_at = int(time.time()) + 60
    await installations.async_save_bot(bot)
    ts = slack.say("<@UPARLEY> still?")
    await hosted.rig.answered(1)
    assert slack.replies(ts) == ["echo: still?"]
    assert slack.space.bot_token.startswith("xoxe.")


async def test_a_token_that_could_not_be_renewed_yet_is_used_until_it_ends(
    hosted: Hosted, slack: LoopbackSlack
) -> None:
    slack.space.rotates = True
    await hosted.install("T1")
    installations = Installations(hosted.store, to_cipher(KEY), SystemClock())
    bot = await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert bot is not None
    bot.bot_token_expires_at = int(time.time()) + 60
    await installations.async_save_bot(bot)
    slack.fail("oauth.v2.access", "dropped", times=100)
    ts = slack.say("<@UPARLEY> still?")
    await hosted.rig.answered(1)
    assert slack.replies(ts) == ["echo: still?"]


async def test_an_uninstalled_workspace_is_forgotten(hosted: Hosted, slack: LoopbackSlack) -> None:
    await hosted.install("T1")
    sent = slack.uninstall()
    await slack.until(lambda: sent.is_acked)
    assert await hosted.store.installation("slack:T1") is None


async def test_without_a_secret_key_it_says_how_to_make_one(
    slack: LoopbackSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    secrets = {"slack_bot_token": "", "slack_client_id": "1.2", "slack_client_secret": "s"}
    async with open_store(url) as store, running(slack, store=store, settings=secrets):
        assert NO_KEY in caplog.messages


async def test_another_key_reads_nothing(hosted: Hosted) -> None:
    await hosted.install("T1")
    other = Installations(hosted.store, to_cipher(KEY[::-1]), SystemClock())
    assert await other.async_find_bot(enterprise_id=None, team_id="T1") is None


async def test_a_state_is_good_once() -> None:
    states = SignedStates(to_cipher(KEY))
    state = await states.async_issue()
    assert [await states.async_consume(state), await states.async_consume(state)] == [True, False]


async def test_a_bot_comes_back_as_it_was_kept(hosted: Hosted) -> None:
    installations = Installations(hosted.store, to_cipher(KEY), SystemClock())
    bot = Bot(team_id="T9", bot_token="xoxb-9", bot_id="B9", bot_user_id="U9", installed_at=1_000.0)
    await installations.async_save_bot(bot)
    found = await installations.async_find_bot(enterprise_id=None, team_id="T9")
    assert found is not None
    assert found.to_dict() == bot.to_dict()
