"""What LiteLLM's table says of models, and the catalogue that we ship."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.llm import LiteLLMGateway, PriceTable, known_models
from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.errors import BotError
from bot.model_file import parse_catalog
from tests.adapters.llm.conftest import Texts, a_call
from tests.loopback.providers import ProviderServer

SHIPPED = Path(__file__).parents[3] / "models.toml"


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return known_models()


@pytest.fixture(scope="module")
def catalog(table: PriceTable) -> Catalog:
    return parse_catalog(SHIPPED.read_text("utf-8"), table, source="models.toml")


def test_knows_prices_windows_and_capabilities(table: PriceTable) -> None:
    known = table["anthropic/claude-haiku-4-5"]
    assert known.input_usd_per_mtok == Decimal(1)
    assert known.output_usd_per_mtok == Decimal(5)
    assert known.cached_input_usd_per_mtok == Decimal("0.1")
    assert (known.context_tokens, known.max_output_tokens) == (200_000, 64_000)
    assert known.capabilities == {Capability.VISION, Capability.TOOLS}


def test_knows_what_is_billed_dearer_because_it_goes_into_a_cache(table: PriceTable) -> None:
    known = table["openai/gpt-6.1-sol"]
    assert known.input_usd_per_mtok == 2
    assert known.cache_write_usd_per_mtok == Decimal("2.5")
    assert table["anthropic/claude-haiku-4-5"].cache_write_usd_per_mtok == Decimal("1.25")
    assert table["deepseek/deepseek-v4-pro"].cache_write_usd_per_mtok is None


def test_a_window_ends_where_the_price_rises() -> None:
    entry = {
        "litellm_provider": "anthropic",
        "mode": "chat",
        "max_input_tokens": 1_000_000,
        "input_cost_per_token": Decimal("1e-7"),
        "input_cost_per_token_above_100k_tokens": Decimal("5e-7"),
        "output_cost_per_token_above_200k_tokens": Decimal("9e-7"),
        "input_cost_per_token_above_50k_tokens_batches": Decimal("1e-8"),
    }
    assert PriceTable({"claude-x": entry})["anthropic/claude-x"].context_tokens == 100_000


def test_a_price_of_zero_is_no_price() -> None:
    entry = {"litellm_provider": "x", "mode": "chat", "input_cost_per_token": 0}
    assert PriceTable({"x/y": entry})["x/y"].input_usd_per_mtok is None


def test_names_each_model_with_its_provider(table: PriceTable) -> None:
    assert all("/" in name for name in table)
    assert "openai/gpt-6-luna" in table
    assert "gemini/gemini-3.8-flash" in table
    assert "openai/no-such-model" not in table


def test_knows_when_a_model_retires() -> None:
    entry = {"litellm_provider": "x", "mode": "chat", "deprecation_date": "2027-01-14"}
    table = PriceTable({"y": entry, "z": {**entry, "deprecation_date": "soon"}})
    assert table.retires_on("x/y") == date(2027, 1, 14)
    assert table.retires_on("x/z") is None
    assert table.retires_on("x/unknown") is None


def test_the_shipped_catalogue_has_every_tier_and_provider(catalog: Catalog) -> None:
    assert {model.tier for model in catalog} == set(Tier)
    assert {model.provider for model in catalog} == {
        "anthropic",
        "deepseek",
        "gemini",
        "groq",
        "mistral",
        "openai",
        "openrouter",
    }


def test_each_shipped_model_has_its_price_and_window(catalog: Catalog, table: PriceTable) -> None:
    for model in catalog:
        assert model.list_price is not None, model.alias
        assert model.context_tokens >= 32_000, model.alias
        assert model.model_id in table or model.provider == "openrouter", model.alias


def test_no_shipped_model_has_been_retired(catalog: Catalog, table: PriceTable) -> None:
    today = datetime.now(UTC).date()
    retired = {
        model.alias: day
        for model in catalog
        if (day := table.retires_on(model.model_id)) is not None and day <= today
    }
    assert retired == {}


def test_the_commented_examples_parse_too(table: PriceTable) -> None:
    text = SHIPPED.read_text("utf-8")
    tables = text[text.index("# [[model]]") :].splitlines()
    lines = [line.removeprefix("# ") for line in tables if line.startswith(("# [[", "# "))]
    examples = "\n".join(line for line in lines if " = " in line or line == "[[model]]")
    models = parse_catalog(examples, table, source="examples")
    assert [model.alias for model in models] == ["local", "router-haiku"]


def shipped_specs() -> tuple[ModelSpec, ...]:
    text = SHIPPED.read_text("utf-8")
    try:
        return parse_catalog(text, known_models(), source="models.toml").models
    except BotError:
        return ()  # another test says what is wrong with it


@pytest.mark.parametrize("model", shipped_specs(), ids=lambda model: model.alias)
async def test_each_shipped_model_is_asked_by_its_own_name(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, model: ModelSpec
) -> None:
    base = provider.base(model.provider)
    spec = parse_catalog(
        f'[[model]]\nalias = "m"\nid = "{model.model_id}"\ntier = "free"\napi_base = "{base}"',
        known_models(),
        source="test",
    ).models[0]
    completion = await gateway.complete(a_call(spec, temperature=0.3), texts)
    seen = provider.requests[0]
    assert completion.text == "You said: Hello there"
    assert seen.model == model.model_id.removeprefix(f"{model.provider}/")
    assert seen.max_output_tokens == 1000
