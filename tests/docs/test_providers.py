"""docs/providers.md names what the shipped catalogue has, and its examples are what they say."""

import re
from decimal import Decimal

import pytest

from adapters.active_models import read_catalog
from adapters.llm import known_models
from adapters.llm.providers import PROVIDERS, key_variable
from bot.catalog import ModelSpec
from bot.errors import CatalogError
from bot.model_file import parse_catalog
from tests.docs.pages import ROOT, Found, Page

PAGE = Page("docs/providers.md")
KNOWN = known_models()
SHIPPED = read_catalog(ROOT / "models.toml", KNOWN)
LISTS = [block for block in PAGE.blocks() if block.text.startswith("[[model]]")]
FAULTY = LISTS[-1]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose first heading this is."""
    table = PAGE.text.split(f"\n| {heading} |")[1].split("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def to_row(model: ModelSpec) -> list[str]:
    quota = ", billed $0" if model.is_free_quota else ""
    price = f"{model.input_usd_per_mtok} / {model.output_usd_per_mtok}{quota}"
    return [model.tier.label, f"`{model.alias}`", f"`{model.model_id}`", price,
            f"{model.context_tokens:,}"]  # fmt: skip


def test_every_model_of_the_catalogue_stands_there_with_its_tier_price_and_window() -> None:
    assert rows("Tier") == [to_row(model) for model in SHIPPED]


def test_every_provider_stands_there_with_its_key_and_its_models() -> None:
    expected = {
        provider.name: (
            f"`{provider.key_variable}`",
            ", ".join(f"`{m.alias}`" for m in SHIPPED if key_variable(m) == provider.key_variable),
        )
        for provider in PROVIDERS.values()
    }
    assert {row[0]: (row[1], row[3]) for row in rows("Provider")} == expected


def test_a_free_quota_is_promised_where_the_catalogue_has_one() -> None:
    promised = {row[1].strip("`") for row in rows("Provider") if row[4] == "yes"}
    assert promised == {key_variable(model) for model in SHIPPED if model.is_free_quota}


def test_keys_are_had_where_the_example_of_the_environment_says() -> None:
    example = (ROOT / ".env.example").read_text()
    for row in rows("Provider"):
        comment = re.findall(rf"# (.*)\n{row[1].strip('`')}=", example)[0]
        assert row[2].strip("<>") in comment


def test_two_providers_alone_fill_every_tier() -> None:
    tiers = {n: {m.tier for m in SHIPPED if m.provider == n} for n in PROVIDERS}
    assert {name for name, filled in tiers.items() if len(filled) == 3} == {"gemini", "mistral"}


@pytest.mark.parametrize("block", LISTS[:-1], ids=str)
def test_its_lists_can_be_read_and_have_a_price(block: Found) -> None:
    [model] = parse_catalog(block.text, KNOWN, source=PAGE.name)
    assert model.price is not None
    assert model.input_usd_per_mtok != Decimal(0)


def test_the_faults_of_the_faulty_list_are_those_that_are_told() -> None:
    told = next(block for block in PAGE.blocks() if block.text.startswith("my-models.toml:"))
    with pytest.raises(CatalogError) as caught:
        parse_catalog(FAULTY.text, KNOWN, source="my-models.toml")
    assert list(caught.value.faults) == told.text.splitlines()
