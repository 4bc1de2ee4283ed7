"""The loopback providers, asked by a plain HTTP client."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.loopback.providers import FaultKind, Outcome, ProviderServer, Reply, count_tokens

TEXT = "One two three four five six."


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        server.script(text=TEXT, cached_input_tokens=4, reasoning_tokens=2)
        yield server


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def chat(model: str = "m", **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hello there"}]} | fields


async def events(response: aiohttp.ClientResponse) -> list[Any]:
    lines = (await response.text()).split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(item) for item in data if item != "[DONE]"]


async def test_streams_chat_completions_with_exact_usage(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    body = chat(stream=True, stream_options={"include_usage": True})
    async with client.post(f"{provider.base('openai')}/chat/completions", json=body) as response:
        chunks = await events(response)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == TEXT
    assert chunks[-1]["usage"]["completion_tokens"] == count_tokens(TEXT) + 2
    assert chunks[-1]["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert provider.requests[0].billed.output_tokens == count_tokens(TEXT) + 2


async def test_leaves_the_usage_out_when_it_was_not_asked_for(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    body = chat(stream=True)
    async with client.post(f"{provider.base('groq')}/chat/completions", json=body) as response:
        chunks = await events(response)
    assert [chunk for chunk in chunks if "usage" in chunk] == []


async def test_openrouter_reports_what_it_costs(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    provider.prices["m"] = (2.0, 10.0)
    url = f"{provider.base('openrouter')}/chat/completions"
    async with client.post(url, json=chat()) as response:
        usage = (await response.json())["usage"]
    assert usage["cost"] == (usage["prompt_tokens"] * 2 + usage["completion_tokens"] * 10) / 1e6


async def test_streams_anthropic_messages_with_cached_tokens_apart(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    url = f"{provider.base('anthropic')}/v1/messages"
    async with client.post(url, json=chat(stream=True, max_tokens=100, system="Be")) as response:
        sent = await events(response)
    assert [event["type"] for event in sent if event["type"] != "content_block_delta"] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    usage = sent[0]["message"]["usage"]
    assert usage["input_tokens"] + 4 == provider.requests[0].input_tokens
    assert usage["cache_read_input_tokens"] == 4
    assert [message["role"] for message in provider.requests[0].messages] == ["system", "user"]


async def test_streams_gemini_with_thoughts_apart(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}]}
    url = f"{provider.base('gemini')}/models/flash:streamGenerateContent?alt=sse"
    async with client.post(url, json=body) as response:
        last = (await events(response))[-1]
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"]["candidatesTokenCount"] == count_tokens(TEXT)
    assert last["usageMetadata"]["thoughtsTokenCount"] == 2
    assert provider.requests[0].model == "flash"
    assert provider.requests[0].prompt == "Hello there"


@pytest.mark.parametrize(
    ("base", "kind", "status"),
    [
        ("openai", FaultKind.BAD_KEY, 401),
        ("openai", FaultKind.NO_CREDIT, 429),
        ("openrouter", FaultKind.NO_CREDIT, 402),
        ("groq", FaultKind.OVERLOADED, 498),
        ("mistral", FaultKind.NO_SUCH_MODEL, 400),
        ("local", FaultKind.SERVER_ERROR, 500),
    ],
)
async def test_refuses_once_and_bills_nothing(
    provider: ProviderServer,
    client: aiohttp.ClientSession,
    base: str,
    kind: FaultKind,
    status: int,
) -> None:
    provider.fail(kind, retry_after_s=7)
    url = f"{provider.base(base)}/chat/completions"
    async with client.post(url, json=chat()) as refused:
        assert (refused.status, refused.headers["retry-after"]) == (status, "7")
    async with client.post(url, json=chat()) as answered:
        assert answered.status == 200
    assert [seen.outcome for seen in provider.requests] == [Outcome.REFUSED, Outcome.FINISHED]
    assert provider.requests[0].billed.input_tokens == 0


async def test_a_fault_strikes_only_the_provider_it_names(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    provider.fail(FaultKind.SERVER_ERROR, provider="groq", times=None)
    async with client.post(f"{provider.base('openai')}/chat/completions", json=chat()) as response:
        assert response.status == 200
    async with client.post(f"{provider.base('groq')}/chat/completions", json=chat()) as response:
        assert response.status == 500
    provider.heal()
    async with client.post(f"{provider.base('groq')}/chat/completions", json=chat()) as response:
        assert response.status == 200


async def test_a_cut_stream_is_billed_for_what_was_sent(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    provider.fail(FaultKind.CUT, at_token=3)
    url = f"{provider.base('openai')}/chat/completions"
    with pytest.raises(aiohttp.ClientPayloadError):
        async with client.post(url, json=chat(stream=True)) as response:
            await response.read()
    assert provider.requests[0].outcome is Outcome.BROKEN
    assert provider.requests[0].billed.output_tokens == 3 + 2


@pytest.mark.parametrize("kind", [FaultKind.HANG_BEFORE_HEADERS, FaultKind.SILENCE])
async def test_notes_when_the_client_hangs_up(
    provider: ProviderServer, client: aiohttp.ClientSession, kind: FaultKind
) -> None:
    provider.fail(kind)
    url = f"{provider.base('openai')}/chat/completions"

    async def ask() -> None:
        async with client.post(url, json=chat(stream=True)) as response:
            await response.read()

    asking = asyncio.create_task(ask())
    await provider.wait_for_requests()
    asking.cancel()
    await provider.wait_for_ends()
    assert provider.requests[0].is_disconnected


async def test_keeps_to_the_limit_it_was_given(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    url = f"{provider.base('openai')}/chat/completions"
    async with client.post(url, json=chat(max_tokens=2)) as response:
        choice = (await response.json())["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT[:8], "length")


async def test_answers_from_the_queue_then_by_rule_then_with_the_standing_answer(
    provider: ProviderServer, client: aiohttp.ClientSession
) -> None:
    provider.queue(Reply(text="first"))
    provider.answer("Hello", Reply(text="by rule"))
    texts = []
    for _ in range(2):
        url = f"{provider.base('openai')}/chat/completions"
        async with client.post(url, json=chat()) as response:
            texts.append((await response.json())["choices"][0]["message"]["content"])
    assert texts == ["first", "by rule"]


async def test_runs_as_a_process_that_keeps_its_record(
    client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    record = tmp_path / "seen.jsonl"
    script = json.dumps({"reply": {"text": TEXT}, "faults": [{"kind": "rate_limit"}]})
    arguments = ["-m", "tests.loopback.providers", "--script", script, "--record", str(record)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    try:
        assert process.stdout is not None
        printed = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        url = f"{printed['bases']['openai']}/chat/completions"
        key = {"authorization": "Bearer secret"}
        async with client.post(url, json=chat(), headers=key) as response:
            assert response.status == 429
        faults = [{"kind": "server_error", "times": 1}]
        async with client.post(f"{printed['address']}/_faults", json=faults) as response:
            assert await response.json() == {"faults": 1}
        async with client.post(url, json=chat()) as response:
            assert response.status == 500
        async with client.post(url, json=chat()) as response:
            assert response.status == 200
        async with client.get(f"{printed['address']}/_record") as response:
            seen = await response.json()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert [entry["status"] for entry in seen] == [429, 500, 200]
    assert seen[2]["billed"]["output_tokens"] == count_tokens(TEXT)
    kept = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert kept == seen
    assert "secret" not in record.read_text("utf-8")
