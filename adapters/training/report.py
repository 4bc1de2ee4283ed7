"""Shows an evaluation as text tables and as a small SVG plot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from adapters.training.ablations import AblationFigures
from adapters.training.commands import Report
from adapters.training.dial import DialStep
from adapters.training.evaluation import PUBLISHED, Evaluation, RouterFigures
from adapters.training.metrics import Interval
from adapters.training.recipe import EXAM_SOURCES

_WIDTH: Final = 480
_HEIGHT: Final = 320
_MARGIN: Final = 44


def to_tables(evaluation: Evaluation) -> str:
    """Return the evaluation as Markdown tables."""
    return "\n".join(_to_lines(evaluation)) + "\n"


def _to_lines(evaluation: Evaluation) -> Iterator[str]:
    yield "| Router | MT-Bench | MMLU | GSM8K | mean | chat 1 % | chat 5 % |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for router in evaluation.routers:
        cells = " | ".join(_to_cell(b.apgr) for b in router.benchmarks)
        yield (
            f"| {router.router} | {cells} | {router.mean:.3f} "
            f"| {router.recall_at_1:.0%} | {router.recall_at_5:.0%} |"
        )
    for name, *figures in PUBLISHED:
        cells = " | ".join(f"{figure:.3f}" for figure in figures)
        yield f"| {name} (published) | {cells} | {sum(figures) / len(figures):.3f} | | |"
    yield ""
    yield "| Router | benchmark | rows | AUC of strong needed | CPT(50 %) | CPT(80 %) |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for router in evaluation.routers:
        yield from _to_details(router)
    yield ""
    yield "| mean p_free | weak model's score | rows |"
    yield "| --- | --- | --- |"
    for chance, score, rows in evaluation.calibration:
        yield f"| {chance:.2f} | {score:.2f} | {rows} |"
    yield ""
    speed = evaluation.speed
    yield (
        f"Calibration error {evaluation.calibration_error:.3f}. CPU of a decision: "
        f"p50 {speed.p50_us:.0f} µs, p99 {speed.p99_us:.0f} µs, the first {speed.first_us:.0f} µs; "
        f"{speed.extra_mb:.1f} MB of memory."
    )


def _to_details(router: RouterFigures) -> Iterator[str]:
    for figures in router.benchmarks:
        yield (
            f"| {router.router} | {figures.benchmark} | {figures.rows} | {_to_cell(figures.auc)} "
            f"| {figures.cpt50:.0%} | {figures.cpt80:.0%} |"
        )


def _to_cell(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.2f}–{interval.high:.2f})"


def to_dial_table(steps: Sequence[DialStep]) -> str:
    """Return what each step of the dial means, as a Markdown table."""
    lines = [
        "| dial | λ | free | cheap | full | $ per 1,000 | quality | on hard prompts |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for step in steps:
        shares = " | ".join(f"{share:.0%}" for share in step.shares)
        lines.append(
            f"| {step.dial} | ${step.lambda_usd:.3f} | {shares} | {step.usd_per_1000:.2f} "
            f"| {step.quality:.3f} | {step.hard_quality:.3f} |"
        )
    return "\n".join(lines) + "\n"


def to_ablation_table(variants: Iterable[AblationFigures]) -> str:
    """Return what each part of the model is worth as a Markdown table."""
    lines = [
        f"| Variant | {' | '.join(EXAM_SOURCES)} | chat 1 % | chat 5 % |",
        "| --- " * (len(EXAM_SOURCES) + 3) + "|",
    ]
    for figures in variants:
        cells = " | ".join(f"{apgr:.3f}" for apgr in figures.apgr)
        lines.append(
            f"| {figures.variant} | {cells} "
            f"| {figures.recall_at_1:.0%} | {figures.recall_at_5:.0%} |"
        )
    return "\n".join(lines) + "\n"


def to_training_table(report: Report) -> str:
    """Return the held-out figures of a training run as a Markdown table."""
    lines = [
        f"{report.version}: {report.prompts:,} prompts, {report.size_bytes:,} bytes.",
        "",
        "| Source | rows | APGR, left out | APGR, a third left out | calibration error |",
        "| --- | --- | --- | --- | --- |",
    ]
    for source in report.sources:
        figures = (source.apgr, source.apgr_of_a_third)
        cells = " | ".join("–" if apgr is None else f"{apgr:.3f}" for apgr in figures)
        lines.append(
            f"| {source.source} | {source.rows:,} | {cells} | {source.calibration_error:.3f} |"
        )
    lines += [
        "",
        "The dial on these prompts, each judged by a model that never saw its source:",
        "",
    ]
    return "\n".join(lines) + "\n" + to_dial_table(report.dial)


def to_plot(steps: Sequence[DialStep]) -> str:
    """Draw quality over dollars, a point for each step of the dial, as SVG."""
    dollars = [step.usd_per_1000 for step in steps]
    quality = [step.quality for step in steps]
    points = [
        (_scale(x, dollars, _MARGIN, _WIDTH - 16), _scale(y, quality, _HEIGHT - _MARGIN, 16))
        for x, y in zip(dollars, quality, strict=True)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        f'<text x="{x + 5:.1f}" y="{y + 13:.1f}">{step.dial}</text>'
        for (x, y), step in zip(points, steps, strict=True)
    )
    bottom, right = _HEIGHT - _MARGIN, _WIDTH - 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="11">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
        f'<path d="M{_MARGIN},16V{bottom}H{right}" fill="none" stroke="#888"/>'
        f'<polyline points="{path}" fill="none" stroke="#2563eb" stroke-width="2"/>'
        f'<g fill="#1e3a8a">{marks}</g>'
        f'<text x="{_MARGIN}" y="{bottom + 16}">${min(dollars):.2f}</text>'
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">${max(dollars):.2f}</text>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">$ per 1,000 prompts</text>'
        f'<text x="4" y="{bottom}">{min(quality):.2f}</text>'
        f'<text x="4" y="24">{max(quality):.2f}</text>'
        "</svg>\n"
    )


def _scale(value: float, values: Sequence[float], start: float, end: float) -> float:
    low, high = min(values), max(values)
    return start if high == low else start + (value - low) / (high - low) * (end - start)
