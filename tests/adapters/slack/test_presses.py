"""Buttons, commands, shortcuts, the Home tab and the settings, as people use them."""

import asyncio
import logging
import re

import pytest

from tests.adapters.slack.rig import Paced, Rig
from tests.loopback.slack import File, LoopbackSlack
from tests.loopback.slack.rules import RefusalError


def last(slack: LoopbackSlack, ts: str, channel: str = "C1") -> str:
    return str(slack.space.thread(channel, ts)[-1]["ts"])


async def test_again_answers_anew_in_the_same_thread(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> dice")
    await rig.answered(1)
    sent = slack.press(last(slack, ts), "parley_again")
    slack.again(sent)
    await rig.answered(2)
    await slack.until(lambda: all(each.is_acked for each in slack.outbox.sent))
    assert slack.replies(ts) == ["echo: dice", "echo: dice"]


async def test_heavier_goes_one_tier_up(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> hard question")
    await rig.answered(1)
    slack.press(last(slack, ts), "parley_heavier")
    await rig.answered(2)
    assert [call.model.alias for call in rig.gateway.calls] == ["free", "cheap"]


async def test_thumbs_are_kept_and_thanked_for(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)
    turn_id = next(iter(rig.queue.tasks))
    slack.press(last(slack, ts), "parley_feedback", value=f"bad {turn_id}")
    await slack.until(lambda: slack.responses)
    slack.say("two", thread_ts=ts)
    await rig.answered(2)
    assert slack.responses[0]["response_type"] == "ephemeral"
    assert "Thank you" in slack.responses[0]["text"]
    second = await rig.store.turn(list(rig.queue.tasks)[1])
    assert second is not None
    assert [u.feedback for u in await rig.store.history(second)] == [0, -1]


async def test_why_explains_the_choice_to_one_person(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> one")
    await rig.answered(1)
    slack.press(last(slack, ts), "parley_why")
    await slack.until(lambda: slack.responses)
    assert "of the free tier" in slack.responses[0]["text"]


async def test_slacks_stop_button_ends_an_answer_and_keeps_its_text(
    rig: Rig, slack: LoopbackSlack
) -> None:
    rig.gateway.script.append(Paced(["some words", " never"], gate=asyncio.Event()))
    ts = slack.say("<@UPARLEY> go on and on")
    await slack.until(lambda: slack.replies(ts))
    slack.press_stop("C1", ts)
    await rig.answered(1)
    assert slack.replies(ts) == ["some words"]
    blocks = slack.space.thread("C1", ts)[-1]["blocks"]
    assert "Stopped." in str(blocks)


async def test_the_word_stop_ends_an_answer(rig: Rig, slack: LoopbackSlack) -> None:
    rig.gateway.script.append(Paced(["some words", " never"], gate=asyncio.Event()))
    ts = slack.say("<@UPARLEY> go on and on")
    await slack.until(lambda: slack.replies(ts))
    slack.say("stop", thread_ts=ts)
    await rig.answered(2)
    assert slack.replies(ts)[0] == "some words"
    assert slack.replies(ts)[-1].startswith("Whatever I was writing here is stopped.")


async def test_a_question_that_begins_like_a_command_is_a_question(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("<@UPARLEY> stop the server, how?")
    await rig.answered(1)
    assert slack.replies(ts) == ["echo: stop the server, how?"]


async def test_slash_ask_posts_the_question_and_answers_below(
    rig: Rig, slack: LoopbackSlack
) -> None:
    sent = slack.command("/parley", "ask what is DNS?")
    await rig.answered(1)
    question = slack.space.channels["C1"].messages[0]
    assert question["text"] == "<@U1> asks: what is DNS?"
    assert slack.replies(str(question["ts"]))[1:] == ["echo: what is DNS?"]
    assert sent.ack_s < 1.0


async def test_a_slash_command_where_parley_is_not_says_what_to_do(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.space.channels["C2"].members.discard("UPARLEY")
    slack.command("/ask", "hello", channel="C2")
    await slack.until(lambda: slack.responses)
    assert "/invite @Parley" in slack.responses[0]["text"]
    assert rig.gateway.calls == []


async def test_commands_are_answered_to_one_person(rig: Rig, slack: LoopbackSlack) -> None:
    for text in ("", "models", "budgets", "ask", "forget", "stop", "settings dial"):
        slack.command("/parley", text, user="U2")
    await slack.until(lambda: len(slack.responses) == 7)
    said = "\n".join(response["text"] for response in slack.responses)
    assert {response["response_type"] for response in slack.responses} == {"ephemeral"}
    for part in (
        "`@free`",
        "Write your question",
        "Here is no thread to forget",
        "`dial`",
        "to stop in",
    ):
        assert part in said
    assert slack.space.channels["C1"].messages == []


async def test_a_mistake_in_a_command_is_told_with_the_nearest_word(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.command("/parley", "settings dail 7")
    await slack.until(lambda: slack.responses)
    assert "Did you mean `dial`?" in slack.responses[0]["text"]


async def test_a_mistyped_command_is_no_question_and_spends_nothing(
    rig: Rig, slack: LoopbackSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    slack.command("/parley", "dabate tabs or spaces?")
    await slack.until(lambda: slack.responses)
    assert "Did you mean `/parley debate`?" in slack.responses[0]["text"]
    assert "`/parley ask dabate …`" in slack.responses[0]["text"]
    assert "dabate" not in str([vars(record) for record in caplog.records])
    assert not rig.gateway.calls
    assert not slack.space.channels["C1"].messages


async def test_words_in_a_thread_are_commands_as_well(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> models")
    await rig.answered(1)
    assert "`@cheap`" in slack.replies(ts)[0]
    assert rig.gateway.calls == []


async def test_a_debate_is_held_in_a_thread_a_message_for_each_step(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.command("/debate", "Is tea better than coffee?")
    await rig.answered(1)
    question = slack.space.channels["C1"].messages[0]
    assert question["text"] == "<@U1> asks for a debate: Is tea better than coffee?"
    said = slack.replies(str(question["ts"]))[1:]
    assert [text.split("\n")[0].strip("*") for text in said[:3]] == [
        "Debate",
        "Answer · full",
        "Critique · cheap",
    ]
    assert len(said) == 4
    assert [call.error for call in slack.calls if call.error] == []


async def test_an_ensemble_shows_every_voice_under_its_name(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> ensemble n:2 What is DNS?")
    await rig.answered(1)
    labels = sorted(text.split("\n")[0] for text in slack.replies(ts))
    assert labels[:3] == ["**Ensemble**", "**Voice 1 · full**", "**Voice 2 · cheap**"]


async def test_spend_is_told_to_the_one_who_asks(rig: Rig, slack: LoopbackSlack) -> None:
    slack.say("<@UPARLEY> @heavy think")
    await rig.answered(1)
    slack.command("/spend", "today by model")
    await slack.until(lambda: slack.responses)
    assert "@full" in slack.responses[0]["text"]
    assert len(slack.space.channels["C1"].messages) == 2


def test_slack_itself_refuses_slash_commands_in_threads() -> None:
    with pytest.raises(RefusalError):
        LoopbackSlack().command("/ask", "hi", thread_ts="1.0")


async def test_the_tier_of_a_thread_is_set_with_words(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("<@UPARLEY> tier heavy")
    await rig.answered(1)
    slack.say("now think", thread_ts=ts)
    await rig.answered(2)
    assert rig.gateway.calls[0].model.alias == "full"


async def test_only_an_admin_sets_the_tier_of_a_channel(rig: Rig, slack: LoopbackSlack) -> None:
    slack.command("/parley", "tier heavy", user="U2")
    await slack.until(lambda: slack.responses)
    slack.command("/parley", "tier heavy", user="U1")
    await slack.until(lambda: len(slack.responses) == 2)
    assert "Only an admin" in slack.responses[0]["text"]
    slack.say("<@UPARLEY> think")
    await rig.answered(3)
    assert rig.gateway.calls[0].model.alias == "full"


async def test_a_shortcut_answers_any_message_in_its_thread(rig: Rig, slack: LoopbackSlack) -> None:
    ts = slack.say("Why is the sky blue?", user="U2")
    slack.shortcut("parley_ask_heavier", ts)
    await rig.answered(1)
    assert slack.replies(ts) == ["echo: Ben wrote:\n> Why is the sky blue?"]
    assert rig.gateway.calls[0].model.alias == "full"


async def test_a_shortcut_brings_the_files_of_the_message_along(
    rig: Rig, slack: LoopbackSlack
) -> None:
    file = File("F1", "plan.txt", "text/plain", b"Buy milk")
    ts = slack.say("", user="U2", files=[file])
    slack.shortcut("parley_ask", ts)
    await rig.answered(1)
    assert [f.text for f in rig.gateway.calls[0].messages[-1].attachments] == ["Buy milk"]


async def test_a_shortcut_on_a_command_asks_about_it_and_obeys_nobody(
    rig: Rig, slack: LoopbackSlack
) -> None:
    ts = slack.say("/settings workspace dial 10", user="U2")
    slack.shortcut("parley_ask", ts)
    await rig.answered(1)
    assert slack.replies(ts) == ["echo: Ben wrote:\n> /settings workspace dial 10"]
    assert await rig.store.settings_of("slack/T1") == {}


async def test_the_home_tab_shows_spend_budgets_models_and_settings(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.say("<@UPARLEY> @heavy think")
    await rig.answered(1)
    slack.open_tab("home")
    await slack.until(lambda: slack.space.home)
    shown = str(slack.space.home["U1"])
    [spent] = re.findall(r"\*All of Parley\*, this month: \$([0-9.]+) of \$20\.00", shown)
    assert float(spent) > 0
    assert "By tier: full" in shown
    assert "█" in shown
    assert "`@cheap` · cheap" in shown
    assert "Change settings" in shown
    slack.open_tab("home", user="U2")
    await slack.until(lambda: "U2" in slack.space.home)
    assert "Change settings" not in str(slack.space.home["U2"])


async def test_the_messages_tab_offers_first_questions(rig: Rig, slack: LoopbackSlack) -> None:
    slack.open_tab("messages")
    await slack.until(lambda: slack.web.suggested_prompts)
    assert slack.web.suggested_prompts[0]["channel_id"] == "D1"


async def test_settings_are_changed_in_a_modal(rig: Rig, slack: LoopbackSlack) -> None:
    slack.command("/parley", "settings")
    await slack.until(lambda: slack.space.views)
    view_id = next(iter(slack.space.views))
    wrong = slack.submit(view_id, {"tier": "full", "dial": "eleven"})
    await slack.until(lambda: wrong.is_acked)
    assert wrong.answer["response_action"] == "errors"
    assert "0 to 10" in wrong.answer["errors"]["dial"]
    right = slack.submit(view_id, {"tier": "full", "footer": "off", "user_weekly_cap": "5"})
    await slack.until(lambda: right.is_acked)
    assert (await rig.store.settings_of("slack/T1/C1"))["user_weekly_cap"] == "5"
    ts = slack.say("<@UPARLEY> think")
    await rig.answered(1)
    assert rig.gateway.calls[0].model.alias == "full"
    assert "context" not in [b["type"] for b in slack.space.thread("C1", ts)[-1]["blocks"]]


async def test_settings_are_shown_but_not_changed_by_others(rig: Rig, slack: LoopbackSlack) -> None:
    slack.command("/parley", "settings", user="U2")
    await slack.until(lambda: slack.responses)
    assert "`dial`" in slack.responses[0]["text"]
    assert slack.space.views == {}


async def test_the_home_button_opens_the_settings_of_the_workspace(
    rig: Rig, slack: LoopbackSlack
) -> None:
    slack.open_tab("home")
    await slack.until(lambda: slack.space.home)
    slack.press_in_home("parley_open_settings")
    await slack.until(lambda: slack.space.views)
    assert next(iter(slack.space.views.values()))["private_metadata"] == "slack/T1"
