"""`parley up` with Slack's tokens: the real program, a loopback Slack, a loopback provider."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.program import LIMIT_S, PARLEY, environment, up
from tests.loopback.providers import ProviderServer, Reply
from tests.loopback.slack import APP_TOKEN, LoopbackSlack
from tests.waiting import until

STORY = "Once upon a time there was a dragon. " * 30
SECRET = "signing-secret"


@dataclass(frozen=True, slots=True)
class Office:
    """A Slack workspace and a provider."""

    slack: LoopbackSlack
    provider: ProviderServer
    home: Path

    def env(self, **more: str) -> dict[str, str]:
        """What the program is told: bot token and API base, and how events come."""
        tokens = {"SLACK_BOT_TOKEN": self.slack.space.bot_token}
        base = {"SLACK_API_BASE": self.slack.base_url}
        return environment(self.home, self.provider, **tokens, **base, **more)

    async def answered(self, ts: str, count: int = 1) -> list[str]:
        """Wait for answers that have ended; all that stands in the thread."""

        def ended() -> int:
            thread = self.slack.space.thread("C1", ts)
            return sum("parley_again" in str(message.get("blocks")) for message in thread)

        await until(lambda: ended() >= count, limit_s=LIMIT_S)
        return self.slack.replies(ts)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with LoopbackSlack(time_scale=30) as slack, ProviderServer() as provider:
        yield Office(slack, provider, tmp_path)


async def test_two_tokens_in_the_environment_are_all_it_takes(office: Office) -> None:
    office.provider.script(text="Four.")
    async with up(office.env(SLACK_APP_TOKEN=APP_TOKEN)):
        await until(lambda: len(office.slack.outbox.sockets) == 2, limit_s=LIMIT_S)
        ts = office.slack.say("<@UPARLEY> @cheap What is two and two?")
        assert await office.answered(ts) == ["Four."]
    small_print = office.slack.space.thread("C1", ts)[-1]["blocks"][0]["elements"][0]["text"]
    assert small_print.startswith("cheap · middle · ")


async def test_a_kill_in_mid_answer_ends_in_one_exact_message(office: Office) -> None:
    office.provider.queue(Reply(text=STORY, chunk_delay_s=0.05), Reply(text=STORY))
    env = office.env(SLACK_APP_TOKEN=APP_TOKEN)
    async with up(env) as program:
        await until(lambda: len(office.slack.outbox.sockets) == 2, limit_s=LIMIT_S)
        ts = office.slack.say("<@UPARLEY> @cheap Tell me a story.")
        await until(lambda: office.slack.replies(ts), limit_s=LIMIT_S)
        program.kill()
    async with up(env):
        (answer,) = await office.answered(ts)
    assert answer.strip() == STORY.strip()
    assert len(office.provider.requests) == 2


async def test_what_is_asked_while_nobody_runs_is_answered_at_the_next_start(
    office: Office,
) -> None:
    missed = office.slack.say("<@UPARLEY> @cheap Is anybody there?")
    async with up(office.env(SLACK_APP_TOKEN=APP_TOKEN)):
        assert len(await office.answered(missed)) == 1


async def test_over_http_the_program_answers_signed_events(
    office: Office,
) -> None:
    office.provider.script(text="Four.")
    async with up(office.env(SLACK_SIGNING_SECRET=SECRET)) as program:
        office.slack.deliver_by_http(f"{program.address}/slack/events", SECRET)
        ts = office.slack.say("<@UPARLEY> @cheap What is two and two?")
        assert await office.answered(ts) == ["Four."]


async def test_a_start_in_vain_ends_in_words_though_somebody_has_asked(office: Office) -> None:
    async with up(environment(office.home, office.provider)):
        second = await asyncio.create_subprocess_exec(
            *PARLEY,
            "up",
            env=office.env(SLACK_APP_TOKEN=APP_TOKEN),
            stderr=asyncio.subprocess.PIPE,
        )
        ts = office.slack.say("<@UPARLEY> Is anybody there?")  # told to the first socket
        async with asyncio.timeout(LIMIT_S):
            _, said = await second.communicate()
    assert second.returncode == 1
    assert b"Parley is running already on this database" in said
    assert office.slack.replies(ts) == []
