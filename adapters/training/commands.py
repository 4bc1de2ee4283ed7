"""What `parley train` and `parley eval` do, as plain functions of paths and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from adapters.training.dial import DialStep, to_steps
from adapters.training.matrix import Floats
from adapters.training.metrics import to_apgr, to_calibration_error
from adapters.training.recipe import (
    MEASURED,
    Corpus,
    load_corpus,
    make_weights,
    to_cross_validated,
)
from bot.difficulty.weights import Weights

DEFAULT_SEED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """How a source was judged by heads that never saw it."""

    source: str
    rows: int
    apgr: float | None
    """None for everyday prompts, where nothing is gained by a stronger model."""
    apgr_of_a_third: float | None
    """The same by heads that saw the other two thirds of the source."""
    calibration_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What training did."""

    version: str
    prompts: int
    size_bytes: int
    sources: tuple[SourceFigures, ...]
    dial: tuple[DialStep, ...]
    """Each step on the sources' prompts, judged by heads that never saw the source."""


def train(data: Path, out: Path, seed: int = DEFAULT_SEED) -> Report:
    """Train on `data`/train, write the model file to `out`, and report the held-out figures."""
    corpus = load_corpus(data, seed)
    weights, held_out = make_weights(corpus)
    within = to_cross_validated(corpus)
    written = weights.to_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(written)
    return Report(
        version=weights.version,
        prompts=len(corpus.prompts),
        size_bytes=len(written),
        sources=tuple(
            _to_figures(source, corpus, (held_out, within), weights)
            for source in MEASURED
            if source in corpus.groups
        ),
        dial=_to_dial(corpus, held_out, weights),
    )


def _to_dial(corpus: Corpus, held_out: Floats, weights: Weights) -> tuple[DialStep, ...]:
    scored = np.isin(corpus.groups, MEASURED)
    chances = np.array([weights.to_probabilities(d) for d in held_out[scored].tolist()])
    return to_steps(chances, corpus.satisfied[scored], corpus.serious[scored] != 0)


def _to_figures(
    source: str, corpus: Corpus, judged: tuple[Floats, Floats], weights: Weights
) -> SourceFigures:
    """`judged`: by heads that saw nothing of the source, and by heads that saw two thirds."""
    members = corpus.groups == source
    difficulty, within = (by[members] for by in judged)
    free, full = corpus.scores[members, 0], corpus.scores[members, 2]
    chances = np.array([weights.to_probabilities(d)[0] for d in difficulty.tolist()])
    satisfied = corpus.satisfied[members, 0]
    has_gap = bool((full != free).any())
    return SourceFigures(
        source=source,
        rows=int(members.sum()),
        apgr=to_apgr(difficulty, free, full) if has_gap else None,
        apgr_of_a_third=to_apgr(within, free, full) if has_gap else None,
        calibration_error=to_calibration_error(chances, satisfied),
    )
