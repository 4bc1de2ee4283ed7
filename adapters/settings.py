"""The one place that reads the environment and `.env`: every name is in `.env.example`."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.caps import InstanceCaps, Period, env_name
from bot.errors import ConfigurationError
from bot.money import to_nanousd

_SOURCE_ROOT = Path(__file__).resolve().parent.parent
PROVIDER_KEYS = {
    "gemini": "GEMINI_API_KEY",
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
}
_NO_SECRET = SecretStr("")


class AppSettings(BaseSettings):
    """Everything that is set from outside, read once."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    discord_token: SecretStr = _NO_SECRET
    discord_api_base: str = ""
    discord_shards: str = ""
    slack_bot_token: SecretStr = _NO_SECRET
    slack_app_token: SecretStr = _NO_SECRET
    slack_signing_secret: SecretStr = _NO_SECRET
    slack_client_id: str = ""
    slack_client_secret: SecretStr = _NO_SECRET
    slack_api_base: str = ""

    gemini_api_key: SecretStr = _NO_SECRET
    groq_api_key: SecretStr = _NO_SECRET
    mistral_api_key: SecretStr = _NO_SECRET
    openai_api_key: SecretStr = _NO_SECRET
    anthropic_api_key: SecretStr = _NO_SECRET
    openrouter_api_key: SecretStr = _NO_SECRET
    deepseek_api_key: SecretStr = _NO_SECRET
    ollama_api_base: str = ""

    database_url: SecretStr = _NO_SECRET
    parley_home: Path = _SOURCE_ROOT / "data"
    parley_host: str = "127.0.0.1"
    parley_port: int = Field(8484, ge=0, le=65_535)
    parley_models: Path | None = None
    parley_daily_cap_usd: Decimal | None = Field(None, ge=0, le=10_000_000)
    parley_weekly_cap_usd: Decimal | None = Field(None, ge=0, le=10_000_000)
    parley_monthly_cap_usd: Decimal = Field(Decimal(20), ge=0, le=10_000_000)
    parley_admins: str = ""
    parley_local: Literal["auto", "demo", "off"] = "auto"
    parley_secret_key: SecretStr = _NO_SECRET
    parley_web_token: SecretStr = _NO_SECRET
    otel_exporter_otlp_endpoint: str = ""
    parley_metrics_token: SecretStr = _NO_SECRET
    parley_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    parley_log_format: Literal["auto", "json", "text"] = "auto"

    @field_validator("parley_log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def instance_caps(self) -> InstanceCaps:
        """What the whole instance may spend, in nano-dollars."""
        return {period: to_nanousd(usd) for period, usd in self._caps_usd}

    @property
    def most_spent(self) -> str:
        """The same in words, with the names that set it."""
        sums = ", ".join(f"${usd} a {period}" for period, usd in self._caps_usd)
        return f"{sums} ({', '.join(env_name(period) for period, _ in self._caps_usd)})"

    @property
    def _caps_usd(self) -> list[tuple[Period, Decimal]]:
        found = [(period, getattr(self, env_name(period).lower())) for period in Period]
        return [(period, usd) for period, usd in found if usd is not None]

    @property
    def models_path(self) -> Path:
        """The catalogue: the user's own, else the shipped one."""
        return self.parley_models or _SOURCE_ROOT / "models.toml"

    @property
    def store_url(self) -> str:
        """Where everything is kept: `DATABASE_URL`, else SQLite in the data folder."""
        url = self.database_url.get_secret_value()
        return url or f"sqlite:///{self.parley_home.resolve() / 'parley.db'}"

    @property
    def admins(self) -> frozenset[str]:
        """Who may change everything: `discord:ID`, `slack:ID`."""
        return frozenset(name.strip() for name in self.parley_admins.split(",") if name.strip())

    def key_named(self, env_name: str) -> str:
        """The key kept under an environment name; empty when there is none."""
        secret = getattr(self, env_name.lower(), None)
        if isinstance(secret, SecretStr):
            return secret.get_secret_value()
        return _other_key(env_name)


def _other_key(env_name: str) -> str:
    """A key under a name of the user's own, for a model with `api_key_env`."""
    return os.environ.get(env_name) or dotenv_values(_env_file()).get(env_name) or ""


def load_settings(env_file: Path | None = None) -> AppSettings:
    """Read the environment and `.env`; raises ConfigurationError with every fault at once."""
    path = env_file if env_file is not None else _env_file()
    try:
        return AppSettings(_env_file=path, _env_file_encoding="utf-8")  # type: ignore[call-arg]  # pydantic-settings reads these two
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError(
            "These settings are wrong (environment or .env):\n" + "\n".join(faults)
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} could not be read: {error}") from error


def made_home(settings: AppSettings) -> str:
    """Make the data folder, for its owner alone; returns where everything is kept.

    Raises ConfigurationError when it can't be made.
    """
    try:
        settings.parley_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {settings.parley_home} can't be made ({error.strerror}). "
            "Set PARLEY_HOME to a folder that may be written to."
        ) from error
    return settings.store_url


def _env_file() -> Path:
    here = Path(".env")
    return here if here.is_file() else _SOURCE_ROOT / ".env"
