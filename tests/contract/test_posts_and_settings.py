"""What every store keeps of posts and settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.catalog import Tier
from bot.errors import SettingError
from bot.ports import Post
from bot.settings import SettingChange
from tests.contract.conftest import AnyStore
from tests.contract.examples import NOON, PLACE, accepted


def _post(number: int) -> Post:
    return Post(post_id=f"test:m1:p{number}", turn_id="test:m1", created_at=NOON)


def _change(name: str, after: str | None, scope_id: str = "test/w") -> SettingChange:
    return SettingChange(scope_id=scope_id, name=name, after=after, user_id="root", at=NOON)


async def test_the_intent_to_post_is_kept_once(store: AnyStore) -> None:
    first = await store.sending(_post(1))
    await store.sent(replace(first, platform_id="99", channel_id="thread"))

    later = replace(_post(1), created_at=NOON + timedelta(minutes=5))

    assert first == _post(1)
    assert await store.sending(later) == replace(first, platform_id="99", channel_id="thread")


async def test_posts_of_a_turn_come_in_the_order_of_its_parts(store: AnyStore) -> None:
    for number in (10, 2, 1):
        await store.sending(_post(number))

    assert await store.posts("test:m1") == (_post(1), _post(2), _post(10))
    assert await store.posts("test:other") == ()


async def test_finds_the_turn_of_a_post_on_its_own_platform(store: AnyStore) -> None:
    turn = await accepted(store, 1)
    await store.sending(_post(1))
    await store.sent(replace(_post(1), platform_id="99"))

    assert await store.turn_of_post("test", "99") == turn.turn_id
    assert await store.turn_of_post("other", "99") is None
    assert await store.turn_of_post("test", "98") is None


async def test_the_narrowest_setting_wins(store: AnyStore) -> None:
    assert (await store.settings(PLACE)).dial == 5
    await store.set_setting(_change("dial", "2"))
    await store.set_setting(_change("tier", "cheap"))
    await store.set_setting(_change("dial", "7", scope_id="test/w/c"))
    await store.set_setting(_change("tier", "full", scope_id=str(PLACE)))
    await store.set_setting(_change("dial", "9", scope_id="test/elsewhere"))

    settings = await store.settings(PLACE)

    assert (settings.dial, settings.tier) == (7, Tier.FULL)
    assert await store.settings_of("test/w") == {"dial": "2", "tier": "cheap"}


async def test_a_setting_taken_away_leaves_the_wider_one(store: AnyStore) -> None:
    await store.set_setting(_change("dial", "2"))
    await store.set_setting(_change("dial", "7", scope_id="test/w/c"))
    await store.set_setting(_change("dial", None, scope_id="test/w/c"))

    assert (await store.settings(PLACE)).dial == 2


async def test_each_change_is_kept_with_what_was_before(store: AnyStore) -> None:
    for after in ("2", "7", None):
        await store.set_setting(_change("dial", after))

    changes = [(c.before, c.after, c.user_id) for c in await store.audit("test/w")]

    assert changes == [("7", None, "root"), ("2", "7", "root"), (None, "2", "root")]


async def test_a_value_that_makes_no_sense_is_not_kept(store: AnyStore) -> None:
    with pytest.raises(SettingError, match="0 to 10"):
        await store.set_setting(_change("dial", "eleven"))

    assert await store.settings_of("test/w") == {}
    assert await store.audit("test/w") == ()
