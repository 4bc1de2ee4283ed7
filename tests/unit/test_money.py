"""Money is exact, and reads as people write it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.money import NANOUSD, Price, format_price, format_usd, to_nanousd

HAIKU = Price(
    input_nanousd_per_mtok=1 * NANOUSD,
    output_nanousd_per_mtok=5 * NANOUSD,
    cached_input_nanousd_per_mtok=NANOUSD // 10,
)
SOL = Price(
    input_nanousd_per_mtok=2 * NANOUSD,
    output_nanousd_per_mtok=10 * NANOUSD,
    cached_input_nanousd_per_mtok=NANOUSD // 10,
    cache_write_nanousd_per_mtok=5 * NANOUSD // 2,
)
_TOKENS = st.integers(0, 10**7)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.1", "0.10"), ("0.075", "0.075"), ("2", "2.00"), ("0", "0"), ("1.50000", "1.50"),
        ("1E+1", "10.00"), ("1200", "1,200.00"), ("0.0375", "0.0375"),
    ],
)  # fmt: skip
def test_a_price_reads_as_money_and_is_exact(price: str, text: str) -> None:
    assert format_price(Decimal(price)) == text


def test_a_cost_is_tokens_times_price() -> None:
    assert HAIKU.cost(input_tokens=1000, output_tokens=200) == 2_000_000


def test_cached_input_is_billed_at_its_own_price() -> None:
    assert HAIKU.cost(input_tokens=1000, output_tokens=0, cached_input_tokens=1000) == 100_000


def test_cached_input_without_a_price_is_billed_as_any_input() -> None:
    price = Price(input_nanousd_per_mtok=NANOUSD, output_nanousd_per_mtok=0)
    assert price.cost(input_tokens=10, output_tokens=0, cached_input_tokens=10) == 10_000


def test_what_is_put_into_a_cache_is_billed_at_its_own_price() -> None:
    usage = {"input_tokens": 3_000, "cached_input_tokens": 1_000, "cache_write_tokens": 1_500}
    assert SOL.cost(output_tokens=0, **usage) == 100_000 + 3_750_000 + 1_000_000
    assert HAIKU.cost(output_tokens=0, **usage) == 100_000 + 2_000_000


@pytest.mark.parametrize("price", [HAIKU, SOL])
@given(_TOKENS, _TOKENS, _TOKENS, _TOKENS)
def test_nothing_costs_more_than_the_most(price: Price, a: int, b: int, c: int, d: int) -> None:
    cost = price.cost(input_tokens=a, output_tokens=b, cached_input_tokens=c, cache_write_tokens=d)
    assert cost <= price.most(input_tokens=a, output_tokens=b)


@given(_TOKENS, _TOKENS, _TOKENS, _TOKENS)
def test_a_whole_never_costs_more_than_its_parts(a: int, b: int, c: int, d: int) -> None:
    whole = HAIKU.cost(input_tokens=a + b, output_tokens=c + d)
    parts = HAIKU.cost(input_tokens=a, output_tokens=c) + HAIKU.cost(
        input_tokens=b, output_tokens=d
    )
    assert whole <= parts <= whole + 1


@pytest.mark.parametrize("price", [HAIKU, SOL])
@given(_TOKENS, st.integers(0, 10**12))
def test_affordable_output_is_within_what_is_available(
    price: Price, tokens: int, available: int
) -> None:
    output = price.affordable_output_tokens(input_tokens=tokens, available=available)
    if output:
        assert price.most(input_tokens=tokens, output_tokens=output) <= available
    assert price.most(input_tokens=tokens, output_tokens=output + 1) > available


def test_a_free_output_is_affordable_while_the_input_is() -> None:
    price = Price(input_nanousd_per_mtok=NANOUSD, output_nanousd_per_mtok=0)
    assert price.affordable_output_tokens(input_tokens=10, available=10_000) > 0
    assert price.affordable_output_tokens(input_tokens=11, available=10_000) == 0


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [
        (None, "unpriced"),
        (0, "$0"),
        (1, "<$0.0001"),
        (99_999, "<$0.0001"),
        (100_000, "$0.0001"),
        (3_100_000, "$0.0031"),
        (99_999_999, "$0.1000"),
        (100_000_000, "$0.10"),
        (12_400_000_000, "$12.40"),
        (1_234_567_000_000_000, "$1,234,567.00"),
        (-12_400_000_000, "-$12.40"),
    ],
)
def test_an_amount_reads_as_people_write_it(nanousd: int | None, text: str) -> None:
    assert format_usd(nanousd) == text


def test_dollars_become_whole_nanodollars() -> None:
    assert to_nanousd(Decimal("0.075")) == 75_000_000
    assert to_nanousd(Decimal("0.0000000005")) == 1
