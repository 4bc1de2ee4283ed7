"""Finding model servers, against servers that speak as they do, and as others might."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from aiohttp import web

from adapters.local_model.detection import find_models, to_base
from adapters.local_model.found import FoundModel
from tests.adapters.local_model.servers import HANG, serving

NOBODY = "http://127.0.0.1:9"

OLLAMA_TAGS = {
    "models": [
        {
            "name": "llama3.2:3b",
            "model": "llama3.2:3b",
            "size": 2_019_393_189,
            "details": {"family": "llama", "parameter_size": "3.2B"},
        },
        {
            "name": "gpt-oss:120b-cloud",
            "model": "gpt-oss:120b-cloud",
            "remote_model": "gpt-oss:120b",
            "remote_host": "https://ollama.com:443",
            "details": {"family": "gptoss", "parameter_size": "116.8B"},
        },
        {"name": "kimi-k2:cloud", "model": "kimi-k2:cloud", "details": {}},
        {
            "name": "nomic-embed-text:latest",
            "model": "nomic-embed-text:latest",
            "details": {"family": "nomic-bert", "parameter_size": "137M"},
        },
        {"name": "mystery:latest", "model": "mystery:latest", "details": {"family": "other"}},
    ]
}
LMSTUDIO_V1 = {
    "models": [
        {
            "type": "llm",
            "key": "google/gemma-3-4b",
            "params_string": "4B",
            "loaded_instances": [{"id": "a", "config": {"context_length": 4096}}],
            "max_context_length": 131_072,
            "capabilities": {"vision": True, "trained_for_tool_use": False},
        },
        {
            "type": "embedding",
            "key": "text-embedding-nomic-embed-text-v1.5",
            "params_string": None,
            "loaded_instances": [],
            "max_context_length": 2048,
        },
    ]
}
LMSTUDIO_V0 = {
    "object": "list",
    "data": [
        {
            "id": "qwen2-vl-7b-instruct",
            "type": "vlm",
            "state": "not-loaded",
            "max_context_length": 32_768,
        },
        {
            "id": "meta-llama-3.1-8b-instruct",
            "type": "llm",
            "state": "loaded",
            "loaded_context_length": 8_192,
            "max_context_length": 131_072,
        },
        {"id": "text-embedding-nomic", "type": "embeddings", "state": "not-loaded"},
    ],
}
LLAMACPP_MODELS = {
    "models": [{"model": "gemma-3-4b-it", "capabilities": ["completion", "multimodal"]}],
    "object": "list",
    "data": [
        {
            "id": "gemma-3-4b-it",
            "owned_by": "llamacpp",
            "meta": {"n_ctx_train": 131_072, "n_params": 3_880_000_000},
        }
    ],
}
LLAMACPP_PROPS = {
    "default_generation_settings": {"n_ctx": 8_192},
    "modalities": {"vision": True, "audio": False},
}


def show(body: Mapping[str, str]) -> object:
    if body["model"] == "mystery:latest":
        return {"capabilities": ["embedding"], "model_info": {}}
    return {
        "capabilities": ["completion", "tools"],
        "model_info": {"general.parameter_count": 3_212_749_888, "llama.context_length": 131_072},
    }


async def find(
    *, ollama: str = NOBODY, lmstudio: str = NOBODY, llamacpp: str = NOBODY, limit_s: float = 5.0
) -> tuple[FoundModel, ...]:
    return await find_models(
        ollama_base=ollama, lmstudio_base=lmstudio, llamacpp_base=llamacpp, limit_s=limit_s
    )


async def test_nobody_there_is_found_out_at_once() -> None:
    began = time.monotonic()
    assert await find(limit_s=5.0) == ()
    assert time.monotonic() - began < 2.0


async def test_ollama_offers_what_runs_on_this_computer_and_can_chat() -> None:
    async with serving({"/api/tags": OLLAMA_TAGS, "/api/show": show}) as server:
        found = await find(ollama=server.base)
        assert found == (
            FoundModel(
                server="Ollama",
                name="llama3.2:3b",
                model_id="ollama_chat/llama3.2:3b",
                base_url=server.base,
                context_tokens=131_072,
                parameters_b=3.2,
                has_vision=False,
                has_tools=True,
            ),
        )


async def test_ollama_is_only_asked_what_it_has() -> None:
    async with serving({"/api/tags": OLLAMA_TAGS, "/api/show": show}) as server:
        await find(ollama=server.base)
        assert set(server.paths) == {"/api/tags", "/api/show"}
        asked = sorted(body["model"] for _, path, body in server.seen if path == "/api/show")
        assert asked == ["llama3.2:3b", "mystery:latest"]


async def test_an_ollama_that_tells_no_abilities_is_still_of_use() -> None:
    async with serving({"/api/tags": OLLAMA_TAGS}) as server:
        names = [model.name for model in await find(ollama=server.base)]
        assert names == ["llama3.2:3b", "mystery:latest"]


async def test_an_ollama_whose_abilities_hang_is_still_of_use() -> None:
    async with serving({"/api/tags": OLLAMA_TAGS, "/api/show": HANG}) as server:
        names = [model.name for model in await find(ollama=server.base, limit_s=0.6)]
        assert names == ["llama3.2:3b", "mystery:latest"]


async def test_lm_studio_tells_its_models_window_and_eyes() -> None:
    async with serving({"/api/v1/models": LMSTUDIO_V1}) as server:
        assert await find(lmstudio=server.base) == (
            FoundModel(
                server="LM Studio",
                name="google/gemma-3-4b",
                model_id="openai/google/gemma-3-4b",
                base_url=f"{server.base}/v1",
                context_tokens=4_096,
                parameters_b=4.0,
                has_vision=True,
                has_tools=False,
                is_loaded=True,
            ),
        )


async def test_an_older_lm_studio_is_understood_too() -> None:
    async with serving({"/api/v0/models": LMSTUDIO_V0}) as server:
        found = await find(lmstudio=server.base)
        assert [(m.name, m.has_vision, m.context_tokens, m.is_loaded) for m in found] == [
            ("qwen2-vl-7b-instruct", True, None, False),
            ("meta-llama-3.1-8b-instruct", None, 8_192, True),
        ]


async def test_llama_cpp_tells_its_models_window_and_eyes() -> None:
    answers = {"/v1/models": LLAMACPP_MODELS, "/props": LLAMACPP_PROPS}
    async with serving(answers) as server:
        assert await find(llamacpp=server.base) == (
            FoundModel(
                server="llama.cpp",
                name="gemma-3-4b-it",
                model_id="openai/gemma-3-4b-it",
                base_url=f"{server.base}/v1",
                context_tokens=8_192,
                parameters_b=3.88,
                has_vision=True,
                is_loaded=True,
            ),
        )


async def test_another_program_on_llama_cpps_port_is_left_alone() -> None:
    other = {"object": "list", "data": [{"id": "some-model", "owned_by": "vllm"}]}
    async with serving({"/v1/models": other}) as server:
        assert await find(llamacpp=server.base) == ()


async def test_all_servers_are_found_together() -> None:
    async with (
        serving({"/api/tags": OLLAMA_TAGS}) as ollama,
        serving({"/api/v1/models": LMSTUDIO_V1}) as lmstudio,
        serving({"/v1/models": LLAMACPP_MODELS}) as llamacpp,
    ):
        found = await find(ollama=ollama.base, lmstudio=lmstudio.base, llamacpp=llamacpp.base)
        assert {model.server for model in found} == {"Ollama", "LM Studio", "llama.cpp"}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>not this</html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b"[]",
        b"17",
        {},
        {"models": []},
        {"models": None, "data": 3},
        {"models": [None, 5, "x", [], {}, {"name": 7, "model": None, "key": [], "type": "llm"}]},
        {"models": [{"name": "x\x1b[2J", "key": "x\x1b[2J", "type": "llm", "details": 9}]},
        {"data": [{"id": {}, "owned_by": "llamacpp", "meta": "x"}, {"owned_by": "llamacpp"}]},
    ],
)
async def test_nonsense_is_no_model(answer: object) -> None:
    paths = ("/api/tags", "/api/v1/models", "/api/v0/models", "/v1/models", "/props")
    async with serving(dict.fromkeys(paths, answer)) as server:
        assert await find(ollama=server.base, lmstudio=server.base, llamacpp=server.base) == ()


async def test_a_server_that_hangs_costs_the_limit_and_hides_no_other() -> None:
    hanging = dict.fromkeys(("/api/v1/models", "/api/v0/models", "/v1/models", "/props"), HANG)
    async with (
        serving(hanging) as slow,
        serving({"/api/tags": OLLAMA_TAGS, "/api/show": show}) as ollama,
    ):
        began = time.monotonic()
        found = await find(ollama=ollama.base, lmstudio=slow.base, llamacpp=slow.base, limit_s=0.6)
        assert [model.name for model in found] == ["llama3.2:3b"]
        assert time.monotonic() - began < 3.0


async def test_a_redirect_is_not_followed() -> None:
    async with serving({"/api/tags": OLLAMA_TAGS}) as elsewhere:
        moved = web.Response(status=302, headers={"Location": f"{elsewhere.base}/api/tags"})
        async with serving({"/api/tags": moved}) as server:
            assert await find(ollama=server.base) == ()
            assert elsewhere.seen == []


async def test_an_error_page_is_no_model() -> None:
    refused = web.json_response(OLLAMA_TAGS, status=401)
    async with serving({"/api/tags": refused}) as server:
        assert await find(ollama=server.base) == ()


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("localhost:11434", "http://localhost:11434"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("http://box:1234/v1/", "http://box:1234"),
        ("http://box:11434/api", "http://box:11434"),
    ],
)
def test_an_address_is_taken_as_people_write_it(written: str, base: str) -> None:
    assert to_base(written) == base


async def test_an_address_that_is_none_is_nobody() -> None:
    assert await find(ollama="http://[oops") == ()
