"""Ablations on tiny tables: what is left out is really gone, and every figure is a share."""

from pathlib import Path

from adapters.training.ablations import ablate
from adapters.training.recipe import EXAM_SOURCES, load_corpus
from adapters.training.report import to_ablation_table
from tests.adapters.training.tables import make_data


def test_measures_a_variant_on_what_it_never_saw(tmp_path: Path) -> None:
    corpus = load_corpus(make_data(tmp_path), 5, english=40, per_language=1)
    figures, without = ablate(corpus, ("signals only", "no light prompts"))
    assert figures.variant == "signals only"
    assert len(figures.apgr) == len(EXAM_SOURCES)
    assert 0 <= figures.recall_at_1 <= figures.recall_at_5 <= 1
    assert "| no light prompts |" in to_ablation_table([without])
