"""Who is answered, where, and how often: whole exchanges on the loopback Slack."""

from tests.adapters.slack.rig import Paced, Rig
from tests.loopback.slack import LoopbackSlack


async def test_a_mention_is_answered_once_in_its_thread(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> what is a hash table?")
    await slack.until(lambda: slack.replies(ts))
    await rig.answered()
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    assert slack.replies(ts) == ["echo: what is a hash table?"]
    assert len(rig.gateway.calls) == 1


async def test_a_thread_goes_on_without_a_mention(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)
    slack.say("two", thread_ts=ts)
    await rig.answered(2)
    assert slack.replies(ts) == ["echo: one", "echo: two"]
    assert [m.text for m in rig.gateway.calls[1].messages[1:]] == ["one", "echo: one", "two"]


async def test_talk_between_people_in_a_thread_is_heard_but_not_answered(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)
    slack.say("<@U2> what do you think?", thread_ts=ts)
    slack.say("<!here> look at this", thread_ts=ts, user="U2")
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    slack.say("and you, <@UPARLEY>?", thread_ts=ts)
    await rig.answered(2)
    assert len(slack.replies(ts)) == 2
    heard = rig.gateway.calls[1].messages[-1].text
    assert "Ben what do you think?" in heard
    assert "and you, ?" in heard


async def test_a_channel_that_nobody_mentions_parley_in_is_left_alone(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("just talking")
    slack.say("still talking", thread_ts=ts, user="U2")
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    assert rig.gateway.calls == []
    assert slack.replies(ts) == []


async def test_a_direct_message_is_answered_in_a_thread(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("hello", channel="D:U1")
    await rig.answered()
    assert slack.replies(ts, channel="D:U1") == ["echo: hello"]


async def test_the_same_event_again_is_answered_once(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> once")
    for sent in list(slack.outbox.sent):
        slack.again(sent)
    await rig.answered()
    for sent in list(slack.outbox.sent):
        slack.again(sent)
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    assert slack.replies(ts) == ["echo: once"]
    assert len(rig.gateway.calls) == 1


async def test_bots_are_never_answered(rig: Rig, slack: LoopbackSlack) -> None:
    slack.space.add_person("U9", "Robot", is_bot=True)
    slack.say("<@UPARLEY> from a robot", user="U9")
    slack.event(
        {
            "type": "message",
            "subtype": "bot_message",
            "bot_id": "B9",
            "text": "<@UPARLEY> beep",
            "channel": "C1",
            "channel_type": "channel",
            "ts": slack.space.next_ts(),
        }
    )
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    assert rig.gateway.calls == []


async def test_a_thread_that_people_began_is_read_first(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("The database is slow since noon.")
    slack.say("Only the reports, I think.", thread_ts=ts, user="U2")
    slack.say("<@UPARLEY> what could it be?", thread_ts=ts)
    await rig.answered()
    asked = rig.gateway.calls[0].messages[-1].text
    assert asked.splitlines() == [
        "Ada: The database is slow since noon.",
        "",
        "Ben: Only the reports, I think.",
        "",
        "Ada: what could it be?",
    ]
    assert len(slack.made("conversations.replies")) == 1


async def test_a_deleted_prompt_stops_its_answer(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(Paced(["word "] * 500, pause_s=0.02))
    ts = slack.say("<@UPARLEY> a long story")
    await slack.until(lambda: slack.replies(ts))
    slack.remove(ts)
    await rig.answered()
    assert len(slack.replies(ts)[0]) < 2_000


async def test_an_edit_before_the_answer_begins_counts(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(Paced(["first"], pause_s=0.3))
    ts = slack.say("<@UPARLEY> one")
    await slack.until(lambda: rig.gateway.calls)
    second = slack.say("tow", thread_ts=ts)
    await slack.until(lambda: len(rig.queue.tasks) == 2)
    await slack.until(lambda: slack.edit(second, "two").event_id)
    await rig.answered(2)
    assert slack.replies(ts)[1] == "echo: two"


async def test_speakers_are_told_apart_by_name(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> I like tea")
    await rig.answered(1)
    slack.say("I like coffee", thread_ts=ts, user="U2")
    await rig.answered(2)
    assert rig.gateway.calls[1].messages[-1].text == "Ben: I like coffee"


async def test_a_mention_that_is_written_in_later_is_answered(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("what is DNS?")
    await slack.until(lambda: all(sent.is_acked for sent in slack.outbox.sent))
    text = "<@UPARLEY> what is DNS?"
    slack.edit(ts, text)
    slack.event({"type": "app_mention", "user": "U1", "text": text, "ts": ts, "channel": "C1"})
    await rig.answered(1)
    assert slack.replies(ts) == ["echo: what is DNS?"]


async def test_a_reply_right_behind_the_mention_is_answered_too(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("<@UPARLEY> one")
    slack.say("two", thread_ts=ts)
    await rig.answered(2)
    assert slack.replies(ts) == ["echo: one", "echo: two"]
