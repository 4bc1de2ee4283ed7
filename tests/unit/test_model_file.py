"""The catalogue is read whole or refused whole, with every fault and its line."""

import re
from decimal import Decimal

import pytest

from bot.catalog import Capability, Tier
from bot.errors import CatalogError
from bot.model_file import KnownModel, parse_catalog

GOOD = """
[[model]]
alias = "haiku"
id = "anthropic/claude-haiku-4-5"
tier = "cheap"

[[model]]
alias = "local"
id = "openai/qwen"
tier = "free"
context_tokens = 4096
input_usd_per_mtok = 0
output_usd_per_mtok = 0.5
capabilities = ["vision"]
free_quota = true
api_base = "http://127.0.0.1:8000/v1"
api_key_env = ""
"""
KNOWN = {
    "anthropic/claude-haiku-4-5": KnownModel(
        context_tokens=200_000,
        max_output_tokens=64_000,
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(5),
        capabilities=frozenset({Capability.TOOLS}),
    )
}


def _faults(text: str) -> tuple[str, ...]:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text, KNOWN, source="models.toml")
    return caught.value.faults


def test_fills_what_is_left_out_from_the_price_table() -> None:
    haiku = parse_catalog(GOOD, KNOWN, source="models.toml").named("haiku")
    assert haiku is not None
    assert (haiku.tier, haiku.provider, haiku.context_tokens) == (Tier.CHEAP, "anthropic", 200_000)
    assert haiku.capabilities == {Capability.TOOLS}
    assert haiku.price is not None
    assert haiku.price.output_nanousd_per_mtok == 5_000_000_000


def test_what_the_file_says_wins() -> None:
    local = parse_catalog(GOOD, KNOWN, source="models.toml").named("LOCAL")
    assert local is not None
    assert local.api_key_env == ""
    assert local.context_tokens == 4096
    assert local.capabilities == {Capability.VISION}


def test_a_free_quota_is_billed_nothing_and_keeps_its_list_price() -> None:
    local = parse_catalog(GOOD, KNOWN, source="models.toml").models[1]
    assert local.price is not None
    assert local.price.cost(input_tokens=10, output_tokens=10**6) == 0
    assert local.list_price is not None
    assert local.list_price.cost(input_tokens=0, output_tokens=10**6) == 500_000_000


def test_a_model_without_a_known_price_is_unpriced() -> None:
    catalog = parse_catalog(GOOD, {}, source="models.toml")
    assert catalog.models[0].price is None


def test_names_every_fault_with_its_line() -> None:
    text = GOOD + (
        '\n[[model]]\nalias = "haiku"\nid = "nothing"\ntier = "gigantic"\n'
        'input_usd_per_mtok = -1\nspeed = 3\n[[model]]\nalias = "fast"\ncontext_tokens = "big"\n'
    )
    faults = _faults(text)
    assert [fault.split(": ")[0] for fault in faults] == [
        "models.toml:24", "models.toml:21", "models.toml:22", "models.toml:23", "models.toml:20",
        "models.toml:27", "models.toml:25", "models.toml:25", "models.toml:26",
    ]  # fmt: skip
    assert "unknown field 'speed'" in faults[0]
    assert "taken by a tag" in faults[-1]


def test_names_unknown_fields_in_the_order_of_the_file() -> None:
    fields = ("zeal", "speed", "mood", "colour", "age")
    faults = _faults(GOOD + "".join(f"{name} = 1\n" for name in fields))
    assert [fault.split("'")[1] for fault in faults] == list(fields)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[model", "not valid TOML"),
        ("", r"no \[\[model\]\] found"),
        ("model = 3", r"no \[\[model\]\] found"),
        ("[other]\nx=1\n" + GOOD, "models.toml:1: unknown table or value 'other'"),
        ('model = ["x"]', "a model must be a table"),
        ('[[model]]\nalias = "x"\nid = "a/b"\ntier = []', 'tier must be one of "free"'),
        (GOOD.replace("= 0.5", "= nan"), "output_usd_per_mtok must be a price"),
        (GOOD.replace("= 0.5", "= inf"), "output_usd_per_mtok must be a price"),
        (GOOD.replace("= 4096", "= true"), "context_tokens must be a whole number"),
        (GOOD.replace("= 0.5", "= true"), "output_usd_per_mtok must be a price"),
        (GOOD + 'extra = "fast"', "extra must be a table"),
        (GOOD.replace('"local"', "7"), "alias must be 1–40 small letters"),
    ],
)
def test_refuses_what_is_no_catalogue(text: str, says: str) -> None:
    assert any(re.search(says, fault) for fault in _faults(text))
