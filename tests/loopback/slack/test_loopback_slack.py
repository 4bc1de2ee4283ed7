"""The loopback Slack as the real clients see it: slack_sdk and slack_bolt, unpatched."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from tests.loopback.slack import APP_TOKEN, File, LoopbackSlack
from tests.loopback.slack.outbox import sign


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack(ack_timeout_s=0.3, time_scale=600) as server:
        server.has_echoes = False
        yield server


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.space.bot_token, base_url=slack.base_url)


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


class BoltApp:
    """A real bolt app on Socket Mode that notes what it gets."""

    def __init__(self, slack: LoopbackSlack, client: AsyncWebClient):
        self.seen: list[tuple[str, str]] = []
        self.is_slow = False
        self.app = AsyncApp(client=client, process_before_response=True)
        self.app.event("message")(self.on_event)
        self.app.event("app_mention")(self.on_event)
        self.handler = AsyncSocketModeHandler(self.app, APP_TOKEN, ping_interval=0.1)

    async def on_event(self, event: dict[str, Any]) -> None:
        self.seen.append((event["type"], event["ts"]))
        if self.is_slow:
            self.is_slow = False
            await asyncio.sleep(0.6)

    async def __aenter__(self) -> "BoltApp":
        await self.handler.client.connect()  # type: ignore[no-untyped-call]  # slack_sdk
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.handler.client.close()  # type: ignore[no-untyped-call]  # slack_sdk


async def test_a_mention_comes_as_two_events_with_one_timestamp(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    async with BoltApp(slack, client) as bolt:
        ts = slack.say("<@UPARLEY> hi")
        await slack.until(lambda: len(bolt.seen) == 2)
    assert sorted(bolt.seen) == [("app_mention", ts), ("message", ts)]
    ids = {sent.event_id for sent in slack.outbox.sent}
    assert len(ids) == 2


async def test_an_unacknowledged_event_comes_again_with_the_same_event_id(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    async with BoltApp(slack, client) as bolt:
        bolt.is_slow = True
        ts = slack.say("hello")
        await slack.until(lambda: slack.outbox.sent[0].is_acked)
        assert bolt.seen == [("message", ts)] * 2
    assert len(slack.outbox.sent[0].attempts) == 2


async def test_a_dropped_socket_comes_back_and_loses_nothing(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    async with BoltApp(slack, client) as bolt:
        await slack.until(lambda: slack.outbox.sockets)
        slack.outbox.drop()
        await slack.until(lambda: not slack.outbox.sockets)
        slack.say("still there?")
        await slack.until(lambda: bolt.seen, within_s=30)


async def test_a_refresh_reconnects_at_once(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    async with BoltApp(slack, client):
        await slack.until(lambda: slack.outbox.sockets)
        await slack.outbox.disconnect("refresh_requested")
        await slack.until(lambda: slack.outbox.connections == 2)


async def test_http_events_are_signed_and_retried(slack: LoopbackSlack) -> None:
    verifier = SignatureVerifier("secret")
    seen: list[tuple[bool, str | None]] = []

    async def receive(request: aiohttp.web.Request) -> aiohttp.web.Response:
        headers = dict(request.headers)
        is_valid = verifier.is_valid_request(await request.text(), headers)
        seen.append((is_valid, request.headers.get("X-Slack-Retry-Num")))
        return aiohttp.web.Response(status=500 if len(seen) == 1 else 200)

    app = aiohttp.web.Application()
    app.router.add_post("/slack/events", receive)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.deliver_by_http(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", "secret")
    slack.say("hello")
    await slack.until(lambda: slack.outbox.sent[0].is_acked)
    await runner.cleanup()
    assert seen == [(True, None), (True, "1")]


def test_an_old_signature_is_not_valid() -> None:
    headers = sign("secret", "{}", at=0)
    assert not SignatureVerifier("secret").is_valid_request("{}", headers)


async def test_a_tier_is_one_budget_for_the_workspace(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel="C1", text="one"))["ts"]
    other = (await client.chat_postMessage(channel="C2", text="two"))["ts"]
    for n in range(25):
        await client.chat_update(channel="C1", ts=ts, text=str(n))
        await client.chat_update(channel="C2", ts=other, text=str(n))
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel="C2", ts=other, text="too many")
    assert caught.value.response.status_code == 429
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 60


async def test_refuses_content_that_slack_refuses(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    ts = str((await client.chat_postMessage(channel="C1", text="hi"))["ts"])
    too_many = [{"type": "divider"}] * 51
    too_long = [{"type": "markdown", "text": "x" * 12_001}]
    post = client.chat_postMessage
    assert await refused(client.api_call("chat.postMessage", json={"channel": "C1"})) == "no_text"
    assert await refused(client.chat_update(channel="C1", ts=ts, text="x" * 4_001)) == (
        "msg_too_long"
    )
    assert await refused(post(channel="C1", markdown_text="x" * 12_001)) == "msg_too_long"
    assert await refused(post(channel="C1", text="x", blocks=too_long)) == "msg_blocks_too_long"
    assert await refused(post(channel="C1", text="x", blocks=too_many)) == "invalid_blocks"
    assert await refused(post(channel="C1", text="x", markdown_text="y")) == (
        "markdown_text_conflict"
    )


async def test_refuses_callers_that_slack_refuses(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    post = client.chat_postMessage
    assert await refused(post(channel="C9", text="x")) == "channel_not_found"
    slack.space.channels["C2"].members.clear()
    assert await refused(post(channel="C2", text="x")) == "not_in_channel"
    slack.space.scopes.discard("chat:write")
    assert await refused(post(channel="C1", text="x")) == "missing_scope"
    slack.space.token_error = "token_revoked"
    assert await refused(post(channel="C1", text="x")) == "token_revoked"


async def test_a_stream_is_one_message_and_cannot_be_updated_while_it_lives(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    parent = slack.say("question")
    stream = await client.chat_stream(
        channel="C1", thread_ts=parent, recipient_team_id="T1", recipient_user_id="U1"
    )
    await stream.append(markdown_text="x" * 300)
    conflict = await refused(client.chat_update(channel="C1", ts=str(stream.ts), text="no"))
    await stream.append(markdown_text="end")
    await stream.stop()
    assert conflict == "streaming_state_conflict"
    assert slack.replies(parent) == ["x" * 300 + "end"]


async def test_a_stream_in_a_channel_needs_its_recipient(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    ts = slack.say("question")
    call = client.chat_startStream(channel="C1", thread_ts=ts)
    assert await refused(call) == "missing_recipient_user_id"


async def test_a_stream_dies_of_age(client: AsyncWebClient) -> None:
    async with LoopbackSlack(stream_life_s=0.05) as slack:
        client.base_url = slack.base_url
        parent = slack.say("question", channel="D:U1")
        started = await client.chat_startStream(channel="D1", thread_ts=parent)
        await asyncio.sleep(0.1)
        ts = str(started["ts"])
        append = client.chat_appendStream(channel="D1", ts=ts, markdown_text="x")
        stop = client.chat_stopStream(channel="D1", ts=ts)
        assert await refused(append) == "message_not_in_streaming_state"
        assert await refused(stop) == "message_not_in_streaming_state"


async def test_files_need_the_token_and_otherwise_show_a_login_page(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    slack.say("look", files=[File("F1", "a.txt", "text/plain", b"words")])
    url = slack.outbox.sent[0].payload["event"]["files"][0]["url_private"]
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as anonymous:
            assert anonymous.content_type == "text/html"
        headers = {"Authorization": f"Bearer {slack.space.bot_token}"}
        async with http.get(url, headers=headers) as known:
            assert await known.read() == b"words"


async def test_an_upload_takes_three_steps_and_becomes_a_message(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    parent = slack.say("question")
    await client.files_upload_v2(
        filename="answer.md",
        content="long",
        channel="C1",
        thread_ts=parent,
        initial_comment="The rest",
    )
    assert slack.space.thread("C1", parent)[-1]["files"][0]["name"] == "answer.md"


async def test_faults_come_on_demand(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", "ratelimited", retry_after_s=7)
    slack.fail("chat.postMessage", "internal_error")
    slack.fail("chat.postMessage", "dropped", is_applied=True, times=2)
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel="C1", text="x")
    assert limited.value.response.headers["Retry-After"] == "7"
    assert await refused(client.chat_postMessage(channel="C1", text="x")) == "internal_error"
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C1", text="applied")
    assert [m["text"] for m in slack.space.channels["C1"].messages] == ["applied"] * 2
