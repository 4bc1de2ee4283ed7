"""What came of a discussion is shown as one answer with the sum of its calls."""

from bot.explanation import explain
from bot.replies import Action
from bot.strategies.estimates import Cost
from bot.strategies.outcome import Outcome, to_record, to_reply
from tests.fakes import model
from tests.unit.strategies.examples import entry

ENTRY = entry("revise1", cost=20_000_000)


def test_the_total_stands_behind_the_notes_and_before_warnings() -> None:
    outcome = Outcome(text="Yes.", entry=ENTRY, notes=("Revised.",))
    reply = to_reply(outcome, (entry("propose1", cost=10_000_000), ENTRY), ("80 % used.",))
    assert reply.notes == ("Revised.", "2 calls, $0.0300 in total.", "80 % used.")


def test_several_voices_are_named_together() -> None:
    reply = to_reply(Outcome(text="42", entry=ENTRY, by="3 voices", remembered="All."), (ENTRY,))
    assert reply.footer is not None
    assert (reply.footer.model, reply.remembered) == ("3 voices", "All.")


def test_heavier_is_not_offered() -> None:
    assert Action.HEAVIER not in to_reply(Outcome(text="x", entry=ENTRY), (ENTRY,)).actions


def test_the_choice_can_be_explained() -> None:
    record = to_record("debate", model("ada"), "a debate was asked for", Cost(expected=1, most=2))
    assert explain(record) == "**ada** of the free tier: a debate was asked for."
