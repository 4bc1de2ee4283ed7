"""Calls to local models through the real gateway: what their servers are sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from adapters.llm.gateway import LiteLLMGateway
from adapters.local_model.detection import find_models
from adapters.local_model.gateway import DemoGateway
from adapters.local_model.listing import to_specs
from adapters.local_model.prompting import SYSTEM_PROMPT, primed, to_spec
from bot.calls import Completion, ModelCall, Purpose, Usage
from bot.catalog import ModelSpec, Tier
from bot.messages import Message, Role
from tests.adapters.local_model import children
from tests.adapters.local_model.servers import serving
from tests.adapters.local_model.test_demo import demo as demo_of

NOBODY = "http://127.0.0.1:9"
TAGS = {
    "models": [
        {
            "model": "llama3.2:3b",
            "details": {"family": "llama"},
            "capabilities": ["completion"],
        }
    ]
}


def call(model: ModelSpec, *, purpose: Purpose = Purpose.ANSWER) -> ModelCall:
    messages = (
        Message(role=Role.SYSTEM, text="You are Parley."),
        Message(role=Role.USER, text="Hello!"),
    )
    return ModelCall(
        call_id="turn:1", purpose=purpose, model=model, messages=messages, max_output_tokens=64
    )


def ollama_stream(*texts: str) -> bytes:
    usual = {"model": "llama3.2:3b", "created_at": "2026-01-01T00:00:00Z"}
    lines = [usual | {"message": {"role": "assistant", "content": t}, "done": False} for t in texts]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    lines.append(usual | end | {"prompt_eval_count": 26, "eval_count": 7})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.fixture
async def gateway() -> AsyncIterator[LiteLLMGateway]:
    gateway = LiteLLMGateway(lambda model: "the-key" if model.api_key_env else None)
    yield gateway
    await gateway.close()


async def test_a_model_of_ollama_streams_with_exact_usage_in_one_request(
    gateway: LiteLLMGateway,
) -> None:
    pieces: list[str] = []
    answers = {"/api/tags": TAGS, "/api/chat": ollama_stream("Hel", "lo")}
    async with serving(answers) as server:
        (spec,) = to_specs(
            await find_models(ollama_base=server.base, lmstudio_base=NOBODY, llamacpp_base=NOBODY)
        )
        server.seen.clear()
        done = await gateway.complete(call(spec), pieces.append)
        assert pieces == ["Hel", "lo"]
        assert done.usage == Usage(input_tokens=26, output_tokens=7)
        ((_, path, body),) = server.seen
        assert path == "/api/chat"
        assert body["model"] == "llama3.2:3b"
        assert body["options"]["num_ctx"] == spec.context_tokens


async def test_the_demo_models_sampling_and_examples_reach_its_server(
    gateway: LiteLLMGateway,
) -> None:
    usual = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "demo"}
    choice = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
    stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32}
    events = [
        usual | {"choices": [choice]},
        usual | {"choices": [stop]},
        usual | {"choices": [], "usage": usage},
    ]
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    async with serving({"/v1/chat/completions": stream.encode()}) as server:
        habit = f"tell('ready', {server.base!r}); sys.stdin.read()"
        async with demo_of(children.child(habit)) as demo:
            done = await DemoGateway(gateway, demo).complete(call(to_spec(None)), lambda _: None)
        ((_, _, body),) = server.seen
        assert done.text == "Hi"
        assert body["temperature"] == 0.3
        assert body["min_p"] == 0.1
        assert body["dry_multiplier"] == 0.8
        assert body["dry_allowed_length"] == 3
        assert body["messages"][0] == {"role": "system", "content": SYSTEM_PROMPT}
        assert body["messages"][-1] == {"role": "user", "content": "Hello!"}
        assert len(body["messages"]) == 8
        assert "extra_headers" not in body


class Inner:
    """A gateway that keeps what it is asked."""

    def __init__(self) -> None:
        self.calls: list[ModelCall] = []

    async def complete(
        self, call: ModelCall, on_text: object, on_reasoning: object = None
    ) -> Completion:
        self.calls.append(call)
        usage = Usage(input_tokens=1, output_tokens=1)
        return Completion(text="", usage=usage, finish_reason="stop", response_model_id="x")


async def test_other_models_pass_untouched_and_wait_for_nothing() -> None:
    other = call(ModelSpec(alias="x", model_id="openai/x", provider="openai", tier=Tier.FREE))
    inner = Inner()
    async with demo_of(children.SILENT) as demo:
        await DemoGateway(inner, demo).complete(other, lambda _: None)
    assert inner.calls == [other]


def test_only_answers_get_the_examples() -> None:
    summary = call(to_spec(None), purpose=Purpose.SUMMARISE)
    assert primed(summary) is summary


def test_history_is_kept_in_its_order() -> None:
    asked = call(to_spec(None))
    assert primed(asked).messages[-1] == asked.messages[-1]
    assert [m.role for m in primed(asked).messages].count(Role.SYSTEM) == 1


def test_the_demo_model_says_what_it_is_and_costs_nothing() -> None:
    spec = to_spec("http://127.0.0.1:1/v1")
    assert spec.price is not None
    assert spec.price.output_nanousd_per_mtok == 0
    assert "demo" in spec.note
    assert spec.context_tokens > 3 * spec.max_output_tokens
