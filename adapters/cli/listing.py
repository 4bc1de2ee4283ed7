"""`parley models` and `parley route`: what there is, and what would be chosen. Asks no model."""

from __future__ import annotations

import json
import sys
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from adapters.active_models import ModelChoice
from adapters.cli.program import Program
from bot.calls import estimate_tokens
from bot.catalog import Catalog, ModelSpec
from bot.errors import PromptError
from bot.explanation import explain, to_record
from bot.money import format_price
from bot.router import Router
from bot.routes import RouteRequest
from bot.tags import parse_tags

_WIDE = 120
"""Columns where no screen says how wide it is."""


def models(program: Program, *, as_json: bool) -> int:
    """Print the catalogue; returns the exit code."""
    choice = program.listed_models(program.settings())
    if as_json:
        sys.stdout.write(json.dumps([_to_row(m, choice) for m in _all(choice)]) + "\n")
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("tier", "alias", "model", "$ in", "$ out", "window", "status"):
        table.add_column(column, justify="right" if column[0] in "$w" else "left", no_wrap=True)
    for model in sorted(_all(choice), key=lambda m: m.tier):
        missing = choice.missing_key(model)
        table.add_row(
            model.tier.label,
            f"@{model.alias}",
            model.model_id,
            _price(model.input_usd_per_mtok, is_free=model.is_free_quota),
            _price(model.output_usd_per_mtok, is_free=model.is_free_quota),
            f"{model.context_tokens:,}",
            f"[dim]set {missing}[/dim]" if missing else "[green]on[/green]",
        )
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    sys.stderr.write("$ is for a million tokens; write the alias into a prompt to ask that model\n")
    if any(m.is_free_quota for m in choice.listed):
        sys.stderr.write("* billed $0 while the provider's free quota lasts\n")
    return 0


def route(program: Program, text: str, *, as_json: bool) -> int:
    """Print which model a prompt would go to; without any key, of the whole catalogue."""
    choice = program.listed_models(program.settings())
    catalog = choice.active if choice.active.models else choice.listed
    tagged = parse_tags(text, catalog.aliases(), catalog.missing_keys())
    if not tagged.prompt.strip():
        raise PromptError('Write the prompt to judge: parley route "Why is the sky blue?"')
    decision = Router(catalog, program.estimator()).route(
        RouteRequest(
            prompt=tagged.prompt,
            input_tokens=estimate_tokens(tagged.prompt),
            tier=tagged.tier,
            alias=tagged.alias,
        )
    )
    record = to_record(decision)
    if as_json:
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        return 0
    sys.stdout.write(explain(record).replace("**", "") + "\n")
    if not choice.active.models:
        sys.stderr.write("No key is set yet, so this chose among the whole catalogue.\n")
    return 0


def _all(choice: ModelChoice) -> Catalog:
    return choice.listed.with_models(choice.active.models)


def _price(price: Decimal | None, *, is_free: bool) -> str:
    if price is None:
        return "unpriced"
    shown = format_price(price)
    return f"{shown}*" if is_free else shown


def _to_row(model: ModelSpec, choice: ModelChoice) -> dict[str, object]:
    return {
        "alias": model.alias,
        "id": model.model_id,
        "tier": model.tier.label,
        "is_on": not choice.missing_key(model),
        "missing_key": choice.missing_key(model) or None,
        "context_tokens": model.context_tokens,
        "max_output_tokens": model.max_output_tokens,
        "input_usd_per_mtok": _text(model.input_usd_per_mtok),
        "output_usd_per_mtok": _text(model.output_usd_per_mtok),
        "free_quota": model.is_free_quota,
        "capabilities": sorted(model.capabilities),
    }


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)
