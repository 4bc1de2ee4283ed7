"""The providers that we name ourselves: what people call them, their key, their address."""

from __future__ import annotations

from dataclasses import dataclass

from bot.catalog import ModelSpec


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider of models."""

    name: str
    key_variable: str
    api_base: str


PROVIDERS = {
    "anthropic": Provider("Anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com"),
    "deepseek": Provider("DeepSeek", "DEEPSEEK_API_KEY", "https://api.deepseek.com"),
    "gemini": Provider(
        "Google Gemini", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta"
    ),
    "groq": Provider("Groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1"),
    "mistral": Provider("Mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1"),
    "openai": Provider("OpenAI", "OPENAI_API_KEY", "https://api.openai.com/v1"),
    "openrouter": Provider("OpenRouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1"),
}


def provider_name(model: ModelSpec) -> str:
    """What people call who serves this model."""
    known = PROVIDERS.get(model.provider)
    if known is None:
        return model.provider
    if model.api_base is not None and model.api_key_env is not None:
        return f"the server of {model.alias}"
    return known.name


def key_variable(model: ModelSpec) -> str:
    """The environment variable that has this model's key; empty when it needs none."""
    if model.api_key_env is not None:
        return model.api_key_env
    known = PROVIDERS.get(model.provider)
    return known.key_variable if known else f"{model.provider.upper()}_API_KEY"


def default_base(provider: str) -> str | None:
    """The provider's own address; None leaves it to LiteLLM."""
    known = PROVIDERS.get(provider)
    return known.api_base if known else None
