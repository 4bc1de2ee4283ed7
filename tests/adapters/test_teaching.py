"""Refits by command and by night: kept once, refused when worse, taken back, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.teaching import Teacher
from bot.difficulty.learned import LearnedEstimator, from_bytes
from bot.settings import SettingChange
from storage import SqlStore, open_store
from tests.fakes import PLACE, FrozenClock
from tests.rated import BREAD, rated
from tests.unit.difficulty.models import make_estimator

NIGHT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
BASE = make_estimator()
HERE = "test/w"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with open_store(tmp_path / "parley.db") as opened:
        yield opened


def _teacher(store: SqlStore, clock: FrozenClock | None = None) -> Teacher:
    return Teacher(store, BASE, clock or FrozenClock(NIGHT), lambda: ())


async def _set(store: SqlStore, name: str, value: str, scope_id: str = HERE) -> None:
    change = SettingChange(scope_id=scope_id, name=name, after=value, user_id="root", at=NIGHT)
    await store.set_setting(change)


async def test_a_refit_is_kept_with_its_report_and_used(store: SqlStore) -> None:
    await rated(store, 0, 120)
    lesson = await _teacher(store).refit(HERE)
    version = await store.learned(HERE)
    assert version is not None
    assert version == lesson.version
    assert (version.number, version.marks, version.version) == (1, 120, "local-test+1")
    assert "harder" in version.report
    assert "sourdough" not in version.report
    assert b"sourdough" not in version.data
    learned = LearnedEstimator(BASE, from_bytes(version.data))
    prompt = BREAD.format("vinegar")
    assert learned.estimate(prompt).p_free < BASE.estimate(prompt).p_free - 0.1


async def test_too_few_opinions_change_nothing_and_it_is_said(store: SqlStore) -> None:
    await rated(store, 0, 6)
    lesson = await _teacher(store).refit(HERE)
    assert lesson.version is None
    assert "Only 6 opinions; 30 are needed." in lesson.report
    assert await store.learned_versions(HERE) == ()


async def test_going_back_takes_one_version_after_the_other(store: SqlStore) -> None:
    await rated(store, 0, 60)
    teacher = _teacher(store)
    await teacher.refit(HERE)
    await teacher.refit(HERE)
    taken = [await teacher.roll_back(HERE) for _ in range(3)]
    assert [version.number if version else None for version in taken] == [2, 1, None]
    assert await store.learned(HERE) is None


async def test_workspaces_learn_nothing_of_one_another(store: SqlStore) -> None:
    await rated(store, 0, 60, key=replace(PLACE, workspace_id="other"))
    lesson = await _teacher(store).refit(HERE)
    assert lesson.report.startswith("0 turns")
    assert await store.learned(HERE) is None


async def test_several_processes_keep_one_version(store: SqlStore) -> None:
    await rated(store, 0, 60)
    lessons = await asyncio.gather(*(_teacher(store).refit(HERE) for _ in range(4)))
    kept = [lesson.version for lesson in lessons if lesson.version is not None]
    versions = await store.learned_versions(HERE)
    assert len(kept) == len(versions)
    assert len({version.number for version in kept}) == len(kept)


async def test_at_night_only_workspaces_that_learn_are_refitted(store: SqlStore) -> None:
    await rated(store, 0, 60)
    teacher = _teacher(store)
    assert await teacher.post_due() == 0
    await _set(store, "learn", "on")
    assert await _teacher(store).post_due() == 1
    assert await _teacher(store).post_due() == 0
    assert len(await store.learned_versions(HERE)) == 1


async def test_before_the_hour_nothing_is_due(store: SqlStore) -> None:
    await rated(store, 0, 60)
    await _set(store, "learn", "on")
    clock = FrozenClock(NIGHT.replace(hour=2))
    teacher = _teacher(store, clock)
    assert await teacher.post_due() == 0
    await _set(store, "zone", "Europe/Berlin")
    assert await teacher.post_due() == 1


async def test_the_next_night_waits_for_new_opinions(store: SqlStore) -> None:
    await rated(store, 0, 60)
    await _set(store, "learn", "on")
    clock = FrozenClock(NIGHT)
    teacher = _teacher(store, clock)
    assert await teacher.post_due() == 1
    clock.advance(24 * 3600)
    assert await teacher.post_due() == 0
    await rated(store, 24 * 60 + 600, 12)
    clock.advance(24 * 3600)
    assert await teacher.post_due() == 1
    assert [v.number for v in await store.learned_versions(HERE)] == [2, 1]


async def test_a_channel_that_does_not_learn_teaches_nothing(store: SqlStore) -> None:
    await rated(store, 0, 60)
    await _set(store, "learn", "on")
    await _set(store, "learn", "off", f"{HERE}/{PLACE.channel_id}")
    assert await _teacher(store).post_due() == 0
    assert (await _teacher(store).refit(HERE)).report.startswith("0 turns")


async def test_what_was_learned_of_forgotten_prompts_is_not_used_any_longer(
    store: SqlStore,
) -> None:
    await rated(store, 0, 60)
    await _set(store, "learn", "on")
    clock = FrozenClock(NIGHT)
    teacher = _teacher(store, clock)
    await teacher.post_due()
    await store.forget_user("test", "w", "ada")
    clock.advance(24 * 3600)
    await teacher.post_due()
    assert await store.learned(HERE) is None
