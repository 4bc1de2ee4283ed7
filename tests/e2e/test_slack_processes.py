"""Slack over HTTP on two processes behind one address; one is killed while both answer."""

from pathlib import Path

import pytest

from tests.e2e.program import LIMIT_S, environment, up
from tests.loopback.providers import ProviderServer
from tests.loopback.slack import LoopbackSlack
from tests.postgres import running_server
from tests.waiting import until

SECRET = "signing-secret"
QUESTIONS = 3


@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_each_question_is_answered_once_whichever_process_hears_it_or_dies(
    tmp_path: Path,
) -> None:
    with running_server() as server:
        async with LoopbackSlack(time_scale=30) as slack, ProviderServer() as provider:
            provider.script(text="Four.")
            env = environment(
                tmp_path,
                provider,
                DATABASE_URL=server.new_database(),
                SLACK_BOT_TOKEN=slack.space.bot_token,
                SLACK_SIGNING_SECRET=SECRET,
                SLACK_API_BASE=slack.base_url,
            )
            roles = ("--only", "slack,worker")
            async with up(env, *roles) as doomed, up(env, *roles) as other:
                urls = [f"{each.address}/slack/events" for each in (doomed, other)]
                slack.deliver_by_http(urls[0], SECRET, urls[1])
                asked = [slack.say("<@UPARLEY> @cheap Two and two?") for _ in range(QUESTIONS)]
                await until(lambda: any(map(slack.replies, asked)), limit_s=LIMIT_S)
                asked += [slack.say("<@UPARLEY> @cheap Two and two?") for _ in range(QUESTIONS)]
                doomed.kill()
                asked += [slack.say("<@UPARLEY> @cheap Two and two?") for _ in range(QUESTIONS)]
                await until(
                    lambda: all("Four." in slack.replies(ts) for ts in asked), limit_s=LIMIT_S
                )
    assert [slack.replies(ts) for ts in asked] == [["Four."]] * 3 * QUESTIONS
