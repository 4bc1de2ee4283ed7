"""Pages follow a turn at their own pace, here, in another process, and after it is over."""

import asyncio
from dataclasses import replace

from adapters.web import WebDelivery
from adapters.web.delivery import Progress
from bot.endings import stopped
from bot.replies import Notice, Reply
from bot.turns import Turn, TurnStatus
from storage import MemoryStore
from tests import fakes

TURN = fakes.turn(turn_id="web:m1")


async def stored(*, status: TurnStatus = TurnStatus.RUNNING) -> MemoryStore:
    store = MemoryStore()
    await store.accept(fakes.incoming("Hello"), TURN)
    await store.begin(TURN.turn_id, fakes.NOON)
    if status.is_over:
        await finished(store)
    return store


async def finished(store: MemoryStore) -> None:
    turn = await store.turn(TURN.turn_id)
    assert turn is not None
    reply = Reply(text="Kept.")
    await store.finish(replace(turn, status=TurnStatus.DONE, reply=reply, finished_at=fakes.NOON))


async def watched(delivery: WebDelivery, store: MemoryStore) -> list[Progress]:
    return [progress async for progress in delivery.watch(TURN.turn_id, store)]


def ends(progress: Progress) -> Turn:
    assert progress.ended is not None
    return progress.ended


async def test_every_page_sees_the_whole_text_and_the_end() -> None:
    delivery, store = WebDelivery(), await stored()
    sink = await delivery.open(TURN)
    pages = [asyncio.create_task(watched(delivery, store)) for _ in range(2)]
    for piece in ("One ", "two ", "three"):
        await asyncio.sleep(0)
        sink.append(piece)
    await sink.finish(Reply(text="One two three."))
    for seen in await asyncio.gather(*pages):
        texts = [progress.text for progress in seen]
        assert texts == sorted(texts, key=len)
        assert seen[-1].text == "One two three."
        assert ends(seen[-1]).reply == Reply(text="One two three.")


async def test_a_page_that_comes_late_is_shown_the_text_as_it_stands() -> None:
    delivery, store = WebDelivery(), await stored()
    sink = await delivery.open(TURN)
    sink.status("cheap · haiku")
    sink.append("Half of ")
    first = await anext(delivery.watch(TURN.turn_id, store))
    assert (first.status, first.text) == ("cheap · haiku", "Half of ")


async def test_a_page_may_wait_before_the_answer_begins() -> None:
    delivery, store = WebDelivery(), await stored()
    page = asyncio.create_task(watched(delivery, store))
    await asyncio.sleep(0)
    sink = await delivery.open(TURN)
    await sink.fail(Notice(text="The budget is used up."))
    assert ends((await page)[-1]).notice == "The budget is used up."


async def test_an_answer_that_begins_anew_after_a_crash_starts_with_no_text() -> None:
    delivery, store = WebDelivery(), await stored()
    page = delivery.watch(TURN.turn_id, store)
    (await delivery.open(TURN)).append("Old")
    first = await anext(page)
    again = await delivery.open(TURN)
    second = await anext(page)
    assert (second.text, second.attempt) == ("", first.attempt + 1)
    await again.finish(Reply(text="New"))
    assert ends(await anext(page)).reply == Reply(text="New")


async def test_a_stopped_answer_ends_as_the_store_has_it() -> None:
    delivery, store = WebDelivery(), await stored()
    page = asyncio.create_task(watched(delivery, store))
    await asyncio.sleep(0)
    sink = await delivery.open(TURN)
    ended = stopped(TURN, "Half", [])
    assert ended.reply is not None
    await sink.finish(ended.reply)
    assert ends((await page)[-1]) == ended


async def test_a_turn_that_is_over_is_shown_from_the_store() -> None:
    seen = await watched(WebDelivery(), await stored(status=TurnStatus.DONE))
    assert [ends(progress).reply for progress in seen] == [Reply(text="Kept.")]


async def test_a_turn_that_another_process_runs_is_followed_in_the_store() -> None:
    delivery, store = WebDelivery(), await stored()
    page = asyncio.create_task(watched(delivery, store))
    await asyncio.sleep(0)
    await finished(store)
    assert ends((await page)[-1]).reply == Reply(text="Kept.")


async def test_closing_ends_every_watch_so_that_the_server_can_stop() -> None:
    delivery, store = WebDelivery(), await stored()
    sink = await delivery.open(TURN)
    page = asyncio.create_task(watched(delivery, store))
    await asyncio.sleep(0)
    delivery.close()
    assert (await page)[-1].ended is None
    sink.append("goes on unseen")


async def test_nothing_is_kept_of_a_turn_once_nobody_writes_or_watches_it() -> None:
    delivery, store = WebDelivery(), await stored()
    sink = await delivery.open(TURN)
    sink.append("text")
    del sink
    first = await anext(delivery.watch(TURN.turn_id, store))
    assert first.text == ""


async def test_several_messages_of_one_turn_grow_side_by_side() -> None:
    delivery, store = WebDelivery(), await stored()
    sink = await delivery.open(TURN)
    voices = [sink.branch(name, f"Answer · {name}") for name in ("a", "b")]
    voices[1].append("From b")
    voices[0].append("From a")
    await voices[0].finish(Reply(text="From a."))
    await voices[1].fail(Notice(text="b did not answer."))
    now = await anext(delivery.watch(TURN.turn_id, store))
    assert [(b.name, b.label, b.text, b.notice, b.is_over) for b in now.branches] == [
        ("a", "Answer · a", "From a.", "", True),
        ("b", "Answer · b", "From b", "b did not answer.", True),
    ]
    assert now.text == ""


async def test_who_holds_a_turn_before_it_begins_sees_an_end_that_is_kept_nowhere() -> None:
    delivery, store = WebDelivery(), MemoryStore()
    live = delivery.hold(TURN.turn_id)
    sink = await delivery.open(TURN)
    await sink.finish(Reply(text="I have forgotten it."))
    del sink
    (seen,) = await watched(delivery, store)
    assert ends(seen).reply == Reply(text="I have forgotten it.")
    del live, seen
    assert [progress.ended for progress in await watched(delivery, store)] == [None]
