"""What every store forgets: words, names and files go for good; what was spent stays."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.messages import Attachment
from bot.replies import Reply
from bot.settings import SettingChange
from bot.turns import Summary, TurnStatus
from storage import open_store
from storage.database import BUSY_TIMEOUT_MS
from tests.contract.conftest import AnyStore
from tests.contract.examples import (
    ELSEWHERE,
    NOON,
    PLACE,
    accepted,
    answered,
    begun,
    entry,
    limit,
    message,
    reply,
    turn_of,
)

SECRET = "the heron nests at midnight"
SUMMARY = Summary(covers_to=1, text=f"They said: {SECRET}", created_at=NOON)
FILE = Attachment(name=f"{SECRET}.txt", media_type="text/plain", size_bytes=9, text=SECRET)


async def _secret_turn(store: AnyStore, number: int, author: str = "ann") -> None:
    """A prompt, its file, its call and its answer, all of which hold the secret."""
    incoming = replace(
        message(number, f"{SECRET} {number}"),
        attachments=(FILE,),
        author_id=author,
        author_name=f"{author} of {SECRET}",
    )
    turn = turn_of(incoming)
    await store.accept(incoming, turn)
    started = await begun(store, turn)
    opened = await store.open(entry(f"{turn.turn_id}:answer1"), [])
    await store.close(replace(opened, text=SECRET, error_message=SECRET, cost=40))
    done = replace(
        started,
        status=TurnStatus.DONE,
        reply=reply(SECRET),
        notice=SECRET,
        decision={"model": "haiku", "prompt": SECRET},
        finished_at=NOON,
    )
    await store.finish(done)


async def test_a_turn_that_ends_after_it_was_forgotten_leaves_no_word(store: AnyStore) -> None:
    turn = await begun(store, await accepted(store, 1, SECRET))
    opened = await store.open(entry(), [limit()])
    assert await store.forget(PLACE) == (turn.turn_id,)

    await store.close(replace(opened, text=SECRET, cost=40))
    await store.finish(replace(turn, status=TurnStatus.DONE, reply=reply(SECRET), finished_at=NOON))

    kept = await store.turn(turn.turn_id)
    assert kept is not None
    assert (kept.reply, kept.prompt) == (None, "")
    assert [e.text for e in await store.entries(turn.turn_id)] == [""]


async def test_a_person_takes_their_words_out_of_every_conversation(store: AnyStore) -> None:
    await _secret_turn(store, 1)
    await store.keep(replace(message(2, SECRET), is_addressed=False))
    await store.keep(replace(message(3, "I say so too"), author_id="bob", is_addressed=False))
    await store.keep_summary(PLACE, SUMMARY)
    other = replace(message(4, "stays"), key=replace(PLACE, workspace_id="other"))
    await store.accept(other, turn_of(other))

    await store.forget_user("test", "w", "ann")

    latest = await accepted(store, 5)
    assert [said.text for said in await store.history(latest)] == ["I say so too"]
    assert await store.summaries(PLACE) == ()
    assert [c.title for c in await store.conversations("test", "ann")] == ["question 5", "stays"]


async def test_an_answer_given_anew_for_somebody_else_goes_with_its_prompt(store: AnyStore) -> None:
    first = await answered(store, 1)
    again = replace(
        first, turn_id="test:again", user_id="bob", retry_of=first.turn_id,
        status=TurnStatus.QUEUED, reply=None, decision={}, attempts=0, finished_at=None,
    )  # fmt: skip
    await store.retry(again)

    await store.forget_user("test", "w", "bob")
    assert (await store.turn(first.turn_id) or first).reply is not None

    assert await store.forget_user("test", "w", "ann") == (again.turn_id,)


async def test_a_deleted_prompt_takes_its_answer_and_the_summary_along(store: AnyStore) -> None:
    await _secret_turn(store, 1)
    await store.keep_summary(PLACE, SUMMARY)

    await store.withdraw("test", "m1")

    kept = await store.turn("test:m1")
    assert kept is not None
    assert kept.reply is None
    assert await store.summaries(PLACE) == ()


async def test_what_is_too_old_is_forgotten_where_the_narrowest_place_says_so(
    store: AnyStore,
) -> None:
    for scope_id, days in (("test/w", "30"), (str(ELSEWHERE), "0")):
        change = SettingChange(
            scope_id=scope_id, name="retention_days", after=days, user_id="root", at=NOON
        )
        await store.set_setting(change)
    await _secret_turn(store, 1)
    await answered(store, 2, key=ELSEWHERE)
    far = replace(PLACE, workspace_id="w2")
    await answered(store, 3, key=far)
    late = replace(message(4, "a later prompt"), sent_at=NOON + timedelta(days=20))
    await store.accept(late, turn_of(late))

    assert await store.forget_expired(NOON + timedelta(days=29)) == ()
    assert len(await store.turns(PLACE)) == 2
    assert await store.forget_expired(NOON + timedelta(days=31)) == ()

    assert [turn.prompt for turn in await store.turns(PLACE)] == ["a later prompt"]
    assert len(await store.turns(ELSEWHERE)) == len(await store.turns(far)) == 1
    titles = [c.title for c in await store.conversations("test", "ann") if c.key == PLACE]
    assert titles == ["a later prompt"]


async def test_commands_are_no_part_of_what_a_model_is_told(store: AnyStore) -> None:
    turn = await begun(store, await accepted(store, 1, "tier heavy"))
    await store.finish(
        replace(
            turn,
            status=TurnStatus.DONE,
            decision={"command": "tier"},
            reply=Reply(text="The tier is full now."),
            finished_at=NOON,
        )
    )
    await answered(store, 2)
    latest = await accepted(store, 3)

    assert [said.text for said in await store.history(latest)] == ["question 2", "answer 2"]


async def test_what_was_said_has_a_position_that_only_grows(store: AnyStore) -> None:
    await answered(store, 1)
    await answered(store, 2)
    latest = await accepted(store, 3)

    positions = [said.position for said in await store.history(latest)]
    assert positions[0] == positions[1] < positions[2] == positions[3]


async def test_summaries_come_in_the_order_of_what_they_cover(store: AnyStore) -> None:
    later = Summary(covers_to=9, text="nine", created_at=NOON)
    first = Summary(covers_to=4, text="four", created_at=NOON)
    for summary in (later, first, replace(later, text="nine again")):
        await store.keep_summary(PLACE, summary)

    assert await store.summaries(PLACE) == (first, replace(later, text="nine again"))
    assert await store.summaries(ELSEWHERE) == ()


async def test_counts_what_a_person_asked_lately_in_one_workspace(store: AnyStore) -> None:
    await accepted(store, 1)
    await accepted(store, 2, key=ELSEWHERE)
    await accepted(store, 3, key=replace(PLACE, workspace_id="w2"))
    other = replace(message(4), author_id="bob")
    await store.accept(other, turn_of(other))
    latest = await accepted(store, 50)
    much_later = await accepted(store, 61)

    begun = [await store.begin(turn.turn_id, NOON) for turn in (latest, much_later)]
    assert [each.recent_prompts for each in begun if each] == [3, 3]


async def test_roles_come_back_with_the_turn(store: AnyStore) -> None:
    incoming = message(1)
    turn = replace(turn_of(incoming), role_ids=("r1", "r2"))
    await store.accept(incoming, turn)
    assert await store.turn(turn.turn_id) == turn


async def test_after_forgetting_no_byte_of_the_files_holds_the_words(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        for number in range(1, 40):
            await _secret_turn(store, number)
            await store.keep(replace(message(100 + number, SECRET * 500)))
        await store.keep_summary(PLACE, SUMMARY)
        assert _files_with(tmp_path, SECRET)

        await store.forget(PLACE)

        assert _files_with(tmp_path, SECRET) == []
        assert len(await store.entries("test:m1")) == 1


async def test_after_all_of_mine_no_byte_holds_them_either(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        for number in range(1, 20):
            await _secret_turn(store, number)
        await store.keep_summary(PLACE, SUMMARY)

        await store.forget_user("test", "w", "ann")

        assert _files_with(tmp_path, SECRET) == []


async def test_after_the_days_are_over_no_byte_holds_them_either(tmp_path: Path) -> None:
    async with open_store(tmp_path / "parley.db") as store:
        await _secret_turn(store, 1)
        change = SettingChange(
            scope_id="test/w", name="retention_days", after="7", user_id="root", at=NOON
        )
        await store.set_setting(change)

        await store.forget_expired(NOON + timedelta(days=8))

        assert _files_with(tmp_path, SECRET) == []


async def test_a_disk_without_room_for_it_is_told_in_words_and_waits_for_locks_as_before(
    tmp_path: Path,
) -> None:
    path = tmp_path / "parley.db"
    async with open_store(path) as store:
        for number in range(30):
            await store.keep(message(number, SECRET * 5_000))
        await store.forget_expired(NOON)
        await store.keep(message(100, SECRET * 10_000))
        with no_file_above(path.stat().st_size), pytest.raises(StoreError):
            await store.forget_expired(NOON)

        await store.forget_expired(NOON)
        async with store._db.writer.connect() as connection:
            found = await connection.exec_driver_sql("PRAGMA busy_timeout")
            assert found.scalar_one() == BUSY_TIMEOUT_MS


@contextmanager
def no_file_above(size_bytes: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as if the disk were full there."""
    free = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, free[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, free)


def _files_with(folder: Path, words: str) -> list[str]:
    return [path.name for path in folder.iterdir() if words.encode() in path.read_bytes()]
