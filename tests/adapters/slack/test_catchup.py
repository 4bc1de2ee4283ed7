"""What was asked while nobody listened is answered at the next start, and nothing twice."""

from adapters.slack.catchup import to_known
from storage import MemoryStore
from tests.adapters.slack.rig import running
from tests.fakes import PLACE
from tests.loopback.slack import LoopbackSlack


async def test_reads_on_where_it_is_known_and_answers_what_was_missed(
    slack: LoopbackSlack,
) -> None:
    store = MemoryStore()
    async with running(slack, store=store) as rig:
        known = slack.say("<@UPARLEY> one")
        direct = slack.say("hello", channel="D:U1")
        await rig.answered(2)
    slack.outbox.is_deaf = True
    missed = slack.say("<@UPARLEY> two")
    slack.say("and three?", thread_ts=known)
    slack.say("just talking")
    slack.say("four", channel="D:U1")
    slack.outbox.is_deaf = False
    async with running(slack, store=store) as rig:
        await rig.answered(3)
        assert slack.replies(missed) == ["echo: two"]
        assert slack.replies(known) == ["echo: one", "echo: and three?"]
        assert slack.replies(direct, channel="D:U1") == ["echo: hello"]
        assert len(rig.gateway.calls) == 3


async def test_a_start_without_a_gap_asks_nobody_anything(slack: LoopbackSlack) -> None:
    store = MemoryStore()
    async with running(slack, store=store) as rig:
        ts = slack.say("<@UPARLEY> one")
        await rig.answered(1)
    async with running(slack, store=store) as rig:
        await slack.until(lambda: slack.made("conversations.replies"))
        other = slack.say("<@UPARLEY> two")
        await rig.answered(1)
        assert (slack.replies(ts), slack.replies(other)) == (["echo: one"], ["echo: two"])


async def test_a_first_start_reads_nothing(slack: LoopbackSlack) -> None:
    slack.say("<@UPARLEY> long ago")
    async with running(slack):
        assert slack.made("conversations.history") == []


def test_only_messages_of_slacks_own_tell_the_time() -> None:
    found = [
        (PLACE, "C1:100.5"),
        (PLACE, "C1:command:trigger-1"),
        (PLACE, "C1:200.5:parley_ask:U1"),
    ]
    assert [known.newest_s for known in to_known(found)] == [200.5, 100.5]
