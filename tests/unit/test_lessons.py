"""What opinions teach: failures, successes, silence, and what teaches nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.catalog import Tier
from bot.difficulty.learning import RatedTurn, RefitReport
from bot.lessons import (
    AnsweredTurn,
    LearnedVersion,
    has_news,
    teaching,
    to_rated_turns,
    to_report,
)
from bot.messages import ConversationKey
from tests.fakes import NOON, PLACE, FixedEstimator

BASE = FixedEstimator(0.8, 0.9, 0.95)
PROMPTS = [
    "Explain how vaccines work in detail",
    "Which rivers flow through Vienna and Budapest?",
    "Write a haiku about autumn rain",
    "What is the boiling point of ethanol?",
]


def _turn(number: int, prompt: str = "", **more: object) -> AnsweredTurn:
    values: dict[str, object] = {
        "turn_id": f"t{number}",
        "key": PLACE,
        "prompt": prompt or PROMPTS[number % len(PROMPTS)],
        "tier": Tier.FREE,
        "created_at": NOON + timedelta(minutes=number),
    }
    return AnsweredTurn(**{**values, **more})  # type: ignore[arg-type]  # test data


def _rated(*turns: AnsweredTurn) -> tuple[RatedTurn, ...]:
    return to_rated_turns(turns, BASE, ("haiku",))


def test_thumbs_are_opinions() -> None:
    up, down = _rated(_turn(0, marks=1), _turn(1, marks=-2))
    assert (up.is_content, up.weight, up.is_marked) == (True, 1.0, True)
    assert (down.is_content, down.weight, down.is_marked) == (False, 1.0, True)


@pytest.mark.parametrize("doubt", ["are you sure?", "bist du sicher?", "that's wrong"])
def test_doubt_is_a_failure_of_the_answer_before_and_teaches_nothing_itself(doubt: str) -> None:
    (first,) = _rated(_turn(0), _turn(1, doubt))
    assert (first.prompt, first.is_content) == (PROMPTS[0], False)


def test_asking_the_same_again_is_a_failure_of_the_first_answer_only() -> None:
    first, second = _rated(_turn(0), _turn(4, tier=Tier.FULL))
    assert (first.is_content, first.tier) == (False, Tier.FREE)
    assert (second.is_marked, second.tier) == (False, Tier.FULL)


def test_again_is_a_failure_of_the_answer_that_it_replaces() -> None:
    first, again = _rated(_turn(0), _turn(4, retry_of="t0"))
    assert not first.is_content
    assert not again.is_marked


@pytest.mark.parametrize("prompt", ["thanks", "shorter please", "why?"])
def test_prompts_that_mean_nothing_alone_teach_nothing(prompt: str) -> None:
    assert [turn.prompt for turn in _rated(_turn(0, marks=1), _turn(1, prompt, marks=1))] == [
        PROMPTS[0]
    ]


def test_conversations_are_not_mixed_up() -> None:
    elsewhere = replace(PLACE, thread_id="other")
    first, _ = _rated(_turn(0), _turn(4, key=elsewhere))
    assert not first.is_marked


def test_tags_are_no_part_of_what_is_learned() -> None:
    heavy, gone = _rated(_turn(0, f"@heavy {PROMPTS[0]}"), _turn(1, f"@model:gone {PROMPTS[1]}"))
    assert heavy.prompt == PROMPTS[0]
    assert gone.prompt.endswith(PROMPTS[1])


def test_silence_counts_as_much_as_people_react() -> None:
    many = [
        _turn(n, f"Question number {n} about {n * 7} rivers", key=_thread(n)) for n in range(50)
    ]
    one_voice = [replace(many[0], marks=-1), *many[1:]]
    five_voices = [*(replace(turn, marks=-1) for turn in many[:5]), *many[5:]]
    assert _rated(*one_voice)[-1].weight == pytest.approx(0.05)
    assert _rated(*five_voices)[-1].weight == pytest.approx(0.25)


def _thread(number: int) -> ConversationKey:
    return replace(PLACE, thread_id=str(number))


def test_places_that_do_not_learn_do_not_teach() -> None:
    elsewhere = replace(PLACE, channel_id="secret")
    turns = [_turn(0), _turn(1, key=elsewhere)]
    places = {"test/w": "on", "test/w/secret": "off"}
    assert teaching(turns, places, by_default=False) == (turns[0],)
    assert teaching(turns, {}, by_default=False) == ()
    assert teaching(turns, {}, by_default=True) == tuple(turns)


def _version(**more: object) -> LearnedVersion:
    values: dict[str, object] = {
        "scope_id": "test/w",
        "number": 1,
        "version": "local+1",
        "data": b"",
        "marks": 40,
        "report": "",
        "created_at": NOON,
        "is_accepted": True,
    }
    return LearnedVersion(**{**values, **more})  # type: ignore[arg-type]  # test data


@pytest.mark.parametrize(
    ("marks", "newest", "expected"),
    [
        (0, None, False),
        (1, None, True),
        (9, _version(marks=5), False),
        (10, _version(marks=5), True),
        (29, _version(marks=5, is_withdrawn=True), False),
        (30, _version(marks=5, is_withdrawn=True), True),
        (3, _version(marks=40), True),  # others were forgotten
    ],
)
def test_a_refit_waits_for_news(marks: int, newest: LearnedVersion | None, expected: bool) -> None:
    answered = [_turn(n + 1, key=_thread(n), marks=1 if n < marks else 0) for n in range(50)]
    assert has_news(answered, newest, ()) is expected


def test_what_a_refit_does_not_read_is_no_news() -> None:
    answered = [_turn(0), _turn(1, "@haiku thanks", marks=1)]
    assert not any(turn.is_marked for turn in _rated(*answered))
    assert not has_news(answered, None, ("haiku",))


def test_a_report_is_in_words_and_holds_no_prompt() -> None:
    report = RefitReport(
        turns=1_200,
        marks=80,
        shipped_loss=0.61,
        refitted_loss=0.52,
        is_accepted=True,
        changes=("about programming: harder (50% becomes 42%)",),
        reason="It did no worse than the shipped model on the newest turns, so it is used.",
    )
    assert to_report(report) == (
        "1,200 turns, 80 with an opinion. It did no worse than the shipped model on the newest "
        "turns, so it is used.\n"
        "Log loss on the newest fifth: 0.610 as shipped, 0.520 refitted (less is better).\n"
        "What changed most, by its weight on a prompt's chance to be satisfied:\n"
        "- about programming: harder (50% becomes 42%)"
    )
