"""Many at once: acknowledged in time, answered all, within every tier of the workspace."""

from tests.adapters.slack.rig import Paced, PacedGateway, running
from tests.loopback.slack import LoopbackSlack

THREADS = 60


async def test_sixty_threads_at_once_are_acknowledged_and_answered_within_the_tiers() -> None:
    gateway = PacedGateway(make=lambda call: Paced(["some words "] * 20, pause_s=0.1))
    async with LoopbackSlack() as slack, running(slack, gateway=gateway) as rig:
        for number in range(20):
            slack.space.add_channel(f"CX{number}", f"x{number}")
        asked = [
            (f"CX{number % 20}", slack.say(f"<@UPARLEY> {number}", channel=f"CX{number % 20}"))
            for number in range(THREADS)
        ]
        await rig.answered(THREADS, within_s=60)
        own = [sent for sent in slack.outbox.sent if "client_msg_id" in sent.payload["event"]]
        assert max(sent.ack_s for sent in own) < 3.0
        for channel, ts in asked:
            assert slack.replies(ts, channel=channel) == ["some words " * 20]
        assert [call.method for call in slack.calls if call.status == 429] == []
