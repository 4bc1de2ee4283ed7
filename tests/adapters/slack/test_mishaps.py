"""What goes wrong at Slack: said in words, nothing lost, nothing twice."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.parts import Deliveries
from adapters.slack.running import BAD_APP_TOKEN, BAD_TOKEN, open_slack
from bot.errors import StoreError
from bot.messages import ConversationKey, IncomingMessage
from bot.turns import Turn
from storage import MemoryStore, open_store
from tests.adapters.slack.rig import Paced, PacedGateway, Rig, running
from tests.loopback.slack import File, LoopbackSlack
from tests.unit.test_image_headers import png

PNG = png(1, 1)


async def test_a_dropped_socket_loses_no_question(rig: Rig, slack: LoopbackSlack) -> None:
    slack.outbox.drop()
    ts = slack.say("<@UPARLEY> still there?")
    await rig.answered(1, within_s=20)
    assert slack.replies(ts) == ["echo: still there?"]
    await slack.until(lambda: len(slack.outbox.sockets) == 2, within_s=20)


async def test_it_is_connected_only_while_a_socket_is_open(rig: Rig, slack: LoopbackSlack) -> None:
    await slack.until(lambda: rig.bot.is_connected)
    fault = slack.fail("apps.connections.open", "dropped", times=1_000)
    slack.outbox.drop()
    await slack.until(lambda: not rig.bot.is_connected)
    slack.faults.remove(fault)
    await slack.until(lambda: rig.bot.is_connected, within_s=30)


class Faulty(MemoryStore):
    """Fails as no store should."""

    async def last_message_ids(self, platform: str) -> tuple[tuple[ConversationKey, str], ...]:
        raise RuntimeError(platform)


async def test_an_end_that_nobody_foresaw_is_told(
    slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        running(slack) as rig,
        open_slack(replace(rig.parts, store=Faulty()), Deliveries()) as bot,
    ):
        await slack.until(lambda: "a platform is lost until the next start" in caplog.messages)
        assert not bot.is_connected


async def test_a_connection_that_is_lost_and_found_again_is_no_error(
    rig: Rig, slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    said = "Failed to check the current session (s_1) or reconnect to the server (error: x)"
    logging.getLogger("slack_bolt.AsyncApp").error(said)
    assert [record.levelname for record in caplog.records if record.message == said] == ["WARNING"]


async def test_a_refresh_of_one_socket_loses_no_question(rig: Rig, slack: LoopbackSlack) -> None:
    await slack.outbox.disconnect("refresh_requested")
    asked = [slack.say(f"<@UPARLEY> {n}") for n in range(5)]
    await rig.answered(5)
    assert [slack.replies(ts) for ts in asked] == [[f"echo: {n}"] for n in range(5)]


async def test_where_parley_may_not_write_the_answer_comes_directly(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.space.channels["C2"].members.discard("UPARLEY")
    slack.say("<@UPARLEY> hello", channel="C2")
    await rig.answered(1)
    told = [m["text"] for m in slack.space.channels["D1"].messages]
    assert told == [
        "I am not in that channel. Invite me with `/invite @Parley` and ask again.",
        "echo: hello",
    ]


async def test_an_internal_error_of_slacks_is_outlived(slack: LoopbackSlack) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        slack.fail("chat.postMessage", "internal_error", times=2)
        slack.fail("chat.update", "internal_error", times=2)
        ts = slack.say("<@UPARLEY> hello")
        await rig.answered(1)
        assert slack.replies(ts) == ["echo: hello"]


async def test_a_page_instead_of_an_answer_is_outlived(slack: LoopbackSlack) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        slack.fail("chat.postMessage", "http_500", times=2)
        ts = slack.say("<@UPARLEY> hello")
        await rig.answered(1)
        assert slack.replies(ts) == ["echo: hello"]


async def test_a_missing_scope_for_signs_of_life_costs_no_answer(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.space.scopes -= {"users:read", "channels:history", "assistant:write"}
    parent = slack.say("context")
    slack.say("<@UPARLEY> hello", thread_ts=parent)
    await rig.answered(1)
    assert slack.replies(parent)[-1].endswith("hello")
    assert "could not be read" in rig.gateway.calls[0].messages[-1].text


async def test_a_revoked_token_ends_it_quietly(rig: Rig, slack: LoopbackSlack) -> None:
    gate = asyncio.Event()
    rig.gateway.script.append(Paced(["words"], gate=gate))
    slack.say("<@UPARLEY> hello")
    await slack.until(lambda: rig.gateway.calls)
    slack.uninstall()
    gate.set()
    await rig.answered(1)
    slack.say("<@UPARLEY> and now?")
    await slack.until(lambda: slack.outbox.sent[-1].attempts)
    (turn_id,) = rig.queue.tasks
    turn = await rig.store.turn(turn_id)
    assert turn is not None
    assert turn.reply is not None
    assert turn.reply.text == "words"


async def test_a_wrong_bot_token_is_explained_in_the_log(
    slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(slack, settings={"slack_bot_token": "xoxb-wrong"}):
        assert BAD_TOKEN in caplog.messages


async def test_a_wrong_app_token_is_explained_in_the_log(
    slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(slack, settings={"slack_app_token": "xapp-wrong"}):
        assert BAD_APP_TOKEN in caplog.messages


async def test_client_id_and_secret_in_the_environment_do_not_switch_the_token_off(
    slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "s")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    async with running(slack) as rig:
        ts = slack.say("<@UPARLEY> hello")
        await rig.answered(1)
        assert slack.replies(ts) == ["echo: hello"]


async def test_after_a_crash_the_answer_is_written_over_what_was_posted(
    slack: LoopbackSlack, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    gate = asyncio.Event()
    gateway = PacedGateway([Paced(["half of", " it"], gate=gate)])
    async with open_store(url) as store, running(slack, store=store, gateway=gateway) as rig:
        ts = slack.say("<@UPARLEY> hello")
        await slack.until(lambda: slack.replies(ts) == ["half of"])
        (turn_id,) = rig.queue.tasks
    async with open_store(url) as store, running(slack, store=store) as rig:
        turn = await store.turn(turn_id)
        assert turn is not None
        await rig.queue.submit(turn)
        await rig.answered(1)
        assert slack.replies(ts) == ["echo: hello"]


async def test_text_and_image_files_reach_the_model_with_the_bots_token(
    rig: Rig, slack: LoopbackSlack
) -> None:
    files = [
        File("F1", "notes.txt", "text/plain", "Grüße".encode()),
        File("F2", "dot.png", "image/png", PNG),
        File("F3", "film.mp4", "video/mp4", b"0"),
    ]
    slack.say("<@UPARLEY> what is this?", files=files)
    await rig.answered(1)
    text, image, film = rig.gateway.calls[0].messages[-1].attachments
    assert (text.text, image.data) == ("Grüße", PNG)
    assert "not a kind I can read" in film.text


async def test_a_file_without_the_scope_is_not_a_login_page(rig: Rig, slack: LoopbackSlack) -> None:
    slack.space.scopes.discard("files:read")
    slack.say("<@UPARLEY> read", files=[File("F1", "a.txt", "text/plain", b"secret")])
    await rig.answered(1)
    (file,) = rig.gateway.calls[0].messages[-1].attachments
    assert "could not be read" in file.text


async def test_a_slow_file_delays_the_acknowledgement_not_the_answer(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("users.info", delay_s=1.0, times=2)
    ts = slack.say("<@UPARLEY> hello")
    await rig.answered(1)
    assert slack.replies(ts) == ["echo: hello"]
    assert len(rig.gateway.calls) == 1


async def test_a_thread_keeps_its_order_when_an_earlier_message_takes_longer(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)
    slack.fail("users.info", "nothing", delay_s=0.5, is_applied=True)
    slack.say("two", thread_ts=ts, user="U2")
    slack.say("three", thread_ts=ts, user="U1")
    await rig.answered(3)
    newest = [call.messages[-1].text for call in rig.gateway.calls]
    assert [text.rpartition(" ")[2] for text in newest] == ["one", "two", "three"]


class FullDisk(MemoryStore):
    """Cannot keep the first message."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 1

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        if self.refusals:
            self.refusals -= 1
            raise StoreError
        return await super().accept(message, turn)


async def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(
    slack: LoopbackSlack,
) -> None:
    async with running(slack, store=FullDisk()) as rig:
        ts = slack.say("hello", channel="D:U1")
        await rig.answered(1)
        assert slack.replies(ts, channel="D:U1") == ["echo: hello"]
        assert len(slack.outbox.sent[0].attempts) == 2
