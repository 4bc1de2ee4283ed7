"""Money as whole nano-dollars: prices, costs, and how an amount reads. Never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

NANOUSD = 1_000_000_000
"""Nano-dollars in a dollar."""
_MTOK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in nano-dollars."""

    input_nanousd_per_mtok: int
    output_nanousd_per_mtok: int
    cached_input_nanousd_per_mtok: int | None = None
    """A provider's price for input that it had cached; None bills it as any input."""
    cache_write_nanousd_per_mtok: int | None = None
    """Its price for input that goes into its cache; None bills it as any input."""

    def cost(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_input_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> int:
        """The cost in nano-dollars, rounded up so that parts never undercut a bill.

        `cached_input_tokens` and `cache_write_tokens` are two parts of `input_tokens`.
        """
        usual = self.input_nanousd_per_mtok
        cached = min(cached_input_tokens, input_tokens)
        written = min(cache_write_tokens, input_tokens - cached)
        total = (
            (input_tokens - cached - written) * usual
            + cached * _or(self.cached_input_nanousd_per_mtok, usual)
            + written * _or(self.cache_write_nanousd_per_mtok, usual)
            + output_tokens * self.output_nanousd_per_mtok
        )
        return -(-total // _MTOK)

    def most(self, *, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens can cost, in nano-dollars: no input comes from a cache."""
        total = input_tokens * self._dearest_input + output_tokens * self.output_nanousd_per_mtok
        return -(-total // _MTOK)

    def affordable_output_tokens(self, *, input_tokens: int, available: int) -> int:
        """How many output tokens `available` nano-dollars pay for in any case, after the input."""
        if self.output_nanousd_per_mtok == 0:
            return (
                _MTOK if self.most(input_tokens=input_tokens, output_tokens=0) <= available else 0
            )
        left = available * _MTOK - input_tokens * self._dearest_input
        return max(0, left // self.output_nanousd_per_mtok)

    @property
    def _dearest_input(self) -> int:
        return max(self.input_nanousd_per_mtok, self.cache_write_nanousd_per_mtok or 0)


def _or(price: int | None, usual: int) -> int:
    return usual if price is None else price


def to_nanousd(usd: Decimal) -> int:
    """Dollars to whole nano-dollars, half up."""
    return int((usd * NANOUSD).to_integral_value(rounding=ROUND_HALF_UP))


def format_usd(nanousd: int | None) -> str:
    """An amount as people read it: `$12.40`, `$0.0031`, `<$0.0001`, or `unpriced` for None."""
    if nanousd is None:
        return "unpriced"
    sign, amount = ("-" if nanousd < 0 else ""), abs(nanousd)
    if amount == 0:
        return "$0"
    if amount >= NANOUSD // 10:
        return f"{sign}${_rounded(amount, 2):,}"
    if amount >= NANOUSD // 10_000:
        return f"{sign}${_rounded(amount, 4)}"
    return f"{sign}<$0.0001"


def format_price(usd: Decimal) -> str:
    """A price in dollars, exact and without the sign: `2.00`, `0.10`, `0.075`; `0` for nothing."""
    if usd == 0:
        return "0"
    places = -int(usd.normalize().as_tuple().exponent)
    return f"{usd:,.{max(2, places)}f}"


def _rounded(nanousd: int, places: int) -> Decimal:
    exact = Decimal(nanousd) / NANOUSD
    return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
