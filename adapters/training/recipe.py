"""How the shipped model is made: which rows teach which head, and how it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.fitting import Head, Penalty, fit_head, minimise
from adapters.training.matrix import Floats, Matrix, to_matrix
from adapters.training.synthetic import Level, draw
from adapters.training.tables import Outcome, read_outcomes
from bot.difficulty.weights import Weights

VERSION: Final = "local-2026.11.3"
EXAMS: Final = ("llmrouter_nim9", "mmlu_pro_nonmmlu", "zeroeval_math_l5")
EVERYDAY: Final = ("casual_unlabelled",)
ENGLISH: Final = 10_000
PER_LANGUAGE: Final = 300

FLOOR: Final = -6.0
CEILING: Final = 2.0
BLEND: Final = 1.0
SERIOUS_PENALTY: Final = Penalty(signals=1e-5, grams=5e-6)
NEED_PENALTY: Final = Penalty(signals=3e-4, grams=3e-5)

# How much each group counts in all when the heads are fitted.
SERIOUS_SHARES: Final = {
    "clinc150": 4.0, "chitchat_byu": 3.0, "llmrouter_nim9": 1.5, "mmlu_pro": 1.5,
    "zeroeval_math_l5": 0.5, "hard.en": 5.0, "hard.other": 2.0, "everyday.en": 5.0,
    "everyday.other": 2.0, "light.en": 1.0, "light.other": 0.3,
}  # fmt: skip
NEED_SHARES: Final = {
    "llmrouter_nim9": 4.0, "mmlu_pro": 3.0, "zeroeval_math_l5": 1.0, "clinc150": 0.7,
    "chitchat_byu": 0.3,
}  # fmt: skip
MEASURED: Final = ("llmrouter_nim9", "mmlu_pro", "zeroeval_math_l5", "clinc150", "chitchat_byu")
CALIBRATION_SHARES: Final = {
    "llmrouter_nim9": 1.0, "mmlu_pro": 1.0, "zeroeval_math_l5": 0.5, "clinc150": 1.5,
    "chitchat_byu": 1.0, "everyday.en": 1.0, "everyday.other": 0.5, "light.en": 1.0,
    "light.other": 0.3, "hard.en": 1.5, "hard.other": 0.7,
}  # fmt: skip
# Nobody measured models on the synthetic prompts, so how often each tier satisfies is assumed.
ASSUMED: Final = {
    Level.EVERYDAY: (0.99, 0.995, 0.998),
    Level.LIGHT: (0.97, 0.99, 0.995),
    Level.HARD: (0.5, 0.7, 0.9),
}
FAMILY_FOLDS: Final = 2
# What the synthetic prompts teach the first head. Nobody measured models on them, and guesses
# made the second head worse on exams that it had not seen.
LEVELS: Final = {Level.EVERYDAY: 0.0, Level.LIGHT: 0.4, Level.HARD: 1.0}
# Here the weak model fails nearly all for its form, not for its wits: the middle one stands in.
_FORM: Final = frozenset({"mbpp", "human_eval"})
# Short lookups and small functions: neither everyday nor hard, so the first head skips them.
_BETWEEN: Final = frozenset({"natural_qa", "trivia_qa", "commonsense_qa", "openbook_qa", "mbpp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Every row there is to learn from; scores are NaN where no model answered."""

    prompts: Sequence[str]
    matrix: Matrix
    groups: NDArray[np.str_]
    families: NDArray[np.str_]
    serious: Floats
    """1 hard or exam, 0 everyday, NaN between."""
    need: Floats
    """How much a strong model is needed, from 0 to 1; NaN where no model answered."""
    scores: Floats
    """Shape (rows, 3): free, cheap, full, as measured; NaN where no model answered."""
    satisfied: Floats
    """The same as calibration takes it: of today's tiers, assumed where nothing was measured."""


def load_corpus(
    data: Path, seed: int, *, english: int = ENGLISH, per_language: int = PER_LANGUAGE
) -> Corpus:
    """Read `data`/train and draw the synthetic chat prompts; no prompt comes twice."""
    rows = [row for name in (*EXAMS, *EVERYDAY) for row in read_outcomes(_train(data, name))]
    known = {row.prompt: _to_known(row) for row in rows if row.prompt.strip()}
    for made in draw(seed=seed, per_language=per_language, english=english):
        language = "en" if ".en/" in made.family else "other"
        if made.text and made.text not in known:
            group = f"{made.level}.{language}"
            scores, satisfied = (np.nan,) * 3, ASSUMED[made.level]
            known[made.text] = (
                group, made.family, LEVELS[made.level], np.nan, scores, satisfied
            )  # fmt: skip
    groups, families, serious, need, measured, taken = zip(*known.values(), strict=True)
    prompts = list(known)
    return Corpus(
        prompts=prompts,
        matrix=to_matrix(prompts),
        groups=np.array(groups),
        families=np.array(families),
        serious=np.array(serious, dtype=np.float64),
        need=np.array(need, dtype=np.float64),
        scores=np.array(measured, dtype=np.float64),
        satisfied=np.array(taken, dtype=np.float64),
    )


def _train(data: Path, name: str) -> Path:
    return data / "train" / f"{name}.parquet"


