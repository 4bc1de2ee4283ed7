"""What every store keeps of opinions and of what they taught."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.catalog import Tier
from bot.lessons import AnsweredTurn, LearnedVersion
from bot.messages import ConversationKey
from bot.turns import TurnStatus
from tests.contract.conftest import AnyStore
from tests.contract.examples import NOON, PLACE, accepted, begun

HERE = "test/w"


async def _answered(
    store: AnyStore, number: int, *, key: ConversationKey = PLACE, **decision: object
) -> str:
    """A turn that came to its end."""
    turn = await begun(store, await accepted(store, number, key=key))
    kept = decision or {"model": "haiku", "tier": "cheap"}
    await store.finish(replace(turn, status=TurnStatus.DONE, decision=kept, finished_at=NOON))
    return turn.turn_id


def _version(number: int, **more: object) -> LearnedVersion:
    values: dict[str, object] = {
        "scope_id": HERE,
        "number": number,
        "version": f"local+{number}",
        "data": bytes(range(256)),
        "marks": 40,
        "report": "small talk: easier",
        "created_at": NOON + timedelta(days=number),
        "is_accepted": True,
    }
    return LearnedVersion(**{**values, **more})  # type: ignore[arg-type]  # test data


async def test_answers_come_with_their_opinions_oldest_first(store: AnyStore) -> None:
    first, second = await _answered(store, 1), await _answered(store, 2)
    await store.add_feedback(second, "ada", -1)
    await store.add_feedback(second, "bob", -1)
    found = await store.answered(HERE, 10)
    assert [(turn.turn_id, turn.marks) for turn in found] == [(first, 0), (second, -2)]
    assert isinstance(found[0], AnsweredTurn)
    assert (found[0].tier, found[0].key) == (Tier.CHEAP, PLACE)
    assert [turn.turn_id for turn in await store.answered(HERE, 1)] == [second]


async def test_commands_debates_and_other_workspaces_teach_nothing(store: AnyStore) -> None:
    await _answered(store, 1, command="help")
    await _answered(store, 2, strategy="debate", tier="full", model="opus")
    elsewhere = await _answered(store, 3, key=replace(PLACE, workspace_id="other"))
    await store.add_feedback(elsewhere, "ada", 1)
    assert await store.answered(HERE, 10) == ()
    assert await store.rated_workspaces() == ("test/other",)


async def test_what_is_forgotten_teaches_nothing_any_more(store: AnyStore) -> None:
    turn_id = await _answered(store, 1)
    await store.add_feedback(turn_id, "ada", -1)
    await store.forget(PLACE)
    assert await store.answered(HERE, 10) == ()
    assert await store.rated_workspaces() == ()


async def test_the_newest_version_that_may_be_used_is_in_use(store: AnyStore) -> None:
    assert await store.learned(HERE) is None
    for version in (_version(1), _version(2), _version(3, is_accepted=False)):
        assert await store.keep_learned(version)
    assert await store.learned(HERE) == _version(2)
    await store.withdraw_learned(HERE, 2)
    assert await store.learned(HERE) == _version(1)
    assert [v.number for v in await store.learned_versions(HERE)] == [3, 2, 1]
    assert await store.learned("test/other") is None


async def test_of_two_processes_one_keeps_its_version(store: AnyStore) -> None:
    assert await store.keep_learned(_version(1))
    assert not await store.keep_learned(_version(1, report="another"))
    assert await store.learned_versions(HERE) == (_version(1),)
