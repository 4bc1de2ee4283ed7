"""A report in words, and as a picture's values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bot.budget import BudgetState
from bot.catalog import Tier
from bot.digest import Grouping, Report, Savings, Share
from bot.money import NANOUSD, format_usd
from bot.periods import Span
from bot.pictures import Bar, Card, Series

Names = Mapping[str, str]
"""What people call a user or a channel, by its id; an id without a name stands for itself."""
MOST_LISTED = 10
_MOST_USERS = 3
_MOST_TITLED_BARS = 14
_MANY_TIMES_PERCENT = 400
"""From this rise on "15 times as much" is understood sooner than "1474 % more"."""
_BEFORE = {
    Span.TODAY: "yesterday by this time",
    Span.WEEK: "last week by this time",
    Span.MONTH: "last month by this time",
    Span.YEAR: "last year by this time",
}


def to_text(
    report: Report,
    names: Names,
    *,
    by: Grouping | None = None,
    before: str = "",
    with_users: bool = True,
) -> str:
    """The report as Markdown that every surface shows; `by` lists one way of cutting it."""
    title = f"**Spend, {report.stretch.title}: {_total(report)}**"
    if report.is_empty:
        return f"{title}\nNo model was called."
    said = [*_savings(report.savings), *_remarks(report), *_budgets(report.budgets)]
    if by is not None:
        listed = [f"- {line}" for line in _listed(report, by, names)]
        return "\n".join([title + _change(report, before), *listed, "", " ".join(said)])
    at = 1 if report.savings else 0
    said[at:at] = _summary(report, names, with_users=with_users)
    return "\n".join([title + _change(report, before), *(f"- {line}" for line in said)])


def told_apart(names: Names) -> dict[str, str]:
    """Names by their ids; where several have the same, each with its id behind it."""
    seen = Counter(names.values())
    return {i: name if seen[name] == 1 else f"{name} ({i})" for i, name in names.items()}


def to_card(report: Report, by: Grouping = Grouping.TIER) -> Card:
    """The report as a picture: a bar for each part, stacked by tier or by model."""
    series, stacks = _by_model(report) if by is Grouping.MODEL else _by_tier(report)
    count = len(report.stretch.labels)
    savings = report.savings
    is_saved = savings is not None and savings.saved > 0
    return Card(
        title=f"LLM spend, {report.stretch.title}",
        headline=_total(report),
        aside_title=_instead(savings) if savings and is_saved else "",
        aside=f"saved {format_usd(savings.saved)} ({savings.percent}%)"
        if savings and is_saved
        else "",
        series=series,
        bars=tuple(
            Bar(
                label=label,
                amounts=tuple(stack[index] for stack in stacks),
                note=_saved_note(savings, index, count),
            )
            for index, label in enumerate(report.stretch.labels)
        ),
        alt=to_alt(report),
        footnote=_footnote(report),
    )


_Stacks = tuple[tuple[Series, ...], tuple[tuple[int, ...], ...]]


def _by_tier(report: Report) -> _Stacks:
    used = [tier for tier in Tier if any(part[tier] for part in report.parts)]
    series = tuple(Series(label=_legend(report, tier), tone=tier.label) for tier in used)
    return series, tuple(tuple(part[tier] for part in report.parts) for tier in used)


def _by_model(report: Report) -> _Stacks:
    used = [(name, amounts) for name, amounts in report.models if any(amounts)]
    series = tuple(
        Series(label=f"{name} {format_usd(sum(amounts))}", tone=str(number))
        for number, (name, amounts) in enumerate(used, 1)
    )
    return series, tuple(amounts for _, amounts in used)


def to_alt(report: Report) -> str:
    """What the picture says, in two or three sentences."""
    said = [f"Bar chart of the spend, {report.stretch.title}: {_total(report)} in all."]
    tiers = [f"{s.key} {format_usd(s.spent)}" for s in report.shares[Grouping.TIER]]
    if tiers:
        said.append(f"By tier: {', '.join(tiers)}.")
    dearest = max(range(len(report.parts)), key=lambda index: sum(report.parts[index]))
    if sum(report.parts[dearest]):
        label, amount = report.stretch.labels[dearest], sum(report.parts[dearest])
        said.append(f"The most in one bar: {format_usd(amount)}, {label}.")
    if report.savings and report.savings.saved > 0:
        said.append(f"Saved, by estimate: {format_usd(report.savings.saved)}.")
    return " ".join(said)


def _total(report: Report) -> str:
    if not report.spent and report.unpriced == report.calls and report.calls:
        return "unpriced"
    return format_usd(report.spent)


def _change(report: Report, before: str) -> str:
    change = report.change_percent
    if report.previous is None or change is None:
        return ""
    than = before or _BEFORE[report.stretch.span]
    if change == 0:
        return f", as much as {than}"
    amount = format_usd(report.previous)
    if change >= _MANY_TIMES_PERCENT:
        return f", {change / 100 + 1:,.0f} times as much as {than} ({amount})"
    word = "more" if change > 0 else "less"
    return f", {abs(change)} % {word} than {than} ({amount})"


def _savings(savings: Savings | None) -> Iterator[str]:
    if savings is None:
        return
    would = (
        f"always asking @{savings.alias} with the same tokens would have cost about "
        f"{format_usd(savings.full_cost)}"
    )
    if savings.saved > 0:
        saved = f"Saved about {format_usd(savings.saved)} ({savings.percent} %)"
    else:
        saved = "Nothing was saved"
    yield f"{saved}: {would}. An estimate."


def _summary(report: Report, names: Names, *, with_users: bool) -> Iterator[str]:
    for by in (Grouping.TIER, Grouping.MODEL, Grouping.FEATURE):
        yield f"By {by.value}: {_inline(report, by, names, 5)}"
    if with_users:
        if len(report.shares[Grouping.CHANNEL]) > 1:
            yield f"By channel: {_inline(report, Grouping.CHANNEL, names, 5)}"
        yield f"Top people: {_inline(report, Grouping.USER, names, _MOST_USERS)}"
    if report.projection is not None:
        yield f"At this pace the month comes to about {format_usd(report.projection)}."


def _inline(report: Report, by: Grouping, names: Names, most: int) -> str:
    shares = report.shares[by]
    most += len(shares) == most + 1  # "1 more" takes as much room as its name
    shown = [f"{_name(by, share, names)} {_amount(share)}" for share in shares[:most]]
    if shares[most:]:
        rest = format_usd(sum(share.spent for share in shares[most:]))
        shown.append(f"{len(shares) - most} more {rest}")
    return " · ".join(shown)


def _listed(report: Report, by: Grouping, names: Names) -> Iterator[str]:
    shares = report.shares[by]
    for share in shares[:MOST_LISTED]:
        percent = f" ({_percent(share.spent, report.spent)} %)" if share.spent else ""
        unpriced = f", {share.unpriced:,} unpriced" if share.unpriced else ""
        yield (
            f"{_name(by, share, names)}: {_amount(share)}{percent}, "
            f"{_calls(share.calls)}, {share.tokens:,} tokens{unpriced}{_steps(share)}"
        )
    if shares[MOST_LISTED:]:
        rest = format_usd(sum(share.spent for share in shares[MOST_LISTED:]))
        yield f"{len(shares) - MOST_LISTED} more: {rest}"


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.0f}" if part * 100 >= whole else "under 1"


def _steps(share: Share) -> str:
    if not share.steps:
        return ""
    return ": " + ", ".join(f"{step.key} {_amount(step)}" for step in share.steps)


def _remarks(report: Report) -> Iterator[str]:
    failed = f", {report.failed:,} failed" if report.failed else ""
    yield f"{_calls(report.calls)}{failed}, {report.tokens:,} tokens."
    if report.unpriced:
        yield f"{_calls(report.unpriced)} without a known price: unpriced, and in no sum."
    if report.lost:
        lost = format_usd(report.lost)
        yield f"{lost} of the total brought no answer: failures and interruptions."


def _budgets(budgets: Sequence[BudgetState]) -> Iterator[str]:
    for state in budgets:
        limit = state.limit
        yield (
            f"⚠️ The {limit.scope.value} budget is {state.used_percent} % used: "
            f"{format_usd(state.spent)} of {format_usd(limit.cap)} a {limit.window.period.value}."
        )


def _footnote(report: Report) -> str:
    notes = []
    if report.savings and report.savings.saved > 0:
        notes.append("Savings are an estimate, with the same tokens.")
    if report.unpriced:
        notes.append(f"{_calls(report.unpriced)} unpriced, in no sum.")
    return " ".join(notes)


def _instead(savings: Savings) -> str:
    return f"instead of about {format_usd(savings.full_cost)} with only {savings.alias}"


def _saved_note(savings: Savings | None, index: int, bars: int) -> str:
    if savings is None or bars > _MOST_TITLED_BARS or savings.by_part[index] < NANOUSD // 10_000:
        return ""
    return f"saved {format_usd(savings.by_part[index])}"


def _legend(report: Report, tier: Tier) -> str:
    spent = next((s.spent for s in report.shares[Grouping.TIER] if s.key == tier.label), 0)
    return f"{tier.label} {format_usd(spent)}"


def _name(by: Grouping, share: Share, names: Names) -> str:
    name = names.get(share.key, share.key) or "–"
    return f"@{name}" if by is Grouping.MODEL else name


def _amount(share: Share) -> str:
    is_unknown = share.unpriced == share.calls and not share.spent
    return format_usd(None if is_unknown else share.spent)


def _calls(count: int) -> str:
    return f"{count:,} call" if count == 1 else f"{count:,} calls"
