"""`parley spend`: what was spent, in words, as JSON, as a picture, as CSV. Asks no model."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from adapters.charts import to_png, to_svg
from adapters.cli.program import Program
from adapters.clock import SystemClock
from adapters.ledger_csv import to_csv
from adapters.settings import made_home
from bot.digest import Grouping, Report, Share
from bot.errors import CommandError, ConfigurationError
from bot.periods import Span
from bot.reporting import Reporter
from bot.settings import resolve
from bot.spend import Where
from bot.spend_text import to_card, to_text
from storage import SqlStore, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was typed."""

    period: str = "week"
    by: str = ""
    workspace: str = ""
    picture: str = ""
    ledger: str = ""


async def spend(program: Program, wanted: Wanted, *, as_json: bool) -> int:
    """Print what was spent; returns the exit code."""
    span, by = _one_of(Span, wanted.period), _one_of(Grouping, wanted.by) if wanted.by else None
    if wanted.picture and not wanted.picture.endswith((".svg", ".png")):
        raise CommandError("--picture takes a file that ends in .svg or .png.")
    settings = program.settings()
    catalog = program.listed_models(settings).listed
    async with open_store(made_home(settings)) as store:
        places = await _places(store, wanted.workspace)
        zone = resolve([await store.settings_of(wanted.workspace)]).zone
        reporter = Reporter(
            store, lambda: catalog, SystemClock(), instance_caps=settings.instance_caps
        )
        report = await reporter.report(places, span, zone)
        if wanted.ledger:
            await _write_ledger(store, places, report, wanted.ledger)
        names = await reporter.names_elsewhere(places, report)
    if wanted.picture:
        _draw(report, by, Path(wanted.picture))
    if wanted.ledger != "-":
        said = json.dumps(to_record(report)) if as_json else _plain(to_text(report, names, by=by))
        sys.stdout.write(f"{said}\n")
    return 0


def to_record(report: Report) -> dict[str, Any]:
    """A report for scripts; amounts in nano-dollars."""
    savings = report.savings
    return {
        "period": report.stretch.span.value,
        "since": report.stretch.since.isoformat(),
        "until": report.stretch.until.isoformat(),
        "spent_nanousd": report.spent,
        "previous_nanousd": report.previous,
        "projection_nanousd": report.projection,
        "lost_nanousd": report.lost,
        "calls": report.calls,
        "failed": report.failed,
        "unpriced": report.unpriced,
        "tokens": report.tokens,
        "saved_nanousd_estimate": savings.saved if savings else None,
        "compared_with": savings.alias if savings else None,
        "by": {
            by.value: [
                _share(share) | ({"steps": [_share(s) for s in share.steps]} if share.steps else {})
                for share in shares
            ]
            for by, shares in report.shares.items()
        },
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "name": share.key,
        "spent_nanousd": share.spent,
        "calls": share.calls,
        "tokens": share.tokens,
    }


async def _places(store: SqlStore, workspace: str) -> list[Where]:
    known = [f"{platform}/{workspace_id}" for platform, workspace_id in await store.workspaces()]
    if workspace and workspace not in known:
        listed = ", ".join(known) or "none yet"
        raise CommandError(f"No model was called in {workspace!r}. Workspaces: {listed}.")
    chosen = [workspace] if workspace else known
    pairs = [each.split("/", 1) for each in chosen]
    return [Where(platform=platform, workspace_id=name) for platform, name in pairs]


async def _write_ledger(
    store: SqlStore, places: Sequence[Where], report: Report, path: str
) -> None:
    lines = to_csv(store, places, report.stretch.since, report.stretch.until)
    if path == "-":
        async for text in lines:
            sys.stdout.write(text)
        return
    with _opened(path) as file:
        async for text in lines:
            file.write(text)


def _opened(path: str) -> TextIO:
    try:
        return Path(path).open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise _unwritable(path, error) from error


def _draw(report: Report, by: Grouping | None, path: Path) -> None:
    stacked = Grouping.MODEL if by is Grouping.MODEL else Grouping.TIER
    svg = to_svg(to_card(report, stacked))
    try:
        path.write_bytes(to_png(svg) if path.suffix == ".png" else svg.encode())
    except OSError as error:
        raise _unwritable(str(path), error) from error


def _unwritable(path: str, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path} could not be written: {error.strerror}.")


def _one_of(kind: type[Span] | type[Grouping], word: str) -> Any:
    if word.lower() not in list(kind):
        raise CommandError(f"Choose one of {', '.join(kind)}, not {word!r}.")
    return kind(word.lower())


def _plain(text: str) -> str:
    return text.replace("**", "")
