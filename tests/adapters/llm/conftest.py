"""A gateway with real LiteLLM, loaded once, before loopback providers."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from adapters.llm import Library, LiteLLMGateway, Patience
from bot.calls import ModelCall, Purpose
from bot.catalog import ModelSpec, Tier
from bot.messages import Message, Role
from tests.loopback.providers import ProviderServer

MODEL_IDS = {
    "openai": "openai/gpt-6-luna",
    "groq": "groq/openai/gpt-oss-20b",
    "mistral": "mistral/mistral-small-latest",
    "openrouter": "openrouter/meta-llama/llama-3.3-70b-instruct",
    "deepseek": "deepseek/deepseek-flash",
    "local": "openai/qwen3-4b",
    "anthropic": "anthropic/claude-haiku-4-5",
    "gemini": "gemini/gemini-3.8-flash",
}
PROVIDERS = tuple(MODEL_IDS)


@dataclass(slots=True)
class Texts:
    """Takes text as it comes."""

    pieces: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.pieces.append(text)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@pytest.fixture(scope="session")
def library() -> Library:
    library = Library()
    library.start()
    return library


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


GatewayMaker = Callable[..., LiteLLMGateway]


@pytest.fixture
async def make_gateway(library: Library) -> AsyncIterator[GatewayMaker]:
    """Make gateways with other limits; they are closed at the end."""
    made: list[LiteLLMGateway] = []

    def make(patience: Patience | None = None, key: str | None = "k-1") -> LiteLLMGateway:
        made.append(LiteLLMGateway(lambda _model: key, library=library, patience=patience))
        return made[-1]

    await library.ready()
    yield make
    for gateway in made:
        await gateway.close()


@pytest.fixture
def gateway(make_gateway: GatewayMaker) -> LiteLLMGateway:
    return make_gateway()


@pytest.fixture
def texts() -> Texts:
    return Texts()


def a_model(server: ProviderServer, name: str, **fields: Any) -> ModelSpec:
    """A model of this provider, at its loopback address."""
    model_id = MODEL_IDS[name]
    values: dict[str, Any] = {
        "alias": name,
        "model_id": model_id,
        "provider": model_id.split("/")[0],
        "tier": Tier.CHEAP,
        "api_base": server.base(name),
        "input_usd_per_mtok": Decimal(1),
        "output_usd_per_mtok": Decimal(5),
    }
    return ModelSpec(**values | fields)


def a_call(model: ModelSpec, text: str = "Hello there", **fields: Any) -> ModelCall:
    """A call with one question."""
    values: dict[str, Any] = {
        "call_id": "t1:answer1",
        "purpose": Purpose.ANSWER,
        "messages": (
            Message(role=Role.SYSTEM, text="Be brief."),
            Message(role=Role.USER, text=text),
        ),
        "max_output_tokens": 1000,
    }
    return ModelCall(model=model, **values | fields)


@pytest.fixture
def deaf_address() -> Iterator[str]:
    """An address that never takes a connection: its queue of one is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for caller in waiting:
            caller.close()
