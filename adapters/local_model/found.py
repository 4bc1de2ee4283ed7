"""What model servers on this computer say of their models, read without trust. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

_EMBEDDING_NAME = re.compile(r"embed|rerank|\bminilm\b|\bbge-", re.IGNORECASE)
_EMBEDDING_FAMILY = re.compile(r"bert|embed", re.IGNORECASE)
_CLOUD_NAME = re.compile(r"[:-]cloud$", re.IGNORECASE)
_SIZE = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)\s*([MBT])\b", re.IGNORECASE)
_BILLIONS = {"m": 1e-3, "b": 1.0, "t": 1e3}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """One model that a server on this computer offers; None is what it did not tell."""

    server: str
    """The server's name as people know it."""
    name: str
    """The model's name there."""
    model_id: str
    """LiteLLM's name."""
    base_url: str
    """What LiteLLM takes as `api_base`."""
    context_tokens: int | None = None
    parameters_b: float | None = None
    """Its size in billions of parameters."""
    has_vision: bool | None = None
    has_tools: bool | None = None
    is_loaded: bool = False


def from_ollama(base: str, tags: object) -> tuple[FoundModel, ...]:
    """The models of `/api/tags` that run on this computer."""
    found = []
    for item in _items(tags, "models"):
        name = _text(item, "model") or _text(item, "name")
        details = _table(item, "details")
        if name and not _is_cloud(name, item) and not _embeds(name, item, details):
            model = FoundModel(
                server="Ollama",
                name=name,
                model_id=f"ollama_chat/{name}",
                base_url=base,
                context_tokens=_count(details, "context_length"),
                parameters_b=to_billions(_text(details, "parameter_size")),
                has_vision=_among(item, "capabilities", "vision"),
                has_tools=_among(item, "capabilities", "tools"),
            )
            found.append(model)
    return tuple(found)


def told_by_ollama(show: object) -> tuple[int | None, tuple[str, ...] | None]:
    """Of `/api/show`: how many tokens the model can take, and what it can do."""
    if not _is_table(show):
        return None, None
    info = _table(show, "model_info")
    windows = (_count(info, key) for key in info if key.endswith(".context_length"))
    capabilities = show.get("capabilities")
    listed = tuple(map(str, capabilities)) if isinstance(capabilities, list) else None
    return next((window for window in windows if window), None), listed


def from_lmstudio(base: str, answer: object) -> tuple[FoundModel, ...]:
    """The models of `/api/v1/models`, or of the older `/api/v0/models`."""
    listed = [*_items(answer, "models"), *_items(answer, "data")]
    models = (_lmstudio_model(base, item) for item in listed)
    return tuple(model for model in models if model is not None)


def _lmstudio_model(base: str, item: Mapping[str, Any]) -> FoundModel | None:
    name = _text(item, "key") or _text(item, "id")
    kind = _text(item, "type")
    if not name or kind not in ("llm", "vlm") or _EMBEDDING_NAME.search(name):
        return None
    capabilities = _table(item, "capabilities")
    loaded = next((_table(i, "config") for i in _items(item, "loaded_instances")), None)
    window = _count(loaded or {}, "context_length") or _count(item, "loaded_context_length")
    return FoundModel(
        server="LM Studio",
        name=name,
        model_id=f"openai/{name}",
        base_url=f"{base}/v1",
        context_tokens=window,
        parameters_b=to_billions(_text(item, "params_string") or name),
        has_vision=kind == "vlm" or _flag(capabilities, "vision"),
        has_tools=_flag(capabilities, "trained_for_tool_use"),
        is_loaded=loaded is not None or item.get("state") == "loaded",
    )


def from_llamacpp(base: str, answer: object, props: object) -> tuple[FoundModel, ...]:
    """The models of `/v1/models`, if llama.cpp itself answers; `/props` adds the window."""
    props = props if _is_table(props) else {}
    abilities = {_text(i, "model"): i.get("capabilities") for i in _items(answer, "models")}
    found = []
    for item in _items(answer, "data"):
        name = _text(item, "id")
        able = abilities.get(name)
        able = able if isinstance(able, list) else ["completion"]
        is_ours = item.get("owned_by") == "llamacpp" and "completion" in able
        if name and is_ours and not _EMBEDDING_NAME.search(name):
            found.append(_llamacpp_model(base, item, props, is_multimodal="multimodal" in able))
    return tuple(found)


def _llamacpp_model(
    base: str, item: Mapping[str, Any], props: Mapping[str, Any], *, is_multimodal: bool
) -> FoundModel:
    name = _text(item, "id")
    meta = _table(item, "meta")
    parameters = _count(meta, "n_params")
    window = _count(meta, "n_ctx") or _count(_table(props, "default_generation_settings"), "n_ctx")
    sees = _flag(_table(props, "modalities"), "vision")
    return FoundModel(
        server="llama.cpp",
        name=name,
        model_id=f"openai/{name}",
        base_url=f"{base}/v1",
        context_tokens=window,
        parameters_b=parameters / 1e9 if parameters else to_billions(name),
        has_vision=is_multimodal if sees is None else sees,
        is_loaded=bool(meta),
    )


def to_billions(text: str) -> float | None:
    """The size in a name or label such as `7B`, `270M`, `8x7B`; None without one."""
    match = _SIZE.search(text)
    if match is None:
        return None
    times, number, unit = match.groups()
    return int(times or 1) * float(number) * _BILLIONS[unit.lower()]


def _is_cloud(name: str, item: Mapping[str, Any]) -> bool:
    is_remote = bool(item.get("remote_host") or item.get("remote_model"))
    return is_remote or _CLOUD_NAME.search(name) is not None


def _embeds(name: str, item: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
    if _among(item, "capabilities", "completion") is False:
        return True
    return bool(_EMBEDDING_NAME.search(name) or _EMBEDDING_FAMILY.search(_text(details, "family")))


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if _is_table(inner) else {}


def _items(value: object, key: str) -> Iterator[Mapping[str, Any]]:
    listed = value.get(key) if _is_table(value) else None
    return (item for item in (listed if isinstance(listed, list) else ()) if _is_table(item))


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) and text.isprintable() and len(text) <= 300 else ""


def _count(value: Mapping[str, Any], key: str) -> int | None:
    number = value.get(key)
    is_count = isinstance(number, int) and not isinstance(number, bool) and number > 0
    return number if is_count else None


def _flag(value: Mapping[str, Any], key: str) -> bool | None:
    flag = value.get(key)
    return flag if isinstance(flag, bool) else None


def _among(value: Mapping[str, Any], key: str, word: str) -> bool | None:
    listed = value.get(key)
    return word in listed if isinstance(listed, list) else None
