"""The life of the demo model's process, with programs that play its part."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.local_model.assets import Assets
from adapters.local_model.demo import MAX_RESTARTS, DemoModel, Stage
from bot.errors import ProviderUnavailableError
from tests.adapters.local_model import children
from tests.adapters.local_model.waiting import is_running, until


def demo(program: Sequence[str], *, start_timeout_s: float = 10.0) -> DemoModel:
    return DemoModel(
        program=program, find_assets=lambda: children.NOWHERE, start_timeout_s=start_timeout_s
    )


def stages(model: DemoModel) -> list[Stage]:
    return list(model.stages)


async def test_tells_its_address_once_it_is_ready() -> None:
    async with demo(children.OBEDIENT) as model:
        assert await model.ready() == "http://127.0.0.1:9/v1"
        assert stages(model) == [Stage.FINDING, Stage.STARTING, Stage.READY]
        assert model.start_s is not None
        assert model.memory_bytes == 1


async def test_entering_does_not_wait_for_a_child_that_hangs() -> None:
    async with asyncio.timeout(5), demo(children.SILENT) as model:
        await until(lambda: model.pid is not None)
        assert model.base_url is None
        assert model.failure is None


async def test_leaving_ends_the_child() -> None:
    async with demo(children.OBEDIENT) as model:
        await model.ready()
        pid = model.pid
    assert pid is not None
    assert not is_running(pid)


async def test_leaving_ends_a_child_that_does_not_listen() -> None:
    async with demo(children.STUBBORN) as model:
        await model.ready()
        pid = model.pid
    assert pid is not None
    assert not is_running(pid)


async def test_who_waits_while_it_is_shut_down_is_told() -> None:
    async with demo(children.SILENT) as model:
        waiter = asyncio.create_task(model.ready())
        await until(lambda: model.pid is not None)
    with pytest.raises(ProviderUnavailableError, match="shut down"):
        await waiter


async def test_leaving_at_once_leaves_nobody_waiting() -> None:
    async with demo(children.OBEDIENT) as model:
        waiter = asyncio.create_task(model.ready())
    with pytest.raises(ProviderUnavailableError, match="shut down"):
        await waiter


async def test_a_missing_package_is_told_and_nothing_else_happens() -> None:
    def find_nothing() -> Assets:
        raise ProviderUnavailableError("The demo model is not installed.")

    async with DemoModel(find_assets=find_nothing) as model:
        with pytest.raises(ProviderUnavailableError, match="not installed"):
            await model.ready()
        assert stages(model) == [Stage.FINDING, Stage.FAILED]


async def test_a_program_that_cannot_be_started_is_told() -> None:
    async with demo(("/nowhere/python",)) as model:
        with pytest.raises(ProviderUnavailableError, match="set a provider's key"):
            await model.ready()


async def test_an_old_processor_is_named_and_not_tried_again() -> None:
    async with demo(children.OLD_PROCESSOR) as model:
        with pytest.raises(ProviderUnavailableError, match="AVX2"):
            await model.ready()
        assert stages(model) == [Stage.FINDING, Stage.STARTING, Stage.FAILED]


async def test_a_child_that_always_crashes_is_given_up() -> None:
    async with demo(children.CRASHING) as model:
        with pytest.raises(ProviderUnavailableError, match="keeps ending"):
            await model.ready()
        assert stages(model).count(Stage.RESTARTING) == MAX_RESTARTS


async def test_a_child_that_never_answers_is_ended_and_told() -> None:
    async with demo(children.SILENT, start_timeout_s=0.3) as model:
        await until(lambda: model.pid is not None)
        pid = model.pid
        with pytest.raises(ProviderUnavailableError, match="too long"):
            await model.ready()
        assert pid is not None
        assert not is_running(pid)


async def test_a_killed_child_is_started_again() -> None:
    async with demo(children.OBEDIENT) as model:
        await model.ready()
        first = model.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: model.pid not in (first, None))
        await model.ready()
        assert stages(model)[-2:] == [Stage.RESTARTING, Stage.READY]


async def test_who_waits_is_served_by_a_later_start(tmp_path: Path) -> None:
    mark = tmp_path / "started-before"
    habit = (
        f"mark = {str(mark)!r}\n"
        "if not os.path.exists(mark): open(mark, 'w').close(); sys.exit(1)\n"
        "ready(); sys.stdin.read()"
    )
    async with demo(children.child(habit)) as model:
        assert await model.ready() == "http://127.0.0.1:9/v1"
        assert Stage.RESTARTING in stages(model)


async def test_other_output_is_passed_over() -> None:
    async with demo(children.BABBLING) as model:
        assert await model.ready() == "http://127.0.0.1:9/v1"


async def test_the_spare_openmp_library_is_used_when_the_system_has_none() -> None:
    async with demo(children.NO_OPENMP) as model:
        await model.ready()
        assert stages(model) == [Stage.FINDING, Stage.STARTING, Stage.STARTING, Stage.READY]


async def test_without_a_spare_openmp_library_the_missing_one_is_named() -> None:
    bare = Assets(model_path="/nowhere/model.gguf")
    async with DemoModel(program=children.NO_OPENMP, find_assets=lambda: bare) as model:
        with pytest.raises(ProviderUnavailableError, match="libgomp"):
            await model.ready()


async def test_the_child_sees_no_secret_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen = tmp_path / "seen"
    habit = f"open({str(seen)!r}, 'w').write(repr((sys.argv, dict(os.environ)))); ready()"
    async with demo(children.child(habit + "; sys.stdin.read()")) as model:
        await model.ready()
        assert "sk-secret" not in seen.read_text()
        assert model.api_key not in seen.read_text()


async def test_each_start_has_a_key_of_its_own() -> None:
    assert demo(children.OBEDIENT).api_key != demo(children.OBEDIENT).api_key
