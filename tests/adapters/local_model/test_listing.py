from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local_model.found import FoundModel, to_billions
from adapters.local_model.listing import summary, to_alias, to_specs
from bot.catalog import Capability, Tier
from bot.model_file import parse_catalog


def model(name: str, **told: object) -> FoundModel:
    told = {"server": "Ollama", "model_id": f"ollama_chat/{name}", "base_url": "http://x"} | told
    return FoundModel(name=name, **told)  # type: ignore[arg-type]  # a table of test values


def test_a_found_model_costs_nothing_and_needs_no_key() -> None:
    (spec,) = to_specs([model("llama3.2:3b", has_vision=True, has_tools=True)])
    assert spec.alias == "llama3.2-3b"
    assert spec.tier is Tier.FREE
    assert spec.provider == "ollama"
    assert spec.api_key_env == ""
    assert spec.price is not None
    assert spec.price.input_nanousd_per_mtok == spec.price.output_nanousd_per_mtok == 0
    assert spec.capabilities == {Capability.VISION, Capability.TOOLS}


def test_ollama_is_told_the_window_that_we_fill() -> None:
    (spec,) = to_specs([model("llama3.2:3b", context_tokens=131_072)])
    assert spec.extra == {"num_ctx": spec.context_tokens}
    assert spec.max_output_tokens < spec.context_tokens


def test_a_smaller_window_than_ours_is_kept_to() -> None:
    (spec,) = to_specs([model("tiny", context_tokens=2_048)])
    assert spec.context_tokens == 2_048
    assert spec.max_output_tokens == 1_024


def test_a_window_that_nobody_told_is_taken_as_small() -> None:
    (spec,) = to_specs([model("qwen", server="LM Studio", model_id="openai/qwen")])
    assert spec.context_tokens == 4_096
    assert spec.extra == {}


def test_llama_cpp_gets_a_new_connection_for_each_prompt() -> None:
    (spec,) = to_specs([model("gemma", server="llama.cpp", model_id="openai/gemma")])
    assert spec.extra == {"extra_headers": {"Connection": "close"}}


def test_the_most_useful_model_stands_first() -> None:
    found = [
        model("huge", parameters_b=70.0),
        model("tiny", parameters_b=0.5),
        model("good", parameters_b=14.0),
        model("unknown"),
        model("loaded", parameters_b=1.0, is_loaded=True),
        model("large", parameters_b=32.0),
    ]
    aliases = [spec.alias for spec in to_specs(found)]
    assert aliases == ["loaded", "good", "unknown", "tiny", "large", "huge"]


def test_models_of_one_name_get_aliases_of_their_own() -> None:
    found = [model("a/qwen"), model("b/qwen"), model("qwen:latest")]
    assert [spec.alias for spec in to_specs(found)] == ["qwen", "qwen-2", "qwen-3"]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("llama3.2:latest", "llama3.2"),
        ("qwen/qwen3.5-9b", "qwen3.5-9b"),
        ("hf.co/someone/Gemma-3-GGUF:Q4_K_M", "gemma-3-q4_k_m"),
        ("/models/Mistral-7B.Q4.gguf", "mistral-7b.q4"),
        ("C:\\models\\phi.gguf", "phi"),
        ("модель", "local"),
    ],
)
def test_an_alias_can_be_typed(name: str, alias: str) -> None:
    assert to_alias(name) == alias


@given(st.text(max_size=80))
def test_every_alias_is_one_that_the_catalogue_takes(name: str) -> None:
    text = f'[[model]]\nalias = "{to_alias("x" + name)}"\nid = "openai/x"\ntier = "free"'
    assert len(parse_catalog(text, {}, source="test").models) == 1


@pytest.mark.parametrize(
    ("text", "billions"),
    [
        ("3.2B", 3.2),
        ("270M", 0.27),
        ("8x7B", 56.0),
        ("qwen3.5-9b", 9.0),
        ("phi-128k", None),
        ("llama", None),
    ],
)
def test_a_size_is_read_from_a_label(text: str, billions: float | None) -> None:
    assert to_billions(text) == pytest.approx(billions)


def test_what_was_found_is_said_in_a_sentence() -> None:
    found = [model(name) for name in ("a", "b", "c", "d", "e")]
    assert summary(found) == "Ollama runs here with a, b, c and 2 more"
    assert summary([]) == ""
