"""Models behind LiteLLM: the gateway, the price table, and who the providers are.

Nothing else knows LiteLLM; none of its types or errors leave this package.
"""

from adapters.llm.gateway import LiteLLMGateway
from adapters.llm.library import Library, Stage
from adapters.llm.prices import PriceTable, known_models
from adapters.llm.providers import default_base, key_variable, provider_name
from adapters.llm.reading import Patience

__all__ = [
    "Library",
    "LiteLLMGateway",
    "Patience",
    "PriceTable",
    "Stage",
    "default_base",
    "key_variable",
    "known_models",
    "provider_name",
]
