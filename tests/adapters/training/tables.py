"""A folder of tiny outcome tables, in the columns of the real ones."""

from pathlib import Path

import duckdb

TRAINING = {
    "llmrouter_nim9": "llmrouter_nim9",
    "mmlu_pro_nonmmlu": "mmlu_pro",
    "zeroeval_math_l5": "zeroeval_math_l5",
    "casual_unlabelled": "clinc150",
}
BENCHMARKS = {name: f"routellm_{name}" for name in ("mtbench", "mmlu", "gsm8k")}


def make_data(folder: Path, rows: int = 24) -> Path:
    """Write train/ and eval/ tables whose harder half is longer; every eighth row is set aside."""
    for name, source in TRAINING.items():
        has_scores = source != "clinc150"
        _write(folder / "train" / f"{name}.parquet", source, rows, has_scores=has_scores)
    for source in BENCHMARKS.values():
        _write(folder / "eval" / f"{source}.parquet", source, rows, has_scores=True)
    return folder


def _write(path: Path, source: str, rows: int, *, has_scores: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    weak = "CASE WHEN i % 2 = 0 THEN 1.0 ELSE 0.0 END" if has_scores else "NULL::DOUBLE"
    strong = "1.0" if has_scores else "NULL::DOUBLE"
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (
                SELECT '{source} question ' || i ||
                    CASE WHEN i % 2 = 0 THEN ' what is it' ELSE
                    ' prove every step of the long theorem in detail' END AS prompt,
                    '{source}' AS source, 'task' AS task,
                    {weak} AS weak_score, {strong} AS strong_score, i = 3 AS contaminated,
                    CASE WHEN i % 8 = 0 THEN 'val' ELSE 'train' END AS split
                FROM range({rows}) AS t(i)
            ) TO '{path}' (FORMAT parquet)"""
        )
