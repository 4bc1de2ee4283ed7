"""The models found on this computer as the catalogue lists them, the most useful first. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from adapters.local_model.found import FoundModel
from adapters.local_model.prompting import NEW_CONNECTION
from bot.catalog import Capability, ModelSpec, Tier

OLLAMA_CONTEXT_TOKENS = 8_192
"""Asked of Ollama with each call: its own default cuts longer prompts without a word."""
UNKNOWN_CONTEXT_TOKENS = 4_096
MAX_OUTPUT_TOKENS = 4_096
COMFORTABLE_B = 16.0
"""Up to this many billion parameters, a larger model is the better choice on one computer."""
ASSUMED_B = 7.0
_MAX_ALIAS = 40
_PROVIDERS = {"Ollama": "ollama", "LM Studio": "lmstudio", "llama.cpp": "llamacpp"}


def to_specs(found: Sequence[FoundModel]) -> tuple[ModelSpec, ...]:
    """Catalogue entries: free of charge, in the free tier, under aliases that people can type.

    A list in `models.toml` says otherwise where somebody knows better.
    """
    specs: list[ModelSpec] = []
    for model in sorted(found, key=_rank):
        specs.append(_to_spec(model, _free_alias(model.name, {spec.alias for spec in specs})))
    return tuple(specs)


def summary(found: Sequence[FoundModel]) -> str:
    """What was found, in one sentence; empty for nothing."""
    servers = dict.fromkeys(model.server for model in found)
    return "; ".join(f"{server} runs here with {_names(server, found)}" for server in servers)


def _names(server: str, found: Sequence[FoundModel]) -> str:
    names = [model.name for model in found if model.server == server]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _rank(model: FoundModel) -> tuple[bool, bool, float]:
    """Loaded ones first; then the largest that is comfortable; then those that are not."""
    size = model.parameters_b or ASSUMED_B
    is_heavy = size > COMFORTABLE_B
    return not model.is_loaded, is_heavy, size if is_heavy else -size


def _to_spec(model: FoundModel, alias: str) -> ModelSpec:
    told = model.context_tokens
    is_ollama = model.server == "Ollama"
    window = OLLAMA_CONTEXT_TOKENS if is_ollama else told or UNKNOWN_CONTEXT_TOKENS
    window = min(window, told or window)
    vision = {Capability.VISION} if model.has_vision else set()
    tools = {Capability.TOOLS} if model.has_tools else set()
    return ModelSpec(
        alias=alias,
        model_id=model.model_id,
        provider=_PROVIDERS[model.server],
        tier=Tier.FREE,
        capabilities=frozenset(vision | tools),
        context_tokens=window,
        max_output_tokens=min(MAX_OUTPUT_TOKENS, window // 2),
        input_usd_per_mtok=Decimal(0),
        output_usd_per_mtok=Decimal(0),
        api_base=model.base_url,
        api_key_env="",
        extra=_extra(model.server, window),
    )


def _extra(server: str, window: int) -> dict[str, object]:
    if server == "Ollama":
        return {"num_ctx": window}
    return dict(NEW_CONNECTION) if server == "llama.cpp" else {}


def _free_alias(name: str, taken: set[str]) -> str:
    alias = to_alias(name)
    number = 2
    while alias in taken:
        ending = f"-{number}"
        alias = to_alias(name)[: _MAX_ALIAS - len(ending)] + ending
        number += 1
    return alias


def to_alias(name: str) -> str:
    """A name that can be typed after @: `llama3.2:3b` is `llama3.2-3b`."""
    last = re.split(r"[/\\]", name.lower())[-1]
    bare = re.sub(r"(:latest|\.gguf)$|-gguf(?=$|:)", "", last)
    typed = re.sub(r"[^a-z0-9._-]+", "-", bare).lstrip("._-")[:_MAX_ALIAS].rstrip("._-")
    return typed or "local"
