"""LiteLLM's table of prices and windows, read from its wheel without importing it."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.catalog import Capability
from bot.errors import ConfigurationError
from bot.model_file import KnownModel

_FILE = "model_prices_and_context_window_backup.json"
_DEARER_ABOVE = re.compile(r"(?:in|out)put_cost_per_token_above_(\d+)k_tokens\Z")
_MTOK = 1_000_000
_BILLS_CACHE_WRITES = ("openai", "azure", "anthropic")
"""They bill what goes into their cache 1.25 times as dear: OpenAI's models unasked from GPT-5.6 on
(https://developers.openai.com/api/docs/guides/prompt-caching), Anthropic's for what is marked
(https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching; both read 2026-11-28)."""
_CAPABILITIES = {
    "supports_vision": Capability.VISION,
    "supports_function_calling": Capability.TOOLS,
}


class PriceTable(Mapping[str, KnownModel]):
    """What is known of each model, by LiteLLM's name with its provider in front."""

    def __init__(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        self._entries = {
            _full_name(name, entry): entry
            for name, entry in entries.items()
            if entry.get("mode") in ("chat", "responses") and entry.get("litellm_provider")
        }

    def __getitem__(self, model_id: str) -> KnownModel:
        return _to_known(self._entries[model_id])

    def __contains__(self, model_id: object) -> bool:
        return model_id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def retires_on(self, model_id: str) -> date | None:
        """The day on which the provider will switch this model off, where it is known."""
        value = self._entries.get(model_id, {}).get("deprecation_date")
        try:
            return date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None


def known_models() -> PriceTable:
    """Read the installed table: some 30 ms, so once at the start."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "LiteLLM is not installed. Remove the folder .venv and start again: ./parley up"
        )
    path = Path(spec.origin).parent / _FILE
    entries = json.loads(path.read_bytes(), parse_float=Decimal)
    entries.pop("sample_spec", None)
    return PriceTable(entries)


def _full_name(name: str, entry: Mapping[str, Any]) -> str:
    provider = str(entry["litellm_provider"])
    return name if name.startswith(f"{provider}/") else f"{provider}/{name}"


def _to_known(entry: Mapping[str, Any]) -> KnownModel:
    return KnownModel(
        context_tokens=_window(entry),
        max_output_tokens=_count(entry.get("max_output_tokens")),
        input_usd_per_mtok=_per_mtok(entry.get("input_cost_per_token")),
        output_usd_per_mtok=_per_mtok(entry.get("output_cost_per_token")),
        cached_input_usd_per_mtok=_per_mtok(entry.get("cache_read_input_token_cost")),
        cache_write_usd_per_mtok=_cache_write(entry),
        capabilities=frozenset(
            capability for field, capability in _CAPABILITIES.items() if entry.get(field)
        ),
    )


def _cache_write(entry: Mapping[str, Any]) -> Decimal | None:
    """What input costs that goes into a cache, where Parley's requests ever put some there."""
    if entry.get("litellm_provider") not in _BILLS_CACHE_WRITES:
        return None
    return _per_mtok(entry.get("cache_creation_input_token_cost"))


def _window(entry: Mapping[str, Any]) -> int | None:
    """The window within which the price holds: some models cost five times as much beyond 100k."""
    window = _count(entry.get("max_input_tokens")) or _count(entry.get("max_tokens"))
    limits = [int(found[1]) * 1_000 for field in entry if (found := _DEARER_ABOVE.match(field))]
    return min([window, *limits]) if window and limits else window


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | Decimal) and value > 0 else None


def _per_mtok(value: object) -> Decimal | None:
    """Dollars for a million tokens; a zero in the table is no price, it is what is not known."""
    if not isinstance(value, int | Decimal) or value <= 0:
        return None
    price = (Decimal(value) * _MTOK).normalize()
    return price.quantize(Decimal(1)) if price == price.to_integral_value() else price
