"""The steps of a turn that is over are read back from the ledger."""

from bot.calls import Purpose
from bot.ledger import CallStatus
from bot.replies import Reply
from bot.strategies.steps import to_steps
from tests.fakes import turn
from tests.unit.strategies.examples import entry

DEBATED = turn(decision={"strategy": "debate"}, reply=Reply(text="Revised"))


def test_the_steps_of_a_debate_without_its_answer() -> None:
    steps = to_steps(
        DEBATED,
        [
            entry("propose1", text="First"),
            entry("criticise1", Purpose.CRITICISE, text="- wrong"),
            entry("revise1", Purpose.REVISE, text="Revised"),
        ],
    )
    assert [(s.name, s.label, s.reply.text if s.reply else "") for s in steps] == [
        ("propose1", "Answer · ada", "First"),
        ("criticise1", "Critique · ada", "- wrong"),
    ]


def test_a_revision_that_was_not_the_last_is_a_step() -> None:
    steps = to_steps(DEBATED, [entry("revise1", Purpose.REVISE, text="Not yet")])
    assert [step.label for step in steps] == ["Revision · ada"]


def test_voices_are_numbered() -> None:
    voices = [entry("propose1"), entry("propose2")]
    assert [s.label for s in to_steps(turn(), voices)] == ["Voice 1 · ada", "Voice 2 · ada"]


def test_a_step_that_failed_says_why() -> None:
    failed = entry("propose1", text="", status=CallStatus.FAILED, error_message="Down.")
    assert [step.notice for step in to_steps(DEBATED, [failed])] == ["Down."]


def test_a_step_that_was_stopped_keeps_its_text() -> None:
    (step,) = to_steps(DEBATED, [entry("propose1", text="Half", status=CallStatus.CANCELLED)])
    assert step.reply is not None
    assert (step.reply.text, step.reply.notes) == ("Half", ("Stopped.",))


def test_a_turn_without_a_strategy_has_no_steps() -> None:
    assert list(to_steps(turn(), [entry("answer1", Purpose.ANSWER)])) == []
