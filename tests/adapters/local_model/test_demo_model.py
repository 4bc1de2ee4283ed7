"""The real demo model, from its start to its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.llm.gateway import LiteLLMGateway
from adapters.local_model.assets import Assets, environment, find_assets
from adapters.local_model.child import Order
from adapters.local_model.demo import PROGRAM, DemoModel, Stage
from adapters.local_model.ending import Ending
from adapters.local_model.gateway import DemoGateway
from adapters.local_model.process import ChildRun
from adapters.local_model.prompting import KEY_NAME, SAMPLING, SERVED_NAME, preamble, to_spec
from bot.calls import ModelCall, Purpose
from bot.errors import ProviderUnavailableError
from bot.messages import Message, Role
from tests.adapters.local_model.waiting import is_running, until

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module", autouse=True)
def assets() -> Assets:
    try:
        return find_assets()
    except ProviderUnavailableError as error:
        pytest.skip(f"the demo model is not here: {error}")


async def ask(base_url: str, api_key: str, prompt: str) -> list[dict[str, Any]]:
    """The chunks of a streamed answer, in OpenAI's protocol."""
    messages = [{"role": m.role.value, "content": m.text} for m in preamble()]
    body = {
        "model": SERVED_NAME,
        "messages": [*messages, {"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
        **SAMPLING,
    }
    headers = {"Authorization": f"Bearer {api_key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{base_url}/chat/completions", json=body, headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        lines = [line.decode().strip() async for line in response.content]
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def text_of(chunks: list[dict[str, Any]]) -> str:
    deltas = (chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)


def greeting(text: str) -> ModelCall:
    return ModelCall(
        call_id="turn:1",
        purpose=Purpose.ANSWER,
        model=to_spec(None),
        messages=(
            Message(role=Role.SYSTEM, text="You are Parley. " * 20),
            Message(role=Role.USER, text=text),
        ),
        max_output_tokens=64,
    )


@asynccontextmanager
async def parent() -> AsyncIterator[tuple[Process, int, str, str]]:
    """A further process with a demo model of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.local_model.parent", stdout=PIPE, cwd=Path.cwd()
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            pid, base_url, api_key = (await process.stdout.readline()).decode().split()
        yield process, int(pid), base_url, api_key
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_greeting_is_answered_in_a_stream_with_exact_usage() -> None:
    async with DemoModel() as demo:
        chunks = await ask(await demo.ready(), demo.api_key, "Hello!")
        assert len(text_of(chunks)) > 3
        assert len(chunks) > 4
        assert chunks[-1]["usage"]["prompt_tokens"] > 50
        assert chunks[-1]["usage"]["completion_tokens"] > 2
        reached = list(demo.stages)
        assert reached[-4:] == [Stage.CHECKING, Stage.LOADING, Stage.WARMING, Stage.READY]
        assert demo.memory_bytes is not None
        assert 100e6 < demo.memory_bytes < 400e6


async def test_a_prompt_asked_at_once_is_answered_through_litellm() -> None:
    pieces: list[str] = []
    async with DemoModel() as demo:
        llm = LiteLLMGateway(lambda m: demo.api_key if m.api_key_env == KEY_NAME else None)
        try:
            gateway = DemoGateway(llm, demo)
            done = await gateway.complete(greeting("What is the capital of France?"), pieces.append)
        finally:
            await llm.close()
    assert "".join(pieces) == done.text
    assert "Paris" in done.text
    assert not done.usage.is_estimated
    assert done.response_model_id.endswith(SERVED_NAME)


async def test_prompts_right_after_one_another_are_all_answered() -> None:
    async with DemoModel() as demo:
        llm = LiteLLMGateway(lambda _: demo.api_key)
        try:
            gateway = DemoGateway(llm, demo)
            short = replace(greeting("Hello!"), max_output_tokens=2)
            answers = [await gateway.complete(short, lambda _: None) for _ in range(10)]
        finally:
            await llm.close()
    assert all(answer.text for answer in answers)


async def test_only_who_has_the_key_is_answered_and_nothing_else_is_shown() -> None:
    async with DemoModel() as demo, aiohttp.ClientSession() as session:
        base_url = await demo.ready()
        root = base_url.removesuffix("/v1")
        assert base_url.startswith("http://127.0.0.1:")
        async with session.post(f"{base_url}/chat/completions", json={}) as response:
            assert response.status == 401
        key = {"Authorization": f"Bearer {demo.api_key}"}
        async with session.get(f"{root}/slots", headers=key) as response:
            assert response.status == 501
        async with session.get(f"{root}/", headers=key) as response:
            assert response.status == 404
        evil = {"Origin": "http://evil.example"}
        async with session.get(f"{root}/health", headers=evil) as response:
            assert response.headers.get("Access-Control-Allow-Origin", "") == ""


async def test_a_killed_model_is_back_and_answers() -> None:
    async with DemoModel() as demo:
        await demo.ready()
        first = demo.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: demo.pid not in (first, None))
        assert text_of(await ask(await demo.ready(), demo.api_key, "Hello!"))


async def test_no_child_outlives_a_killed_parent() -> None:
    async with parent() as (process, child_pid, _, _):
        assert is_running(child_pid)
        process.kill()
        await process.wait()
        await until(lambda: not is_running(child_pid))


async def test_two_parents_at_once_have_a_model_each() -> None:
    async with (
        parent() as (_, one, one_url, one_key),
        parent() as (_, other, other_url, other_key),
    ):
        assert one != other
        answers = await asyncio.gather(
            ask(one_url, one_key, "Hello!"), ask(other_url, other_key, "Hello!")
        )
        assert all(text_of(chunks) for chunks in answers)


async def run_once(order: Order, variables: dict[str, str]) -> tuple[Ending, list[str]]:
    """One run that ends as soon as it is ready, or by itself."""
    heard: list[str] = []
    running = asyncio.create_task(
        ChildRun(PROGRAM, lambda r: heard.append(r.stage), start_timeout_s=60).run(
            order, variables, lambda _: None
        )
    )
    await until(lambda: "ready" in heard or running.done(), limit_s=60)
    if not running.done():
        running.cancel()
        await asyncio.wait({running})
        return Ending(code=0), heard
    return await running, heard


def order(assets: Assets, **other: Any) -> Order:
    usual = Order(
        path=assets.model_path,
        sha256=assets.model_sha256,
        api_key="key",
        served_name=SERVED_NAME,
        threads=1,
        slots=1,
        slot_tokens=512,
    )
    return replace(usual, **other)


async def test_a_damaged_file_is_refused_before_it_is_loaded(
    assets: Assets, tmp_path: Path
) -> None:
    damaged = tmp_path / "model.gguf"
    damaged.write_bytes(b"GGUF, cut off")
    ending, heard = await run_once(order(assets, path=str(damaged)), {})
    assert ending.problem == "damaged"
    assert heard == ["checking", "failed"]


async def test_a_file_that_is_no_model_is_told_by_the_engine(
    assets: Assets, tmp_path: Path
) -> None:
    nonsense = tmp_path / "model.gguf"
    nonsense.write_bytes(b"no model")
    ending, _ = await run_once(order(assets, path=str(nonsense), sha256=""), {})
    assert ending.problem.startswith("engine:")
    assert not ending.may_restart


@pytest.mark.skipif(sys.platform != "linux", reason="the spare library is for Linux")
async def test_the_engine_runs_with_the_spare_openmp_library(assets: Assets) -> None:
    assert assets.openmp_folder is not None
    variables = dict(environment(assets, with_spare_openmp=True))
    _, heard = await run_once(order(assets), variables)
    assert heard[-1] == "ready"
