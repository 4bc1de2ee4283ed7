"""Each message is kept and queued once; buttons make further turns; deletions cancel."""

import asyncio
from dataclasses import replace

import pytest

from bot.catalog import Tier
from bot.errors import StoreError
from bot.inbox import Inbox
from bot.messages import Attachment, ConversationKey, IncomingMessage
from bot.replies import Reply
from bot.spend import Where
from bot.turns import Turn, TurnStatus
from storage import MemoryStore
from tests.fakes import NOON, FrozenClock, RecordingQueue, incoming


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def inbox(store: MemoryStore, queue: RecordingQueue) -> Inbox:
    return Inbox(store, queue, FrozenClock())


async def test_a_message_becomes_a_queued_turn(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    turn = await inbox.accept(incoming("Hello"))
    assert turn is not None
    assert (turn.turn_id, turn.status, turn.prompt) == ("test:m1", TurnStatus.QUEUED, "Hello")
    assert queue.submitted == ["test:m1"]
    assert await store.turn("test:m1") == turn


async def test_what_nothing_can_keep_is_replaced_before_it_is_kept(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    file = Attachment(name="a\udcff.txt", media_type="text/plain", size_bytes=1)
    said = incoming("half \ud83d of\0 it", author_name="\ude42", attachments=(file,))
    turn = await inbox.accept(said)
    assert turn is not None
    assert (turn.prompt, turn.user_name) == ("half \ufffd of it", "\ufffd")
    assert [file.name for file in turn.attachments] == ["a\ufffd.txt"]
    await inbox.amend("test", "m1", "\ud83d\ude42")
    amended = await store.turn("test:m1")
    assert amended is not None
    assert amended.prompt == "🙂"


async def test_the_same_message_twice_is_answered_once(inbox: Inbox, queue: RecordingQueue) -> None:
    await inbox.accept(incoming("Hello"))
    assert await inbox.accept(incoming("Hello")) is None
    assert queue.submitted == ["test:m1"]


class _Full(MemoryStore):
    """Has no room for a message."""

    async def keep(self, message: IncomingMessage) -> None:
        raise StoreError

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        raise StoreError


@pytest.mark.parametrize("is_addressed", [True, False])
async def test_a_message_that_cannot_be_kept_is_heard_of(
    queue: RecordingQueue, *, is_addressed: bool
) -> None:
    unkept: list[str] = []
    inbox = Inbox(_Full(), queue, FrozenClock(), on_unkept=lambda: unkept.append("one"))
    with pytest.raises(StoreError):
        await inbox.accept(incoming("Hello", is_addressed=is_addressed))
    assert (unkept, queue.submitted) == (["one"], [])


async def test_talk_between_people_is_kept_and_not_answered(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    assert await inbox.accept(incoming("Lunch?", "m0", is_addressed=False)) is None
    turn = await inbox.accept(incoming("What did I say?"))
    assert turn is not None
    assert queue.submitted == ["test:m1"]
    assert [said.text for said in await store.history(turn)] == ["Lunch?"]


async def test_again_is_a_turn_of_its_own_on_the_same_message(
    inbox: Inbox, queue: RecordingQueue
) -> None:
    await inbox.accept(incoming("Hello"))
    turn = await inbox.retry("test:m1", event_id="press1", user_id="bob")
    assert turn is not None
    assert (turn.turn_id, turn.retry_of, turn.user_id, turn.prompt) == (
        "test:press1", "test:m1", "bob", "Hello",
    )  # fmt: skip
    assert await inbox.retry("test:m1", event_id="press1", user_id="bob") is None
    assert queue.submitted == ["test:m1", "test:press1"]


async def test_a_button_pressed_twice_is_one_answer_until_that_is_over(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    await inbox.accept(incoming("Hello"))
    first = await inbox.heavier("test:m1", event_id="p1", user_id="bob")
    second = await inbox.heavier("test:m1", event_id="p2", user_id="bob")
    assert first is not None
    assert second is not None
    assert second.turn_id == first.turn_id
    assert queue.submitted == ["test:m1", "test:p1"]
    await store.finish(replace(first, status=TurnStatus.DONE, finished_at=NOON))
    third = await inbox.heavier("test:m1", event_id="p3", user_id="bob")
    assert third is not None
    assert third.turn_id == "test:p3"


async def test_somebody_elses_again_counts_with_their_own_roles(inbox: Inbox) -> None:
    await inbox.accept(incoming("Hello", role_ids=("staff",)))
    by_bob = await inbox.retry("test:m1", event_id="p1", user_id="bob", role_ids=("guests",))
    by_ada = await inbox.heavier("test:m1", event_id="p2", user_id="ada")
    assert by_bob is not None
    assert by_ada is not None
    assert (by_bob.role_ids, by_ada.role_ids) == (("guests",), ("staff",))


async def test_somebody_elses_again_does_not_make_them_an_admin(inbox: Inbox) -> None:
    await inbox.accept(incoming("Hi", is_admin=True))
    own = await inbox.retry("test:m1", event_id="e1", user_id="ada")
    others = await inbox.retry("test:m1", event_id="e2", user_id="bob")
    assert own is not None
    assert others is not None
    assert (own.is_admin, others.is_admin) == (True, False)


async def test_a_button_of_an_unknown_turn_does_nothing(inbox: Inbox) -> None:
    assert await inbox.retry("test:gone", event_id="e", user_id="bob") is None
    assert await inbox.heavier("test:gone", event_id="e", user_id="bob") is None


async def test_heavier_goes_one_tier_up(inbox: Inbox) -> None:
    await inbox.accept(incoming("Hello"))
    turn = await inbox.heavier("test:m1", event_id="press1", user_id="bob")
    assert turn is not None
    assert turn.tier is Tier.CHEAP


async def test_stop_marks_the_turn_and_interrupts_it(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    await inbox.accept(incoming("Hello"))
    assert await inbox.stop("test:m1")
    assert await store.is_stopped("test:m1")
    assert queue.cancelled == ["test:m1"]


@pytest.mark.parametrize("text", ["stop", "/stop", "@fast stop"])
async def test_the_word_stop_is_heard_as_a_command_and_behind_a_tag(
    inbox: Inbox, queue: RecordingQueue, text: str
) -> None:
    await inbox.accept(incoming("Hello"))
    await inbox.accept(incoming(text, message_id="m2"))
    assert queue.cancelled == ["test:m1"]


async def test_the_word_stop_ends_what_its_conversation_waits_for_and_nothing_else(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    await inbox.accept(incoming("Hello"))
    elsewhere = ConversationKey(
        platform="test", workspace_id="w1", channel_id="c1", thread_id="elsewhere"
    )
    await inbox.accept(incoming("Hi", message_id="m2", key=elsewhere))
    await inbox.accept(incoming("Stop!", message_id="m3"))
    assert await inbox.accept(incoming("Stop!", message_id="m3")) is None
    assert queue.cancelled == ["test:m1"]
    assert queue.submitted == ["test:m1", "test:m2", "test:m3"]
    assert not await store.is_stopped("test:m3")


class _Nameless(MemoryStore):
    """Cannot keep the names of places."""

    async def name_place(
        self, platform: str, workspace_id: str, channel_id: str, name: str
    ) -> None:
        raise StoreError


async def test_a_name_that_cannot_be_kept_does_not_fail_its_message(queue: RecordingQueue) -> None:
    inbox = Inbox(_Nameless(), queue, FrozenClock())
    assert await inbox.accept(replace(incoming("Hello"), workspace_name="Acme")) is not None
    assert queue.submitted == ["test:m1"]


async def test_stop_of_an_unknown_turn_does_nothing(inbox: Inbox, queue: RecordingQueue) -> None:
    assert not await inbox.stop("test:gone")
    assert queue.cancelled == []


async def test_an_edit_before_the_answer_is_what_is_answered(
    inbox: Inbox, store: MemoryStore
) -> None:
    await inbox.accept(incoming("Helo"))
    await inbox.amend("test", "m1", "Hello")
    begun = await store.begin("test:m1", FrozenClock().now())
    assert begun is not None
    assert begun.turn.prompt == "Hello"


async def test_a_deleted_message_cancels_its_answer_and_leaves_the_history(
    inbox: Inbox, store: MemoryStore, queue: RecordingQueue
) -> None:
    await inbox.accept(incoming("Secret"))
    await inbox.withdraw("test", "m1")
    turn = await inbox.accept(incoming("Hello", "m2"))
    assert turn is not None
    assert queue.cancelled == ["test:m1"]
    assert await store.history(turn) == ()


async def test_an_opinion_is_one_or_minus_one(inbox: Inbox, store: MemoryStore) -> None:
    asked = await inbox.accept(incoming("Hello"))
    assert asked is not None
    answered = replace(
        asked, status=TurnStatus.DONE, reply=Reply(text="Hi"), decision={"tier": "free"}
    )
    await store.finish(answered)
    await inbox.feedback("test:m1", "ann", 7)
    await inbox.feedback("test:m1", "bob", -7)
    assert [turn.marks for turn in await store.answered("test/w", 9)] == [0]
    await inbox.feedback("test:m1", "bob", 7)
    assert [turn.marks for turn in await store.answered("test/w", 9)] == [2]


async def test_a_prompt_that_comes_while_the_program_starts_waits(
    store: MemoryStore, queue: RecordingQueue
) -> None:
    opened = asyncio.Event()
    inbox = Inbox(store, queue, FrozenClock(), until_open=opened.wait)
    asking = asyncio.create_task(inbox.accept(incoming("Hello")))
    await asyncio.sleep(0)
    assert await store.turn("test:m1") is None
    opened.set()
    assert await asking is not None


async def test_what_a_place_is_called_is_kept_and_followed() -> None:
    store, clock = MemoryStore(), FrozenClock()
    inbox = Inbox(store, RecordingQueue(), clock)
    here = Where(platform="test", workspace_id="w")
    await inbox.accept(incoming("Hi", "m1", workspace_name="Acme", channel_name="#general"))
    await inbox.accept(incoming("Hi", "m2", channel_name="#renamed"))

    assert await store.channel_names(here, ["c"]) == {"c": "#renamed"}
    assert await store.workspace_names() == {("test", "w"): "Acme"}


async def test_a_name_that_another_process_kept_meanwhile_is_put_right_within_an_hour() -> None:
    store, clock = MemoryStore(), FrozenClock()
    inbox = Inbox(store, RecordingQueue(), clock)
    here = Where(platform="test", workspace_id="w")
    await inbox.accept(incoming("Hi", "m1", channel_name="#general"))
    await store.name_place("test", "w", "c", "#old")
    await inbox.accept(incoming("Hi", "m2", channel_name="#general"))
    assert await store.channel_names(here, ["c"]) == {"c": "#old"}
    clock.advance(3_600)
    await inbox.accept(incoming("Hi", "m3", channel_name="#general"))

    assert await store.channel_names(here, ["c"]) == {"c": "#general"}
