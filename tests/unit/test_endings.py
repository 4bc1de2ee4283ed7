"""A turn ends in one of few ways, and each offers the buttons that still make sense."""

from dataclasses import replace

from bot.catalog import Tier
from bot.endings import CUT_NOTE, STOPPED_NOTE, answered, cut_off, done, failed, stopped
from bot.replies import Action, Reply
from bot.router import Router
from bot.routes import RouteRequest
from bot.strategies.single import Answer
from bot.turns import TurnStatus
from tests.fakes import FixedEstimator, catalog, model, turn
from tests.unit.spending import call

TURN = turn()
SAID = call(text="Half an ans", tier=Tier.FREE)


def test_an_end_with_a_reply_is_done() -> None:
    reply = Reply(text="Yes")
    assert done(TURN, reply) == replace(TURN, status=TurnStatus.DONE, reply=reply)


def test_a_failed_turn_keeps_what_its_person_was_told() -> None:
    assert failed(TURN, "Down.") == replace(TURN, status=TurnStatus.FAILED, notice="Down.")


def test_a_refused_turn_is_kept_as_such_beside_what_was_decided() -> None:
    ended = failed(replace(TURN, decision={"command": ""}), "No.", is_refused=True)
    assert (ended.is_refused, failed(TURN, "Down.").is_refused) == (True, False)
    assert ended.decision["command"] == ""


def test_an_answer_is_kept_with_the_model_that_gave_it() -> None:
    decision = Router(catalog(), FixedEstimator()).route(RouteRequest(prompt="Hi", input_tokens=9))
    answer = Answer(entry=SAID, model=model("other", Tier.CHEAP), remark="free did not answer.")
    chosen = replace(TURN, decision={"model": "free", "tier": "free", "reason": "easy"})

    ended = answered(chosen, decision, answer, entries=(SAID,), notes=("Mind this.",))

    assert ended.decision == {
        "model": "other", "tier": "cheap", "reason": "easy", "notes": ["free did not answer."],
    }  # fmt: skip
    assert ended.reply is not None
    assert (ended.reply.text, ended.reply.notes) == ("Half an ans", ("Mind this.",))


def test_a_stopped_turn_offers_to_ask_again_and_nothing_more() -> None:
    ended = stopped(TURN, "Half", (SAID,))
    assert ended.status is TurnStatus.CANCELLED
    assert ended.reply is not None
    assert (ended.reply.text, ended.reply.notes) == ("Half", (STOPPED_NOTE,))
    assert ended.reply.actions == (Action.AGAIN,)
    assert ended.reply.footer is not None


def test_a_turn_stopped_before_any_call_has_no_small_print() -> None:
    reply = stopped(TURN, "", ()).reply
    assert reply is not None
    assert reply.footer is None


def test_an_answer_cut_off_below_the_full_tier_offers_a_heavier_one() -> None:
    ended = cut_off(TURN, "Half", (SAID,))
    assert ended.status is TurnStatus.DONE
    assert ended.reply is not None
    assert (ended.reply.text, ended.reply.notes) == ("Half", (CUT_NOTE,))
    assert ended.reply.actions == (Action.AGAIN, Action.HEAVIER, Action.WHY)


def test_an_answer_cut_off_at_the_full_tier_offers_no_heavier_one() -> None:
    reply = cut_off(TURN, "Half", (replace(SAID, tier=Tier.FULL),)).reply
    assert reply is not None
    assert reply.actions == (Action.AGAIN, Action.WHY)


def test_a_cut_of_which_no_call_is_known_has_no_small_print() -> None:
    reply = cut_off(TURN, "Half", ()).reply
    assert reply is not None
    assert (reply.footer, Action.HEAVIER in reply.actions) == (None, True)
