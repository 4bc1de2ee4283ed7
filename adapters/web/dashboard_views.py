"""What the page of spend shows, as values for its template. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from adapters.web.views import to_figure
from bot.budget import BudgetState
from bot.command_texts import WHOSE
from bot.digest import Grouping, Report, Share
from bot.features import Feature, feature_of, step_of
from bot.ledger import LedgerEntry
from bot.money import format_usd
from bot.periods import Span
from bot.spend_text import to_card, told_apart

STACKINGS = (Grouping.TIER, Grouping.MODEL)
_HEADINGS = {
    Grouping.MODEL: "Models",
    Grouping.FEATURE: "Features",
    Grouping.USER: "People",
    Grouping.CHANNEL: "Channels",
}
MOST_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What somebody chose to see."""

    span: Span
    workspace: str = ""
    user: str = ""
    channel: str = ""
    feature: str = ""
    by: Grouping = Grouping.TIER

    def query(self, **changes: str) -> str:
        """The address's part that asks for this, with some of it changed."""
        values = asdict(self)
        values["period"] = values.pop("span")
        return urlencode({name: str(v) for name, v in (values | changes).items() if v})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is to show of it."""

    report: Report
    workspaces: Mapping[str, str]
    """What each is called, by `platform/id`."""
    budgets: Sequence[BudgetState]
    calls: Sequence[LedgerEntry]
    decisions: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    zone: tzinfo


def to_page(chosen: Chosen, found: Found) -> dict[str, Any]:
    """Everything that the template names."""
    report, names = found.report, found.names
    card = to_card(report, chosen.by)
    return {
        "chosen": chosen,
        "spans": [
            (span.value, span.value.capitalize(), chosen.query(period=span.value)) for span in Span
        ],
        "stackings": [(by.value, chosen.query(by=by.value)) for by in STACKINGS],
        "title": report.stretch.title,
        "tiles": to_tiles(report),
        "figure": to_figure(card),
        "card": card,
        "bars": [
            (bar.label, [format_usd(amount) for amount in bar.amounts], format_usd(bar.total))
            for bar in card.bars
        ],
        "tables": [to_table(report, by, names) for by in _HEADINGS],
        "budgets": [to_budget(state) for state in found.budgets],
        "calls": [to_call(call, found) for call in found.calls],
        "workspaces": sorted(found.workspaces.items(), key=lambda pair: pair[1].lower()),
        "users": _options(report, Grouping.USER, chosen.user, names),
        "channels": _options(report, Grouping.CHANNEL, chosen.channel, names),
        "features": list(Feature),
        "csv": chosen.query(),
    }


def to_tiles(report: Report) -> list[dict[str, str]]:
    """The figures at the top."""
    is_unpriced = report.unpriced == report.calls and report.calls and not report.spent
    tiles = [
        {
            "name": "Spent",
            "value": format_usd(None if is_unpriced else report.spent),
            "about": _change(report),
        }
    ]
    savings = report.savings
    if savings is not None and savings.saved > 0:
        about = f"{savings.percent} % of what @{savings.alias} alone would have cost; an estimate"
        tiles.append({"name": "Saved", "value": format_usd(savings.saved), "about": about})
    if report.projection is not None:
        about = "at the pace of the last days"
        tiles.append(
            {"name": "This month", "value": f"≈ {format_usd(report.projection)}", "about": about}
        )
    failed = f"{report.failed:,} failed" if report.failed else ""
    unpriced = f"{report.unpriced:,} unpriced" if report.unpriced else ""
    lost = f"{format_usd(report.lost)} without an answer" if report.lost else ""
    about = ", ".join(filter(None, [f"{report.tokens:,} tokens", failed, unpriced, lost]))
    return [*tiles, {"name": "Calls", "value": f"{report.calls:,}", "about": about}]


def to_table(report: Report, by: Grouping, names: Mapping[str, str]) -> dict[str, Any]:
    """One way of cutting the total, as a table with bars."""
    shares = report.shares[by]
    return {
        "heading": _HEADINGS[by],
        "rows": [_row(by, share, report, names) for share in shares[:MOST_ROWS]],
        "rest": len(shares) - MOST_ROWS,
        "rest_spent": format_usd(sum(share.spent for share in shares[MOST_ROWS:])),
    }


def to_budget(state: BudgetState) -> dict[str, Any]:
    """One cap, as a bar and in words."""
    limit = state.limit
    return {
        "name": f"{WHOSE[limit.scope]}, this {limit.window.period.value}",
        "percent": state.used_percent,
        "shown": min(100, state.used_percent),
        "about": f"{format_usd(state.spent)} of {format_usd(limit.cap)}"
        + (f", {format_usd(state.held)} held" if state.held else ""),
        "resets": f"{limit.window.ends_at:%-d %B, %H:%M} UTC",
    }


def to_call(call: LedgerEntry, found: Found) -> dict[str, str]:
    """One call, with why its model was chosen."""
    usage = call.usage
    is_over = usage is not None
    return {
        "at": call.created_at.astimezone(found.zone).strftime("%-d %b %H:%M"),
        "iso": call.created_at.isoformat(),
        "who": found.names.get(call.user_id, call.user_id),
        "where": to_where(call, found),
        "model": call.alias,
        "tier": call.tier.label,
        "feature": to_feature(call),
        "tokens": f"{usage.input_tokens + usage.output_tokens:,}" if usage else "",
        "cost": format_usd(call.spent if call.cost is not None else None) if is_over else "…",
        "status": call.error or call.status.value,
        "why": str(found.decisions.get(call.turn_id, {}).get("reason", "")),
    }


def to_workspace_labels(
    known: Iterable[tuple[str, str]], names: Mapping[tuple[str, str], str]
) -> dict[str, str]:
    """What to call each workspace, by `platform/id`; two of one name have their ids behind it."""
    return told_apart(
        {
            f"{platform}/{workspace_id}": f"{names[platform, workspace_id]}, {platform}"
            if names.get((platform, workspace_id), platform) != platform
            else f"{platform}/{workspace_id}"
            for platform, workspace_id in known
        }
    )


def to_where(call: LedgerEntry, found: Found) -> str:
    """The workspace and the channel of a call, each by its name where that is known."""
    workspace = found.workspaces.get(f"{call.platform}/{call.workspace_id}", call.platform)
    channel = found.names.get(call.channel_id, call.channel_id)
    return f"{workspace} · {channel}" if channel else workspace


def to_feature(call: LedgerEntry) -> str:
    """What a call was made for, with its step where that has another name."""
    feature, step = feature_of(call.purpose).value, step_of(call.purpose)
    return feature if step == feature else f"{feature}: {step}"


def _row(by: Grouping, share: Share, report: Report, names: Mapping[str, str]) -> dict[str, Any]:
    is_unpriced = share.unpriced == share.calls and not share.spent
    return {
        "name": names.get(share.key, share.key) or "–",
        "spent": format_usd(None if is_unpriced else share.spent),
        "percent": share.spent * 100 // report.spent if report.spent else 0,
        "calls": f"{share.calls:,}",
        "steps": [_row(by, step, report, names) for step in share.steps],
    }


def _options(
    report: Report, by: Grouping, chosen: str, names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """What can be narrowed to, by name; what is chosen stays among it."""
    keys = {share.key for share in report.shares[by]} | ({chosen} if chosen else set())
    return sorted(((key, names.get(key, key)) for key in keys if key), key=lambda pair: pair[1])


def _change(report: Report) -> str:
    change = report.change_percent
    if change is None:
        return "nothing to compare with"
    return f"{change:+d} % on {format_usd(report.previous)} before" if change else "as before"
