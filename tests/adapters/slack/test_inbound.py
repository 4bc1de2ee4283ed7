"""Slack's events as the core gets them."""

from typing import Any

import pytest

from adapters.slack.inbound import (
    deleted_ts,
    is_from_person,
    to_heard,
    to_incoming,
    to_key,
    to_text,
)

NAMES = {"U1": "Ada", "U2": "Ben", "U3": "@Heavy Metal"}


def event(text: str = "hi", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "user": "U1",
        "ts": "100.000200",
        "channel": "C1",
        "text": text,
    } | more


@pytest.mark.parametrize(
    ("slack", "plain"),
    [
        ("<@UB> hello", "hello"),
        ("hello <@UB>, and <@U2>", "hello , and Ben"),
        ("<@U9> unknown", "U9 unknown"),
        ("<@UB>, hello", "hello"),
        ("<@UB>: settings blocked_users <@U2>", "settings blocked_users <@U2>"),
        ("see <#C2|random>", "see #random"),
        ("<https://a.example/x>", "https://a.example/x"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("<https://a.example|the page>", "the page (https://a.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("<!here> look", "@here look"),
        ("<!subteam^S1|@ops> look", "ops look"),
        ("<!subteam^S1|@fast> and <@U3|heavy>", "fast and Heavy Metal"),  # no tags
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("<@UB> settings blocked_users <@U2>", "settings blocked_users <@U2>"),
        ("```\nif (a &lt; b)\n```", "```\nif (a < b)\n```"),
        ("<@UB> @fast what?", "@fast what?"),
    ],
)
def test_text_is_read_as_a_person_reads_it(slack: str, plain: str) -> None:
    assert to_text(slack, "UB", NAMES) == plain


@pytest.mark.parametrize(
    ("heard", "takes_part", "is_addressed"),
    [
        (event("<@UB> hi"), False, True),
        (event("hi", channel="D1", channel_type="im"), False, True),
        (event("hi"), True, False),
        (event("hi", thread_ts="99.0"), True, True),
        (event("hi", thread_ts="99.0"), False, False),
        (event("<@U2> hi", thread_ts="99.0"), True, False),
        (event("<@U2> and <@UB> hi", thread_ts="99.0"), True, True),
        (event("<!channel> hi", thread_ts="99.0"), True, False),
        (event("<@U1> that is me", thread_ts="99.0"), True, True),
        (event("hi", thread_ts="100.000200"), True, False),
    ],
)
def test_whom_a_message_is_for(heard: dict[str, Any], takes_part: bool, is_addressed: bool) -> None:
    assert to_heard(heard, "UB").is_addressed(takes_part=takes_part) is is_addressed


@pytest.mark.parametrize(
    ("sent", "is_person"),
    [
        (event(), True),
        (event(subtype="file_share"), True),
        (event(bot_id="B1"), False),
        (event(subtype="channel_join"), False),
        (event(subtype="bot_message"), False),
        ({**event(), "user": None}, False),
    ],
)
def test_only_people_are_answered(sent: dict[str, Any], is_person: bool) -> None:
    assert is_from_person(sent) is is_person


def test_a_mention_and_its_message_are_one_and_the_same() -> None:
    said = event("<@UB> hi", channel_type="channel", team="T1")
    mention = event("<@UB> hi", type="app_mention")
    both = [
        to_incoming(each, team_id="T1", bot_user_id="UB", names=NAMES, is_addressed=True)
        for each in (said, mention)
    ]
    assert both[0] == both[1]
    assert both[0].message_id == "C1:100.000200"
    assert both[0].sent_at.timestamp() == pytest.approx(100.0002)


def test_a_conversation_is_always_a_thread() -> None:
    assert to_key(event(), "T1").thread_id == "100.000200"
    assert to_key(event(thread_ts="99.0"), "T1").thread_id == "99.0"


def test_files_become_attachments() -> None:
    file = {"id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 3, "url_private": "u"}
    incoming = to_incoming(
        event(files=[file, {"id": "F2"}]),
        team_id="T1",
        bot_user_id="UB",
        names=NAMES,
        is_addressed=True,
    )
    assert [(a.name, a.media_type, a.url) for a in incoming.attachments] == [
        ("a.txt", "text/plain", "u"),
        ("F2", "application/octet-stream", ""),
    ]


@pytest.mark.parametrize(
    ("sent", "ts"),
    [
        ({"subtype": "message_deleted", "deleted_ts": "1.2"}, "1.2"),
        ({"subtype": "message_changed", "message": {"subtype": "tombstone", "ts": "1.2"}}, "1.2"),
        ({"subtype": "message_changed", "message": {"text": "hi", "ts": "1.2"}}, None),
        ({}, None),
    ],
)
def test_a_deleted_message_is_known_with_replies_and_without(
    sent: dict[str, Any], ts: str | None
) -> None:
    assert deleted_ts(event(**sent)) == ts
