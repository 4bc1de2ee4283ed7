"""How an answer appears: streamed in order, exact at the end, within every budget of Slack's."""

import asyncio
import re
from itertools import pairwise

from adapters.slack.formatting import PART_CHARACTERS
from adapters.slack.preview import PreviewLimits
from adapters.slack.workspaces import Workspace
from bot.errors import ProviderUnavailableError, StreamCutError
from tests.adapters.slack.rig import Paced, Rig, running
from tests.loopback.slack import LoopbackSlack
from tests.loopback.slack.transcript import Call

WORDS = [f"word{n} " for n in range(40)]
CODE = "".join(f"    line_{n} = {n}\n" for n in range(700))
LONG_CODE = f"Here it is:\n\n```python\n{CODE}```\n\nThat is all."


def texts(calls: list[Call]) -> str:
    """What the stream calls of one message add up to."""
    return "".join(str(call.args.get("markdown_text", "")) for call in calls if call.is_ok)


def stream_calls(slack: LoopbackSlack) -> list[Call]:
    names = ("chat.startStream", "chat.appendStream", "chat.stopStream")
    return [call for call in slack.calls if call.method in names]


async def test_an_answer_is_streamed_and_ends_exact_with_footer_and_buttons(
    rig: Rig, slack: LoopbackSlack
) -> None:
    rig.gateway.script.append(Paced(WORDS))
    ts = slack.say("<@UPARLEY> talk")
    await rig.answered()
    calls = stream_calls(slack)
    assert [c.method for c in calls][:2] == ["chat.startStream", "chat.appendStream"]
    assert [c.method for c in calls].count("chat.stopStream") == 1
    assert texts(calls) == "".join(WORDS)
    answer = slack.space.thread("C1", ts)[-1]
    assert [block["type"] for block in answer["blocks"]] == [
        "context",
        "actions",
        "context_actions",
    ]
    assert "free · " in answer["blocks"][0]["elements"][0]["text"]


async def test_a_status_is_shown_at_once_and_none_is_left(rig: Rig, slack: LoopbackSlack) -> None:
    gate = asyncio.Event()
    rig.gateway.script.append(Paced(["done"], gate=gate))
    ts = slack.say("<@UPARLEY> think")
    await slack.until(lambda: slack.space.statuses)
    await slack.until(lambda: "asking" in slack.space.statuses["C1", ts])
    await slack.until(lambda: slack.space.sessions)
    assert slack.space.sessions["C1", ts] == {"status": "processing", "title": "think"}
    gate.set()
    await rig.answered()
    assert slack.space.statuses == {}
    await slack.until(lambda: slack.space.sessions["C1", ts]["status"] == "active")


async def test_a_long_code_block_is_split_with_balanced_fences(
    rig: Rig, slack: LoopbackSlack
) -> None:
    pieces = re.findall(r".{1,500}", LONG_CODE, re.DOTALL)
    rig.gateway.script.append(Paced(pieces))
    ts = slack.say("<@UPARLEY> code please")
    await rig.answered()
    parts = slack.replies(ts)
    assert len(parts) > 1
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert all(len(part) <= 12_000 for part in parts)
    lines = [line for part in parts for line in part.splitlines() if "line_" in line]
    assert lines == CODE.splitlines()
    assert all(call.is_ok for call in slack.calls)


