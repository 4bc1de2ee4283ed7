"""Reads outcome tables (parquet): per prompt, how well a weak and a strong model answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MIDDLE_MODELS: Final = {
    "llmrouter_nim9": "m:llama-3.1-8b-instruct",
    "mmlu_pro": "m:Meta-Llama-3_1-70B-Instruct",
    "zeroeval_math_l5": "m:Meta-Llama-3.1-70B-Instruct",
}
"""Which model stands for the cheap tier in each source; all lie between its weak and strong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One prompt and the scores, 0 to 1, of the models that stand for the three tiers."""

    prompt: str
    source: str
    task: str
    free: float
    cheap: float
    full: float
    is_held_out: bool = False
    """Set aside by the table itself, in its column `split`: for reporting only."""


def read_outcomes(path: Path) -> list[Outcome]:
    """Read one table; rows without scores are everyday prompts that every tier answers well."""
    columns, rows = _read(path)
    place = {name: i for i, name in enumerate(columns)}
    outcomes = []
    for row in rows:
        if "contaminated" in place and row[place["contaminated"]]:
            continue
        weak, strong = row[place["weak_score"]], row[place["strong_score"]]
        middle = _to_middle(row, place, weak, strong)
        outcomes.append(
            Outcome(
                prompt=row[place["prompt"]],
                source=row[place["source"]],
                task=row[place["task"]],
                free=1.0 if weak is None else float(weak),
                cheap=middle,
                full=1.0 if strong is None else float(strong),
                is_held_out="split" in place and row[place["split"]] == "val",
            )
        )
    return outcomes


def _to_middle(
    row: tuple[Any, ...], place: dict[str, int], weak: float | None, strong: float | None
) -> float:
    if weak is None or strong is None:
        return 1.0
    column = place.get(MIDDLE_MODELS.get(row[place["source"]], ""))
    score = None if column is None else row[column]
    return (float(weak) + float(strong)) / 2 if score is None else float(score)


def _read(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    import duckdb  # a development dependency, and slow to import: only who reads tables pays

    if not path.is_file():
        raise FileNotFoundError(
            f"There is no outcome table at {path}. Name the folder that holds train/ and eval/."
        )
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(path))
        return list(found.columns), found.fetchall()
