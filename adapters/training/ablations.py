"""What each part of the model is worth: leave it out, and measure on what was never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.matrix import Floats, Matrix
from adapters.training.metrics import to_apgr, to_recall
from adapters.training.recipe import EXAM_SOURCES, Corpus, fit_heads, join

FAMILY_FOLDS: Final = 3
VARIANTS: Final = ("everything", "signals only", "grams only", "no light prompts")
_CHAT: Final = ("hard.en", "hard.other", "everyday.en", "everyday.other")
_LIGHT: Final = ("light.en", "light.other")


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationFigures:
    """One variant: exam sources and chat families that its heads had never seen."""

    variant: str
    apgr: tuple[float, ...]
    """On each exam source, left out."""
    recall_at_1: float
    recall_at_5: float
    """Hard families found at the level that 1 % and 5 % of unseen everyday families exceed."""


def ablate(corpus: Corpus, variants: Sequence[str] = VARIANTS) -> Iterator[AblationFigures]:
    """Measure each variant; takes minutes."""
    for variant in variants:
        changed = replace(corpus, matrix=_without(corpus.matrix, variant))
        allowed = np.ones(len(corpus.groups), dtype=np.bool_)
        if variant == "no light prompts":
            allowed = ~np.isin(corpus.groups, _LIGHT)
        everyday, hard = _judge_families(changed, allowed)
        yield AblationFigures(
            variant=variant,
            apgr=tuple(_judge_source(changed, source, allowed) for source in EXAM_SOURCES),
            recall_at_1=to_recall(everyday, hard, 0.01),
            recall_at_5=to_recall(everyday, hard, 0.05),
        )


def _without(matrix: Matrix, variant: str) -> Matrix:
    if variant == "signals only":
        # One gram per row, the same for all, which a bias already explains.
        rows = len(matrix.counts)
        return replace(
            matrix, buckets=np.zeros(rows, dtype=np.intp), counts=np.ones(rows, dtype=np.intp)
        )
    if variant == "grams only":
        return replace(matrix, signals=np.zeros_like(matrix.signals))
    return matrix


def _is_chat(corpus: Corpus) -> NDArray[np.bool_]:
    return np.isin(corpus.groups, _CHAT)


def _judge_source(corpus: Corpus, source: str, allowed: NDArray[np.bool_]) -> float:
    members = corpus.groups == source
    first, second = fit_heads(corpus, allowed & ~members)
    rows = corpus.matrix.take(members)
    scores = corpus.scores[members]
    difficulty = join(first.score(rows), second.score(rows))
    return to_apgr(difficulty, scores[:, 0], scores[:, 2])


def _judge_families(corpus: Corpus, allowed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Judge each everyday or hard family by heads that never saw it."""
    families = sorted(set(corpus.families[_is_chat(corpus)].tolist()))
    judged_as = np.full(len(corpus.groups), np.nan)
    for fold in range(FAMILY_FOLDS):
        members = np.isin(corpus.families, families[fold::FAMILY_FOLDS])
        first, second = fit_heads(corpus, allowed & ~members)
        rows = corpus.matrix.take(members)
        judged_as[members] = join(first.score(rows), second.score(rows))
    judged = ~np.isnan(judged_as)
    is_hard = corpus.serious == 1.0
    return judged_as[judged & ~is_hard], judged_as[judged & is_hard]
