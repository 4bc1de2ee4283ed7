"""HTTP mode: signed requests through Starlette, as a balancer would hand them over."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette

from adapters.slack.doorway import BAD_SIGNATURE
from tests.adapters.slack.rig import Rig, running
from tests.loopback.slack import LoopbackSlack
from tests.loopback.slack.outbox import sign

SECRET = "signing-secret"
BY_HTTP = {"slack_app_token": "", "slack_signing_secret": SECRET}


@pytest.fixture
async def http_rig(slack: LoopbackSlack) -> AsyncIterator[Rig]:
    async with running(slack, settings=BY_HTTP) as rig:
        app = Starlette(routes=list(rig.bot.routes))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await slack.until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        slack.deliver_by_http(f"http://127.0.0.1:{port}/slack/events", SECRET)
        yield rig
        server.should_exit = True
        await serving


async def test_a_signed_event_is_answered(http_rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> hello")
    await http_rig.answered(1)
    assert slack.replies(ts) == ["echo: hello"]
    assert slack.outbox.connections == 0


async def test_commands_and_buttons_come_as_forms(http_rig: Rig, slack: LoopbackSlack) -> None:
    slack.command("/parley", "ask what is DNS?")
    await http_rig.answered(1)
    ts = str(slack.space.channels["C1"].messages[0]["ts"])
    slack.press(str(slack.space.thread("C1", ts)[-1]["ts"]), "parley_again")
    await http_rig.answered(2)
    assert slack.replies(ts)[1:] == ["echo: what is DNS?"] * 2


async def test_a_request_with_a_wrong_or_old_signature_is_refused(
    http_rig: Rig, slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    assert slack.outbox.http is not None
    body = '{"type": "event_callback"}'
    statuses = []
    async with aiohttp.ClientSession() as http:
        for headers in (sign("wrong", body), sign(SECRET, body, at=0), {}):
            request = http.post(slack.outbox.http.urls[0], data=body, headers=headers)
            async with request as response:
                statuses.append(response.status)
    assert statuses == [401, 401, 401]
    assert caplog.messages.count(BAD_SIGNATURE) == 1


async def test_what_can_not_be_slacks_is_refused_whatever_it_is(
    http_rig: Rig, slack: LoopbackSlack
) -> None:
    assert slack.outbox.http is not None
    statuses = []
    as_json = {"Content-Type": "application/json"}
    deep = b"[" * 200_000
    async with aiohttp.ClientSession(headers=as_json) as http:
        for body in (b"x" * 1_000_001, b"\xff", b"[]", b"null", b"{", deep, b'{"event": 1}'):
            async with http.post(slack.outbox.http.urls[0], data=body) as response:
                statuses.append(response.status)
    assert statuses == [413, 400, 400, 400, 400, 400, 401]


async def test_slacks_challenge_is_answered(http_rig: Rig, slack: LoopbackSlack) -> None:
    assert slack.outbox.http is not None
    body = '{"type": "url_verification", "challenge": "abc", "token": "x"}'
    headers = {**sign(SECRET, body), "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(slack.outbox.http.urls[0], data=body, headers=headers) as response,
    ):
        assert "abc" in await response.text()


async def test_a_retried_request_is_answered_once(http_rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> once")
    for sent in list(slack.outbox.sent):
        slack.again(sent)
    await http_rig.answered(1)
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    assert slack.replies(ts) == ["echo: once"]