_Known = tuple[str, str, float, float, tuple[float, ...], tuple[float, ...]]


def _to_known(row: Outcome) -> _Known:
    is_everyday = row.source in ("clinc150", "chitchat_byu")
    label = np.nan if row.task in _BETWEEN else 0.0 if is_everyday else 1.0
    weak = row.cheap if row.task in _FORM else row.free
    scores = row.free, row.cheap, row.full
    family = f"{row.source}/{row.task}"
    return row.source, family, label, to_need(weak, row.full), scores, to_today(*scores)


def to_today(free: float, cheap: float, full: float) -> tuple[float, float, float]:
    """What today's tiers would have scored where older models were measured.

    Today's free tiers are models of the size that was measured as the cheap tier, today's cheap
    ones score as the strongest measured, and a frontier model is taken to get half of what that
    one failed. The last is an assumption.
    """
    free = max(free, cheap)
    cheap = max(free, full)
    return free, cheap, (1 + cheap) / 2


def fit_heads(corpus: Corpus, keep: NDArray[np.bool_]) -> tuple[Head, Head]:
    """Fit both heads on the rows where `keep` is true."""
    serious = corpus.serious
    first = _fit(corpus, keep & ~np.isnan(serious), serious, SERIOUS_SHARES, SERIOUS_PENALTY)
    scored = keep & ~np.isnan(corpus.need)
    return first, _fit(corpus, scored, corpus.need, NEED_SHARES, NEED_PENALTY)


def to_need(free: float, full: float) -> float:
    """How much the strong model is needed: half "the weak one fails", half what is gained."""
    return 0.5 * (1 - free) + 0.5 * max(0.0, full - free)


def _fit(
    corpus: Corpus,
    keep: NDArray[np.bool_],
    labels: Floats,
    shares: dict[str, float],
    penalty: Penalty,
) -> Head:
    weights = to_weights(corpus.groups[keep], shares)
    return fit_head(corpus.matrix.take(keep), labels[keep], weights, penalty)


def to_weights(groups: NDArray[np.str_], shares: dict[str, float]) -> Floats:
    """Give each group its share, spread evenly over its rows; unnamed groups get nothing."""
    weights = np.zeros(len(groups))
    for group, share in shares.items():
        members = groups == group
        if members.any():
            weights[members] = share / members.sum()
    return weights


def join(first: Floats, second: Floats) -> Floats:
    """Join both heads' log-odds into one difficulty, as `Weights.to_difficulty` does."""
    joined: Floats = np.clip(first, FLOOR, CEILING) + BLEND * np.clip(second, -3, 3)
    return joined


def to_held_out(corpus: Corpus) -> Floats:
    """Return the difficulty of each row, judged by heads that never saw its source or family."""
    difficulty = np.full(len(corpus.groups), np.nan)
    made = sorted(set(corpus.families[~np.isin(corpus.groups, MEASURED)].tolist()))
    unseen = [
        *(corpus.groups == source for source in MEASURED),
        *(np.isin(corpus.families, made[fold::FAMILY_FOLDS]) for fold in range(FAMILY_FOLDS)),
    ]
    for members in unseen:
        if members.any():
            first, second = fit_heads(corpus, ~members)
            rows = corpus.matrix.take(members)
            difficulty[members] = join(first.score(rows), second.score(rows))
    return difficulty


def calibrate(difficulty: Floats, scores: Floats, weights: Floats) -> tuple[float, Floats]:
    """Fit one slope and a rising offset per tier, so that the probabilities are true."""
    share = weights / weights.sum()

    def objective(point: Floats) -> tuple[float, Floats]:
        logits = point[1:] - point[0] * difficulty[:, None]
        loss = float((share[:, None] * (np.logaddexp(0, logits) - scores * logits)).sum())
        error = share[:, None] * (1 / (1 + np.exp(-logits)) - scores)
        slope = -(error.sum(axis=1) * difficulty).sum()
        return loss, np.concatenate(([slope], error.sum(axis=0)))

    point = minimise(objective, np.array([1.0, 0.0, 0.5, 1.0]), steps=200)
    return float(point[0]), np.maximum.accumulate(point[1:])


def make_weights(corpus: Corpus) -> tuple[Weights, Floats]:
    """Fit, calibrate on what was held out, round; also return the held-out difficulties."""
    held_out = to_held_out(corpus)
    shares = to_weights(corpus.groups, CALIBRATION_SHARES)
    slope, offsets = calibrate(held_out, corpus.satisfied, shares)
    first, second = fit_heads(corpus, np.ones(len(corpus.groups), dtype=np.bool_))
    weights = Weights(
        version=VERSION,
        signals=np.stack((first.signals, second.signals), axis=1).astype(np.float32),
        grams=np.stack((first.grams, second.grams)).astype(np.float16).astype(np.float32),
        bias=(round(first.bias, 6), round(second.bias, 6)),
        floor=FLOOR,
        ceiling=CEILING,
        blend=BLEND,
        slope=round(slope, 6),
        offsets=(
            round(float(offsets[0]), 6),
            round(float(offsets[1]), 6),
            round(float(offsets[2]), 6),
        ),
    )
    return weights, held_out
