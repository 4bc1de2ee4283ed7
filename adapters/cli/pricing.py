"""`parley prices`: the catalogue's own prices beside those of LiteLLM's table. Asks nobody."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from adapters.active_models import read_catalog
from adapters.cli.program import Program
from adapters.llm import PriceTable, known_models
from bot.catalog import ModelSpec
from bot.model_file import KnownModel

_MARKS = {"same": "green", "differs": "yellow", "unpriced": "red", "not listed": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One model's price here and there, in dollars a million tokens."""

    alias: str
    model_id: str
    verdict: str
    """`same`, `differs`, `not listed` in the table, `from the table`, or `unpriced` in both."""
    input_here: str | None
    output_here: str | None
    input_listed: str | None
    output_listed: str | None
    retires_on: str | None = None


def prices(program: Program, *, as_json: bool) -> int:
    """Print every model's prices and what differs; returns 1 when one is unpriced, else 0."""
    table = known_models()
    own = read_catalog(program.settings().models_path, {})
    found = [compare(model, table) for model in own]
    if as_json:
        sys.stdout.write(json.dumps([asdict(each) for each in found]) + "\n")
    else:
        _print(found)
    return 1 if any(each.verdict == "unpriced" for each in found) else 0


def compare(model: ModelSpec, table: PriceTable) -> Comparison:
    """A model as the catalogue alone has it, beside what the table says of it."""
    known = table.get(model.model_id, KnownModel())
    retires: date | None = table.retires_on(model.model_id)
    return Comparison(
        alias=model.alias,
        model_id=model.model_id,
        verdict=_verdict(
            (model.input_usd_per_mtok, model.output_usd_per_mtok),
            (known.input_usd_per_mtok, known.output_usd_per_mtok),
        ),
        input_here=_text(model.input_usd_per_mtok),
        output_here=_text(model.output_usd_per_mtok),
        input_listed=_text(known.input_usd_per_mtok),
        output_listed=_text(known.output_usd_per_mtok),
        retires_on=retires.isoformat() if retires else None,
    )


Pair = tuple[Decimal | None, Decimal | None]


def _verdict(here: Pair, listed: Pair) -> str:
    merged = [own if own is not None else theirs for own, theirs in zip(here, listed, strict=True)]
    if None in merged:
        return "unpriced"
    if here == (None, None):
        return "from the table"
    if None in listed:
        return "not listed"
    return "same" if tuple(merged) == listed else "differs"


def _print(found: list[Comparison]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("alias", "here in / out", "table in / out", "verdict"):
        table.add_column(column, justify="right" if "/" in column else "left")
    for each in found:
        colour = _MARKS.get(each.verdict, "default")
        table.add_row(
            f"@{each.alias}",
            _pair(each.input_here, each.output_here),
            _pair(each.input_listed, each.output_listed),
            f"[{colour}]{each.verdict}[/{colour}]",
        )
    Console().print(table)
    for line in remarks(found):
        sys.stdout.write(f"{line}\n")


_SAID = {
    "differs": "Check the provider's page of {}, then put the right price into models.toml.",
    "not listed": "Missing from LiteLLM's table: {}. The catalogue's price counts.",
    "from the table": "Without a price of its own, so LiteLLM's counts: {}.",
    "unpriced": "Unpriced: {}. Their calls are in no sum and no budget.",
}


def remarks(found: Sequence[Comparison]) -> Iterator[str]:
    """What to know of the comparison: what changed, what is missing, what is new."""
    yield "Dollars for a million tokens. The catalogue's own price wins over LiteLLM's table."
    for each in found:
        if each.verdict == "differs":
            yield f"Changed: @{each.alias} {' and '.join(_changes(each))}."
    for verdict, sentence in _SAID.items():
        if names := [f"@{each.alias}" for each in found if each.verdict == verdict]:
            yield sentence.format(", ".join(names))
    for each in found:
        if each.retires_on:
            yield f"@{each.alias} will be switched off by its provider on {each.retires_on}."


def _changes(each: Comparison) -> Iterator[str]:
    sides = (
        ("input", each.input_here, each.input_listed),
        ("output", each.output_here, each.output_listed),
    )
    for name, here, listed in sides:
        if here is not None and listed is not None and here != listed:
            yield f"{name} ${here} here, ${listed} in LiteLLM's table"


def _pair(given: str | None, written: str | None) -> str:
    return f"{given or '–'} / {written or '–'}"


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price.normalize():f}"
