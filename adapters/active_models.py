"""Which models can be asked: the listed ones whose key is set, and those found here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.llm import key_variable
from adapters.settings import AppSettings
from bot.catalog import Catalog, ModelSpec
from bot.errors import ConfigurationError
from bot.model_file import KnownModel, parse_catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The whole catalogue, and the part of it that is switched on."""

    listed: Catalog
    active: Catalog

    def with_found(self, models: tuple[ModelSpec, ...]) -> ModelChoice:
        """The choice with further models that are switched on; an alias already there wins."""
        return ModelChoice(listed=self.listed, active=self.active.with_models(models))

    def missing_key(self, model: ModelSpec) -> str:
        """The environment name that would switch a model on; empty when it is on."""
        return "" if self.active.named(model.alias) else key_variable(model)


def key_of(model: ModelSpec, settings: AppSettings) -> str:
    """The key to call a model with; empty when there is none."""
    name = key_variable(model)
    return settings.key_named(name) if name else ""


def read_catalog(path: Path, known: Mapping[str, KnownModel]) -> Catalog:
    """The catalogue at `path`; raises ConfigurationError or CatalogError with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The model catalogue {path} can't be read ({error}). "
            "Set PARLEY_MODELS to a models.toml, or leave it out for the shipped one."
        ) from error
    return parse_catalog(text, known, source=path.name)


def choose_models(listed: Catalog, settings: AppSettings) -> ModelChoice:
    """Switch on the listed models that have their key, or need none."""
    active = listed.only(lambda m: not key_variable(m) or bool(key_of(m, settings)))
    inactive = tuple(
        replace(m, api_key_env=key_variable(m)) for m in listed if active.named(m.alias) is None
    )
    return ModelChoice(listed=listed, active=replace(active, inactive=inactive))