async def test_a_long_answer_in_one_piece_is_split_as_well(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(Paced([LONG_CODE]))
    ts = slack.say("<@UPARLEY> code please")
    await rig.answered()
    parts = slack.replies(ts)
    assert [part.count("```") for part in parts] == [2, 2]
    assert "".join(parts).count("line_") == 700


async def test_more_parts_than_allowed_become_a_file(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(Paced(["word " * (PART_CHARACTERS * 9 // 5)]))
    ts = slack.say("<@UPARLEY> a book")
    await rig.answered()
    files = [m for m in slack.space.thread("C1", ts) if m.get("files")]
    assert [file["name"] for file in files[0]["files"]] == ["answer.md"]
    posted = sum(reply.count("word") for reply in slack.replies(ts))
    filed = sum(file.content.count(b"word") for file in slack.space.files.values())
    assert posted + filed == PART_CHARACTERS * 9 // 5


async def test_a_lot_at_once_is_shown_in_messages_that_slack_takes(
    rig: Rig, slack: LoopbackSlack
) -> None:
    gate = asyncio.Event()
    lot = "".join(f"line {n} of a lot of text\n" for n in range(1_300))
    rig.gateway.script.append(Paced([lot, "the end"], gate=gate))
    ts = slack.say("<@UPARLEY> a lot")
    await slack.until(lambda: len(slack.replies(ts)) >= 3)
    gate.set()
    await rig.answered()
    assert " ".join(slack.replies(ts)).split() == f"{lot}the end".split()
    assert [call.error for call in slack.calls if call.error] == []


async def test_previews_stop_at_max_parts_and_the_rest_is_a_file(slack: LoopbackSlack) -> None:
    async with running(slack) as rig:
        slack.command("/parley", "settings max_parts 2")
        await rig.answered(1)
        lines = [f"line {n} of a book\n" * 100 for n in range(30)]
        rig.gateway.script.append(Paced(lines, pause_s=0.03))
        ts = slack.say("<@UPARLEY> a book")
        await rig.answered(2)
        thread = slack.space.thread("C1", ts)
        assert [bool(m.get("files")) for m in thread[1:]] == [False, False, True, False]
        posted = "".join(slack.replies(ts)).count("of a book")
        (file,) = slack.space.files.values()
        assert posted + file.content.count(b"of a book") == 3_000


async def test_a_limited_append_never_shows_older_text_after_newer(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.appendStream", "ratelimited", times=1, retry_after_s=1)
    rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
    ts = slack.say("<@UPARLEY> talk")
    await rig.answered()
    assert texts(stream_calls(slack)) == "".join(WORDS)
    assert slack.replies(ts) == ["".join(WORDS)]


async def test_an_unanswered_append_is_not_sent_twice_and_the_end_is_exact(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.fail("chat.appendStream", "dropped", is_applied=True)
    rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
    ts = slack.say("<@UPARLEY> talk")
    await rig.answered()
    assert slack.replies(ts) == ["".join(WORDS)]
    assert len(slack.made("chat.appendStream")) == 1


async def test_a_post_without_an_answer_is_looked_for_before_it_is_made_again(
    slack: LoopbackSlack,
) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        slack.fail("chat.postMessage", "dropped", is_applied=True)
        ts = slack.say("<@UPARLEY> hello")
        await rig.answered()
        assert slack.replies(ts) == ["echo: hello"]


async def test_a_stream_that_slack_ends_goes_on_in_a_new_message() -> None:
    async with LoopbackSlack(stream_life_s=0.6) as slack, running(slack) as rig:
        rig.gateway.script.append(Paced(WORDS, pause_s=0.04))
        ts = slack.say("<@UPARLEY> talk slowly")
        await rig.answered()
        refused = [c.error for c in slack.made("chat.appendStream") if c.error]
        assert "message_not_in_streaming_state" in refused
        assert "".join(slack.replies(ts)) == "".join(WORDS)
        assert len(slack.replies(ts)) >= 2


async def test_a_stream_is_rolled_over_before_slack_ends_it() -> None:
    limits = PreviewLimits(flush_s=0.05, flush_per_stream_s=0.0, life_s=0.6)
    async with (
        LoopbackSlack(stream_life_s=2.5) as slack,
        running(slack, limits=limits) as rig,
    ):
        lines = [f"line {n}\n" for n in range(40)]
        rig.gateway.script.append(Paced(lines, pause_s=0.05))
        ts = slack.say("<@UPARLEY> talk slowly")
        await rig.answered()
        assert [c for c in stream_calls(slack) if c.error] == []
        assert len(slack.replies(ts)) >= 3
        assert "".join(slack.replies(ts)) == "".join(lines)


async def test_without_streams_a_post_is_edited_and_never_with_the_same_text(
    slack: LoopbackSlack,
) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
        ts = slack.say("<@UPARLEY> talk")
        await rig.answered()
        versions = slack.space.thread("C1", ts)[-1]["versions"]
        assert slack.replies(ts) == ["".join(WORDS)]
        assert all(later.startswith(earlier) for earlier, later in pairwise(versions))
        bodies = [str(call.args["blocks"]) for call in slack.made("chat.update")]
        assert len(bodies) == len(set(bodies)) >= 2


async def test_a_limited_edit_is_made_up_for_by_the_last_one(slack: LoopbackSlack) -> None:
    slack.space.has_streams = False
    async with running(slack) as rig:
        slack.fail("chat.update", "ratelimited", times=2, retry_after_s=1)
        rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
        ts = slack.say("<@UPARLEY> talk")
        await rig.answered()
        assert slack.replies(ts)[0].split() == "".join(WORDS).split()


async def test_when_starts_are_scarce_the_finished_answer_comes_as_one_post(
    rig: Rig, slack: LoopbackSlack
) -> None:
    workspace = await _workspace(rig)
    workspace.api.pace.bucket("chat.startStream").refuse(60)
    rig.gateway.script.append(Paced(WORDS))
    ts = slack.say("<@UPARLEY> talk")
    await rig.answered()
    assert stream_calls(slack) == []
    assert slack.replies(ts) == ["".join(WORDS)]


async def _workspace(rig: Rig) -> Workspace:
    assert rig.bot.workspaces is not None
    workspace = await rig.bot.workspaces.find("T1")
    assert workspace is not None
    return workspace


async def test_a_failing_model_is_a_sentence_not_silence(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.extend([ProviderUnavailableError()] * 3)
    ts = slack.say("<@UPARLEY> hello?")
    await rig.answered()
    (said,) = slack.replies(ts)
    assert "Please try again" in said
    assert _buttons(slack, ts) == ["parley_again"]


async def test_a_refusal_has_no_button_under_it(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> settings dail 7")
    await rig.answered()
    (said,) = slack.replies(ts)
    assert "Did you mean `dial`?" in said
    assert _buttons(slack, ts) == []


async def test_a_cut_answer_keeps_its_text_and_offers_another(
    rig: Rig, slack: LoopbackSlack
) -> None:
    rig.gateway.script.append(Paced(WORDS, error=StreamCutError()))
    ts = slack.say("<@UPARLEY> talk")
    await rig.answered()
    assert slack.replies(ts) == ["".join(WORDS)]
    message = slack.space.thread("C1", ts)[-1]
    assert "cut off" in message["blocks"][0]["elements"][0]["text"]
    assert "parley_again" in _buttons(slack, ts)


def _buttons(slack: LoopbackSlack, ts: str) -> list[str]:
    blocks = slack.space.thread("C1", ts)[-1].get("blocks", [])
    return [e["action_id"] for b in blocks for e in b.get("elements", []) if "action_id" in e]


async def test_two_people_at_once_do_not_wait_for_each_other(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slow, quick = asyncio.Event(), "quick"
    rig.gateway.script.append(Paced(["slow"], gate=slow))
    first = slack.say("<@UPARLEY> one")
    await slack.until(lambda: rig.gateway.calls)
    rig.gateway.script.append(Paced([quick]))
    second = slack.say("<@UPARLEY> two", user="U2", channel="C2")
    await slack.until(lambda: slack.replies(second, channel="C2") == [quick])
    assert slack.replies(first) == []
    slow.set()
    await rig.answered(2)


async def test_what_a_model_writes_pings_nobody(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(
        Paced(["hi <!chan", "nel> and <@", "U0BENBEN1> and @he", "re, mail a@here.org `<!x>`"])
    )
    ts = slack.say("<@UPARLEY> ping them")
    await rig.answered()
    (said,) = slack.replies(ts)
    assert not re.search(r"<!channel|<@U0BEN|(?<![\w])@here", said)
    assert said.replace("\u2060", "") == (
        "hi <!channel> and <@U0BENBEN1> and @here, mail a@here.org `<!x>`"
    )


async def test_the_text_is_streamed_at_the_pace_that_slack_allows(slack: LoopbackSlack) -> None:
    limits = PreviewLimits(flush_s=0.3, flush_per_stream_s=0.0)
    async with running(slack, limits=limits) as rig:
        rig.gateway.script.append(Paced(WORDS, pause_s=0.03))
        slack.say("<@UPARLEY> talk")
        await rig.answered()
        times = [call.at_s for call in slack.made("chat.appendStream")]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) > 0.25
