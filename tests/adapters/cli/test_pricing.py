"""The catalogue's prices beside LiteLLM's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.cli.pricing import compare
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
