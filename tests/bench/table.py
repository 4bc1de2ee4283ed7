"""A result as a table: for the terminal, and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure, shown
from tests.bench.kept import Result, is_worse, worse_by

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- the kept table: begin -->", "<!-- the kept table: end -->"


def lines(now: Result, then: Result | None) -> Iterator[str]:
    """The table for a terminal, beside what was kept."""
    yield str(now.machine)
    if then is not None:
        yield f"beside what was kept: {then.machine}"
    for bench, figures in now.figures.items():
        yield ""
        yield f"{bench:<52}{'now':>12}{'kept':>12}{'ratio':>8}  target"
        for figure in figures:
            kept = then.find(bench, figure.name) if then else None
            yield _line(figure, kept, speed_of(now, then))


def speed_of(now: Result, then: Result | None) -> float:
    """By how much this machine is faster than the one of then, by the yardstick."""
    return then.machine.yardstick_ms / now.machine.yardstick_ms if then else 1.0


def _line(figure: Figure, kept: Figure | None, speed: float) -> str:
    value = f"{shown(figure.value)} {figure.unit:<5}"
    before, ratio, mark = "", "", ""
    if kept is not None:
        before = f"{shown(kept.value)} {kept.unit:<5}"
        ratio = f"{worse_by(figure, kept, speed=speed):.2f}×"
        mark = "  SLOWER" if is_worse(figure, kept, speed=speed) else ""
    return f"  {figure.name:<48}{value:>14}{before:>13}{ratio:>7}  {_target(figure)}{mark}"


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    sign = "≥" if figure.is_more_better else "≤"
    return f"{sign} {shown(figure.target)}{'' if figure.is_met else ', missed'}"


def slower(now: Result, then: Result | None) -> list[tuple[str, str]]:
    """Bench and name of each figure that is worse than kept by more than the noise."""
    if then is None:
        return []
    return [
        (bench, figure.name)
        for bench, figures in now.figures.items()
        for figure in figures
        if (kept := then.find(bench, figure.name))
        and is_worse(figure, kept, speed=speed_of(now, then))
    ]


def to_markdown(result: Result) -> str:
    """The table for the docs."""
    rows = [f"{result.machine}.", "", "| | Measured | Target |", "| --- | --- | --- |"]
    for bench, figures in result.figures.items():
        rows.append(f"| **{bench}** | | |")
        rows += [f"| {f.name} | {shown(f.value)} {f.unit} | {_target(f)} |" for f in figures]
    return "\n".join(rows)


def write_docs(result: Result, page: Path = DOCS) -> None:
    """Put the table in place of the one that stands between the marks."""
    text = page.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise ValueError(f"{page.name} has no place for the table: {BEGIN} … {END}")
    page.write_text(f"{head}{BEGIN}\n\n{to_markdown(result)}\n\n{END}{tail}", encoding="utf-8")
