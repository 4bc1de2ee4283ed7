"""The catalogue's prices beside LiteLLM's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.cli.pricing import compare, remarks
from adapters.llm import PriceTable
from tests.fakes import model

TABLE = PriceTable(
    {
        "haiku": {
            "mode": "chat",
            "litellm_provider": "provider",
            "input_cost_per_token": Decimal("0.000001"),
            "output_cost_per_token": Decimal("0.000004"),
            "deprecation_date": "2027-01-31",
        }
    }
)


@pytest.mark.parametrize(
    ("alias", "usd", "verdict"),
    [
        ("haiku", "1", "same"),
        ("haiku", "1.0", "same"),
        ("haiku", "2", "differs"),
        ("haiku", None, "from the table"),
        ("mystery", "1", "not listed"),
        ("mystery", None, "unpriced"),
    ],
)
def test_says_how_a_price_compares(alias: str, usd: str | None, verdict: str) -> None:
    assert compare(model(alias, usd=usd), TABLE).verdict == verdict


def test_says_when_a_model_will_be_switched_off() -> None:
    found = compare(model("haiku", usd="1"), TABLE)

    assert found.retires_on == "2027-01-31"
    assert (found.input_listed, found.output_listed) == ("1", "4")


def test_says_what_changed_what_is_missing_and_what_is_new() -> None:
    models = [
        model("haiku", usd="2", output_usd_per_mtok=Decimal(4)),
        model("mystery", usd="1"),
        model("haiku", usd=None),
        model("nobody", usd=None),
    ]

    assert list(remarks([compare(each, TABLE) for each in models]))[1:-2] == [
        "Changed: @haiku input $2 here, $1 in LiteLLM's table.",
        "Check the provider's page of @haiku, then put the right price into models.toml.",
        "Missing from LiteLLM's table: @mystery. The catalogue's price counts.",
        "Without a price of its own, so LiteLLM's counts: @haiku.",
        "Unpriced: @nobody. Their calls are in no sum and no budget.",
    ]


def test_prices_that_agree_need_no_remark() -> None:
    found = [compare(model("haiku", usd="1"), TABLE)]

    assert [line for line in remarks(found) if "Changed" in line or "Missing" in line] == []
