"""Reads `models.toml`: text in, a catalogue or every fault with its line out.

It knows no files: who calls it brings the text and what is known of prices.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.errors import CatalogError

_ALIAS = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}\Z")
_RESERVED = frozenset({"fast", "cheap", "heavy", "auto", "model", "parley", "everyone", "here"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """What a price table says of a model; fills what `models.toml` leaves out."""

    context_tokens: int | None = None
    max_output_tokens: int | None = None
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    cached_input_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    capabilities: frozenset[Capability] = frozenset()


def parse_catalog(text: str, known: Mapping[str, KnownModel], *, source: str) -> Catalog:
    """Read a `models.toml`; values left out come from `known`, by the model's id.

    Raises CatalogError with every fault, each with its line.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CatalogError([f"{source}: not valid TOML: {error}"]) from error
    reader = _Reader(text, source)
    tables = document.get("model", [])
    if not isinstance(tables, list) or not tables:
        raise CatalogError([f"{source}: no [[model]] found; list at least one model"])
    for key in sorted(document.keys() - {"model"}):
        reader.fault(None, key, f"unknown table or value {key!r}; only [[model]] is read")
    specs = [
        spec
        for index, table in enumerate(tables)
        if (spec := reader.read(index, table, known)) is not None
    ]
    if reader.faults:
        raise CatalogError(reader.faults)
    return Catalog(tuple(specs))


class _Reader:
    """Reads the tables of one file and collects what is wrong, each with its line."""

    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source
        self._starts = [
            number
            for number, line in enumerate(self._lines, 1)
            if re.match(r"\s*\[\[\s*model\s*\]\]", line)
        ]
        self._aliases: set[str] = set()
        self.faults: list[str] = []

    def fault(self, index: int | None, key: str, problem: str) -> None:
        self.faults.append(f"{self._source}:{self._line(index, key)}: {problem}")

    def read(self, index: int, table: object, known: Mapping[str, KnownModel]) -> ModelSpec | None:
        if not isinstance(table, dict):
            self.fault(index, "", "a model must be a table: [[model]]")
            return None
        before = len(self.faults)
        for key in (name for name in table if name not in _FIELDS):
            self.fault(index, key, f"unknown field {key!r}; known are {', '.join(_FIELDS)}")
        values = {k: self._value(index, k, v) for k, v in table.items() if k in _FIELDS}
        for key in ("alias", "id", "tier"):
            if key not in table:
                self.fault(index, "", f"the model has no {key!r}")
        self._check_alias(index, values.get("alias"))
        if len(self.faults) > before:
            return None
        return _to_spec(values, known.get(str(values["id"]), KnownModel()))

    def _value(self, index: int, key: str, value: object) -> object:
        check, expected = _FIELDS[key]
        if not check(value):
            self.fault(index, key, f"{key} must be {expected}, not {_shown(value)}")
        return value

    def _check_alias(self, index: int, alias: object) -> None:
        if not isinstance(alias, str):
            return
        if alias in _RESERVED:
            self.fault(index, "alias", f"the alias {alias!r} is taken by a tag; choose another")
        if alias in self._aliases:
            self.fault(index, "alias", f"the alias {alias!r} is used twice")
        self._aliases.add(alias)

    def _line(self, index: int | None, key: str) -> int:
        first = 1 if index is None or index >= len(self._starts) else self._starts[index]
        following = self._starts[index + 1 :] if index is not None else []
        last = following[0] - 1 if following else len(self._lines)
        for number in range(first, last + 1):
            if key and re.match(rf"\s*\[*\"?{re.escape(key)}\"?\s*[\]=.]", self._lines[number - 1]):
                return number
        return first


def _to_spec(values: Mapping[str, Any], known: KnownModel) -> ModelSpec:
    model_id = str(values["id"])
    own = {to: _exact(key, values[key]) for key, to in _COPIED.items() if key in values}
    filled = {
        name: value for name in _FILLED if name not in own and (value := getattr(known, name))
    }
    listed = values.get("capabilities")
    capabilities = known.capabilities if listed is None else listed
    spec = {
        "alias": values["alias"],
        "model_id": model_id,
        "provider": model_id.split("/", 1)[0],
        "tier": Tier[str(values["tier"]).upper()],
        "capabilities": frozenset(Capability(c) for c in capabilities),
    }
    return ModelSpec(**{**spec, **filled, **own})


def _exact(key: str, value: object) -> object:
    return Decimal(str(value)) if key.endswith("_usd_per_mtok") else value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_price(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(value).is_finite() and 0 <= value < 10**6


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_alias(value: object) -> bool:
    return isinstance(value, str) and bool(_ALIAS.match(value))


def _is_model_id(value: object) -> bool:
    return isinstance(value, str) and bool(re.match(r"[a-z0-9_-]+/\S+\Z", value))


def _is_tier(value: object) -> bool:
    return isinstance(value, str) and value in {tier.label for tier in Tier}


def _is_capabilities(value: object) -> bool:
    return isinstance(value, list) and all(c in list(Capability) for c in value)


def _is_base(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "alias": (_is_alias, "1–40 small letters, digits, dots or hyphens"),
    "id": (_is_model_id, 'LiteLLM\'s name such as "anthropic/claude-haiku-4-5"'),
    "tier": (_is_tier, 'one of "free", "cheap", "full"'),
    "context_tokens": (_is_count, "a whole number above 0"),
    "max_output_tokens": (_is_count, "a whole number above 0"),
    "input_usd_per_mtok": (_is_price, "a price in dollars, 0 or more"),
    "output_usd_per_mtok": (_is_price, "a price in dollars, 0 or more"),
    "cached_input_usd_per_mtok": (_is_price, "a price in dollars, 0 or more"),
    "cache_write_usd_per_mtok": (_is_price, "a price in dollars, 0 or more"),
    "capabilities": (_is_capabilities, 'a list of "vision", "tools"'),
    "free_quota": (lambda value: isinstance(value, bool), "true or false"),
    "api_base": (_is_base, "an address that starts with http:// or https://"),
    "api_key_env": (_is_text, 'the name of an environment variable, or "" for none'),
    "extra": (_is_table, "a table of request fields"),
    "note": (_is_text, "a text"),
}
_COPIED = {
    "context_tokens": "context_tokens",
    "max_output_tokens": "max_output_tokens",
    "input_usd_per_mtok": "input_usd_per_mtok",
    "output_usd_per_mtok": "output_usd_per_mtok",
    "cached_input_usd_per_mtok": "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok": "cache_write_usd_per_mtok",
    "free_quota": "is_free_quota",
    "api_base": "api_base",
    "api_key_env": "api_key_env",
    "extra": "extra",
    "note": "note",
}
_FILLED = (
    "context_tokens",
    "max_output_tokens",
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok",
)
