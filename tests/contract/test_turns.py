"""What every store keeps of messages and turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.catalog import Tier
from bot.errors import SupersededError
from bot.messages import Attachment, Role
from bot.settings import FooterStyle, SettingChange
from bot.turns import Turn, TurnStatus
from storage import MemoryStore, SqlStore
from tests.contract.conftest import AnyStore
from tests.contract.examples import (
    ELSEWHERE,
    NOON,
    PLACE,
    accepted,
    answered,
    begun,
    done,
    entry,
    limit,
    message,
    reply,
    turn_of,
)


async def test_accepts_a_message_once(store: AnyStore) -> None:
    incoming = message(1)
    turn = turn_of(incoming)

    assert await store.accept(incoming, turn)
    assert not await store.accept(incoming, turn)
    assert await store.turn(turn.turn_id) == turn


async def test_keeps_nothing_of_a_message_whose_turn_is_known(store: AnyStore) -> None:
    first = await accepted(store, 1)
    second = message(2)

    assert not await store.accept(second, replace(turn_of(second), turn_id=first.turn_id))
    assert await store.accept(second, turn_of(second))


async def test_a_kept_message_is_left_as_it_is(store: AnyStore) -> None:
    await store.keep(message(1, "as said"))
    await store.keep(message(1, "said otherwise"))
    turn = await accepted(store, 2)

    assert [said.text for said in await store.history(turn)] == ["as said"]


async def test_attachments_come_back_as_they_were(store: AnyStore) -> None:
    files = (
        Attachment(name="a.png", media_type="image/png", size_bytes=3, data=b"\x00\xff\x01"),
        Attachment(name="b.txt", media_type="text/plain", size_bytes=2, text="hé", url="https://x"),
    )
    incoming = replace(message(1), attachments=files)
    await store.accept(incoming, turn_of(incoming))
    turn = await accepted(store, 2)

    kept = await store.turn("test:m1")

    assert kept is not None
    assert kept.attachments == files
    assert (await store.history(turn))[0].attachments == files


async def test_begin_counts_attempts_and_keeps_when_it_first_began(store: AnyStore) -> None:
    turn = await accepted(store, 1)

    first = await store.begin(turn.turn_id, NOON)
    second = await store.begin(turn.turn_id, NOON + timedelta(minutes=1))

    assert first is not None
    assert second is not None
    assert (first.turn.attempts, second.turn.attempts) == (1, 2)
    assert second.turn.status is TurnStatus.RUNNING
    assert second.turn.started_at == NOON


async def test_begin_tells_of_a_stop_and_of_the_settings_in_force(store: AnyStore) -> None:
    turn = await accepted(store, 1)
    await store.set_setting(
        SettingChange(scope_id="test/w/c", name="footer", after="off", user_id="root", at=NOON)
    )
    before = await store.begin(turn.turn_id, NOON)
    await store.request_stop(turn.turn_id)
    after = await store.begin(turn.turn_id, NOON)

    assert before is not None
    assert after is not None
    assert (before.is_stopped, after.is_stopped) == (False, True)
    assert before.settings == await store.settings(PLACE)
    assert before.settings.footer is FooterStyle.OFF


async def test_begin_knows_nothing_of_a_turn_that_is_over_or_never_was(store: AnyStore) -> None:
    turn = await answered(store, 1)

    assert await store.begin(turn.turn_id, NOON) is None
    assert await store.begin("test:never", NOON) is None


async def test_an_edit_counts_until_the_answer_begins(store: AnyStore) -> None:
    turn = await accepted(store, 1, "first")
    await store.amend("test", turn.message_id, "second")
    first = await begun(store, turn)
    await store.amend("test", turn.message_id, "third")
    again = await begun(store, turn)

    assert (first.prompt, again.prompt) == ("second", "second")


async def test_a_finished_turn_comes_back_whole(store: AnyStore) -> None:
    turn = await answered(store, 1)

    assert await store.turn(turn.turn_id) == turn


async def test_a_turn_begun_anew_is_not_ended_by_the_earlier_run(store: AnyStore) -> None:
    turn = await accepted(store, 1)
    earlier = await begun(store, turn)
    later = await begun(store, turn)

    with pytest.raises(SupersededError):
        await store.finish(replace(earlier, status=TurnStatus.DONE, finished_at=NOON))

    await store.finish(replace(later, status=TurnStatus.DONE, finished_at=NOON))


async def test_finishing_releases_what_its_calls_still_hold(store: AnyStore) -> None:
    turn = await begun(store, await accepted(store, 1))
    await store.open(entry(hold=100), [limit()])

    await store.finish(replace(turn, status=TurnStatus.FAILED, finished_at=NOON))

    (state,) = await store.states([limit()])
    (kept,) = await store.entries(turn.turn_id)
    assert (state.held, state.spent) == (0, 100)
    assert kept.lost_cost == 100


async def test_history_is_each_message_with_its_last_answer(store: AnyStore) -> None:
    first = await answered(store, 1)
    assert await store.retry(_again(first))
    await answered(store, 1, retry=_again(first))
    await store.keep(message(2, "between people"))
    await answered(store, 3, key=ELSEWHERE)
    turn = await accepted(store, 4)

    history = await store.history(turn)

    assert [(said.role, said.text) for said in history] == [
        (Role.USER, "question 1"),
        (Role.ASSISTANT, "a better answer"),
        (Role.USER, "between people"),
    ]
    assert (history[1].alias, history[1].tier) == ("haiku", Tier.CHEAP)


def _again(first: Turn) -> Turn:
    return replace(
        first,
        turn_id="test:again",
        retry_of=first.turn_id,
        status=TurnStatus.QUEUED,
        reply=None,
        decision={},
        attempts=0,
        started_at=None,
        finished_at=None,
    )


async def test_history_of_an_answer_given_anew_ends_before_its_question(store: AnyStore) -> None:
    await answered(store, 1)
    second = await answered(store, 2)
    await answered(store, 3)
    again = _again(second)
    assert await store.retry(again)

    assert [said.text for said in await store.history(again)] == ["question 1", "answer 1"]


async def test_a_retry_is_kept_once_and_needs_its_message(store: AnyStore) -> None:
    first = await answered(store, 1)

    assert await store.retry(_again(first))
    assert not await store.retry(_again(first))
    assert not await store.retry(replace(_again(first), turn_id="test:x", message_id="unknown"))


async def test_history_says_what_people_thought_of_an_answer(store: AnyStore) -> None:
    turn = await answered(store, 1)
    await store.add_feedback(turn.turn_id, "ann", 1)
    await store.add_feedback(turn.turn_id, "ann", -1)
    latest = await accepted(store, 2)

    assert [said.feedback for said in await store.history(latest)] == [0, -1]


async def test_a_withdrawn_message_leaves_the_history_with_its_answer(store: AnyStore) -> None:
    await answered(store, 1)
    going = await accepted(store, 2)

    assert await store.withdraw("test", "m1") == ()
    assert await store.withdraw("test", "m2") == (going.turn_id,)
    assert await store.withdraw("test", "unknown") == ()
    latest = await accepted(store, 3)
    assert await store.history(latest) == ()
    assert await store.is_stopped(going.turn_id)
    kept = await store.turn(going.turn_id)
    assert kept is not None
    assert kept.prompt == ""


async def test_a_withdrawn_message_is_still_known(store: AnyStore) -> None:
    turn = await answered(store, 1)
    await store.withdraw("test", "m1")
    await store.amend("test", "m1", "back again")

    assert not await store.accept(message(1), turn_of(message(1)))
    assert not await store.retry(_again(turn))


async def test_only_a_turn_that_has_not_ended_can_be_stopped(store: AnyStore) -> None:
    over = await answered(store, 1)
    going = await accepted(store, 2)

    assert not await store.request_stop(over.turn_id)
    assert not await store.request_stop("test:never")
    assert await store.request_stop(going.turn_id)
    assert await store.stopped((over.turn_id, going.turn_id)) == (going.turn_id,)
    assert await store.going(going.key) == (going.turn_id,)


async def test_takes_part_where_a_prompt_was_accepted(store: AnyStore) -> None:
    await accepted(store, 1)
    await store.keep(message(2, key=ELSEWHERE))

    assert await store.takes_part(PLACE)
    assert not await store.takes_part(ELSEWHERE)


async def test_unfinished_turns_come_oldest_first(store: AnyStore) -> None:
    second = await accepted(store, 2)
    first = await begun(store, await accepted(store, 1))
    await answered(store, 3)

    assert await store.unfinished() == (first, second)


async def test_the_last_message_of_each_conversation_is_known(store: AnyStore) -> None:
    await answered(store, 1)
    await store.keep(message(2))
    await answered(store, 3, key=ELSEWHERE)
    await store.keep(message(4, key=replace(PLACE, thread_id="only talk")))

    assert set(await store.last_message_ids("test")) == {(PLACE, "m2"), (ELSEWHERE, "m3")}
    assert await store.last_message_ids("other") == ()


async def test_conversations_are_listed_with_the_latest_used_first(store: AnyStore) -> None:
    await accepted(store, 1, "How do   tides\nwork?")
    await accepted(store, 2, "x" * 200, key=ELSEWHERE)
    await accepted(store, 3, "And the moon?")

    listed = await store.conversations("test", "ann")

    assert [c.key for c in listed] == [PLACE, ELSEWHERE]
    assert listed[0].title == "How do tides work?"
    assert len(listed[1].title) == 80
    assert await store.conversations("test", "somebody else") == ()


async def test_a_conversation_shows_its_turns_in_order(store: AnyStore) -> None:
    first = await answered(store, 1)
    await answered(store, 2)
    third = await accepted(store, 3)
    await accepted(store, 4, key=ELSEWHERE)
    await store.withdraw("test", "m2")

    assert await store.turns(PLACE) == (first, third)


async def test_forgetting_leaves_what_was_spent_and_nothing_that_was_said(store: AnyStore) -> None:
    turn = await begun(store, await accepted(store, 1, "a secret"))
    opened = await store.open(entry(), [limit()])
    await store.close(replace(done(opened), text="about the secret"))
    await store.finish(
        replace(turn, status=TurnStatus.DONE, reply=reply("the secret"), finished_at=NOON)
    )
    going = await accepted(store, 2, "another secret")
    await answered(store, 3, key=ELSEWHERE)

    assert await store.forget(PLACE) == (going.turn_id,)

    kept = await store.turn(turn.turn_id)
    (spent,) = await store.entries(turn.turn_id)
    assert kept is not None
    assert (kept.prompt, kept.reply, kept.user_name) == ("", None, "")
    assert (spent.text, spent.cost) == ("", 40)
    assert await store.turns(PLACE) == ()
    assert [c.key for c in await store.conversations("test", "ann")] == [ELSEWHERE]
    assert not await store.accept(message(1), turn_of(message(1)))


async def test_of_many_large_files_only_the_newest_are_read(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.history.HISTORY_FILE_BYTES", 3_000)
    for number in range(1, 5):
        picture = Attachment(
            name=f"{number}.png", media_type="image/png", size_bytes=1_000, data=b"x" * 1_000
        )
        incoming = replace(message(number), attachments=(picture,))
        await store.accept(incoming, turn_of(incoming))
    latest = await accepted(store, 9)

    history = await store.history(latest)

    assert [said.text for said in history] == [f"question {n}" for n in range(1, 5)]
    assert [a.name for a in history[-1].attachments] == ["4.png"]
    if not isinstance(store, MemoryStore):
        assert [len(said.attachments) for said in history] == [0, 0, 1, 1]


async def test_the_backlog_counts_what_waits_and_runs(sql_store: SqlStore) -> None:
    await begun(sql_store, await accepted(sql_store, 1))
    await accepted(sql_store, 2)
    await answered(sql_store, 3)

    backlog = await sql_store.backlog(NOON + timedelta(seconds=62))
    assert backlog.counts == {("test", TurnStatus.RUNNING): 1, ("test", TurnStatus.QUEUED): 1}
    assert backlog.oldest_queued_s == 60
    assert backlog.stuck == ()


async def test_a_turn_is_stuck_that_runs_long_without_a_model(sql_store: SqlStore) -> None:
    silent = await begun(sql_store, await accepted(sql_store, 1))
    busy = await begun(sql_store, await accepted(sql_store, 2))
    await sql_store.open(entry(f"{busy.turn_id}:answer"), ())

    assert (await sql_store.backlog(NOON + timedelta(minutes=14))).stuck == ()
    assert (await sql_store.backlog(NOON + timedelta(minutes=16))).stuck == (silent.turn_id,)


async def test_a_store_that_is_there_answers(sql_store: SqlStore) -> None:
    await sql_store.ping()
