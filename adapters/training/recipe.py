"""How the shipped model is made: which rows teach which head, and how it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.fitting import Head, Penalty, fit_head, minimise
from adapters.training.matrix import Floats, Matrix, to_matrix
from adapters.training.synthetic import Level, draw
from adapters.training.tables import Outcome, read_outcomes
from bot.difficulty.signals import INDEX
from bot.difficulty.weights import Weights

VERSION: Final = "local-2026.11.4"
EXAMS: Final = ("llmrouter_nim9", "mmlu_pro_nonmmlu", "zeroeval_math_l5")
EVERYDAY: Final = ("casual_unlabelled",)
ENGLISH: Final = 10_000
PER_LANGUAGE: Final = 300

FLOOR: Final = -6.0
CEILING: Final = 2.0
BLEND: Final = 0.75
SERIOUS_PENALTY: Final = Penalty(signals=1e-4, grams=5e-6)
NEED_PENALTY: Final = Penalty(signals=1e-3, grams=1e-4)
GAIN_SHARE: Final = 0.5

# How much each group counts in all when the heads are fitted.
SERIOUS_SHARES: Final = {
    "clinc150": 4.0, "chitchat_byu": 3.0, "llmrouter_nim9": 1.5, "mmlu_pro": 1.5,
    "zeroeval_math_l5": 0.5, "hard.en": 5.0, "hard.other": 2.0, "everyday.en": 5.0,
    "everyday.other": 2.0, "light.en": 1.0, "light.other": 0.3,
}  # fmt: skip
NEED_SHARES: Final = {
    "llmrouter_nim9": 4.0, "mmlu_pro": 3.0, "zeroeval_math_l5": 1.0, "clinc150": 0.7,
    "chitchat_byu": 0.3, "hard.en": 0.35, "hard.other": 0.15, "light.en": 0.25,
    "light.other": 0.08, "everyday.en": 0.15, "everyday.other": 0.08,
}  # fmt: skip
EXAM_SOURCES: Final = ("llmrouter_nim9", "mmlu_pro", "zeroeval_math_l5")
EVERYDAY_SOURCES: Final = ("clinc150", "chitchat_byu")
MEASURED: Final = (*EXAM_SOURCES, *EVERYDAY_SOURCES)
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
PROMPT_FOLDS: Final = 3
# What the synthetic prompts teach the first head, and a little of the second. Nobody measured
# models on them; so much of a guess made the second head better on exams that it had not seen.
LEVELS: Final = {Level.EVERYDAY: 0.0, Level.LIGHT: 0.4, Level.HARD: 1.0}
NEEDS: Final = {Level.EVERYDAY: 0.02, Level.LIGHT: 0.1, Level.HARD: 0.5}
# Here the weak model, alone of nine, fails nearly all for its form: the middle one counts as well.
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
    """How much a strong model is needed, from 0 to 1; assumed where no model answered."""
    scores: Floats
    """Shape (rows, 3): free, cheap, full, as measured; NaN where no model answered."""
    satisfied: Floats
    """The same as calibration takes it: of today's tiers, assumed where nothing was measured."""


def load_corpus(
    data: Path, seed: int, *, english: int = ENGLISH, per_language: int = PER_LANGUAGE
) -> Corpus:
    """Read `data`/train and draw the synthetic chat prompts; no prompt comes twice."""
    rows = [row for name in (*EXAMS, *EVERYDAY) for row in read_outcomes(_train(data, name))]
    used = (row for row in rows if row.prompt.strip() and not row.is_held_out)
    known = {row.prompt: _to_known(row) for row in used}
    for made in draw(seed=seed, per_language=per_language, english=english):
        language = "en" if ".en/" in made.family else "other"
        if made.text and made.text not in known:
            group = f"{made.level}.{language}"
            scores, satisfied = (np.nan,) * 3, ASSUMED[made.level]
            known[made.text] = (
                group, made.family, LEVELS[made.level], NEEDS[made.level], scores, satisfied
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
    is_everyday = row.source in EVERYDAY_SOURCES
    label = np.nan if row.task in _BETWEEN else 0.0 if is_everyday else 1.0
    scores = row.free, row.cheap, row.full
    weak = (row.free + row.cheap) / 2 if row.task in _FORM else row.free
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
    second = _fit(corpus, scored, corpus.need, NEED_SHARES, NEED_PENALTY)
    return first, _with_length(second, corpus, scored)


def to_need(free: float, full: float) -> float:
    """How much the strong model is needed: half what is gained, half "the weak one fails"."""
    return GAIN_SHARE * max(0.0, full - free) + (1 - GAIN_SHARE) * (1 - free)


def _with_length(head: Head, corpus: Corpus, keep: NDArray[np.bool_]) -> Head:
    """Let length weigh as it does within a task; a prompt of mean length stays where it was."""
    slope = to_length_slope(corpus, keep)
    place = INDEX["length"]
    signals = head.signals.copy()
    signals[place] += slope
    mean = float(corpus.matrix.signals[keep, place].mean())
    return replace(head, signals=signals, bias=head.bias - slope * mean)


def to_length_slope(corpus: Corpus, keep: NDArray[np.bool_]) -> float:
    """How much likelier the weak model fails a longer prompt *of the same task*, in log-odds.

    Between tasks length says other things (a long question of a quiz, a short theorem), which the
    head has learned by then. Per unit of the signal `length`; 0 where no task was measured.
    """
    exams = keep & np.isin(corpus.groups, EXAM_SOURCES)
    _, tasks = np.unique(corpus.families[exams], return_inverse=True)
    length = _within(corpus.matrix.signals[exams, INDEX["length"]], tasks)
    failed = _within(1 - corpus.scores[exams, 0], tasks)
    spread = float((length * length).sum() * (failed * failed).sum())
    return len(tasks) * float((length * failed).sum()) / spread if spread else 0.0


def _within(values: Floats, tasks: NDArray[np.intp]) -> Floats:
    """Return each value less the mean of its task."""
    sums = np.bincount(tasks, weights=values)
    counts = np.bincount(tasks)
    centred: Floats = values - (sums / np.maximum(counts, 1))[tasks]
    return centred


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
    made = sorted(set(corpus.families[~np.isin(corpus.groups, MEASURED)].tolist()))
    return _judge_apart(
        corpus,
        [
            *(corpus.groups == source for source in MEASURED),
            *(np.isin(corpus.families, made[fold::FAMILY_FOLDS]) for fold in range(FAMILY_FOLDS)),
        ],
    )


def to_cross_validated(corpus: Corpus) -> Floats:
    """Return the difficulty of each exam row, judged by heads that saw others of its source."""
    exams = np.isin(corpus.groups, EXAM_SOURCES)
    fold = np.arange(len(exams)) % PROMPT_FOLDS
    return _judge_apart(corpus, [exams & (fold == number) for number in range(PROMPT_FOLDS)])


def _judge_apart(corpus: Corpus, parts: Sequence[NDArray[np.bool_]]) -> Floats:
    """Judge each part by heads fitted without it; NaN for rows of no part."""
    difficulty = np.full(len(corpus.groups), np.nan)
    for members in parts:
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
