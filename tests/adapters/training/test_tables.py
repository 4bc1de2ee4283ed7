"""Outcome tables: read whole, contaminated rows dropped, faults told in words."""

from pathlib import Path

import pytest

from adapters.training.tables import read_outcomes
from tests.adapters.training.tables import make_data


def test_drops_contaminated_rows(tmp_path: Path) -> None:
    rows = read_outcomes(make_data(tmp_path) / "eval" / "routellm_mmlu.parquet")
    assert len(rows) == 23
    assert not any(row.prompt.startswith("routellm_mmlu question 3 ") for row in rows)


def test_everyday_prompts_satisfy_every_tier(tmp_path: Path) -> None:
    rows = read_outcomes(make_data(tmp_path) / "train" / "casual_unlabelled.parquet")
    assert {(row.free, row.cheap, row.full) for row in rows} == {(1.0, 1.0, 1.0)}


def test_the_cheap_tier_lies_between_where_no_model_stands_for_it(tmp_path: Path) -> None:
    rows = read_outcomes(make_data(tmp_path) / "eval" / "routellm_mmlu.parquet")
    assert {(row.free, row.cheap, row.full) for row in rows} == {(0.0, 0.5, 1.0), (1.0, 1.0, 1.0)}


def test_says_which_table_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no outcome table at"):
        read_outcomes(tmp_path / "train" / "nothing.parquet")
