"""Training end to end on tiny tables: the same seed gives the same bytes."""

from pathlib import Path

import numpy as np
import pytest

from adapters.training.recipe import Corpus, calibrate, load_corpus, make_weights, to_need
from bot.difficulty import LocalEstimator
from tests.adapters.training.tables import make_data


def _load(folder: Path, seed: int = 5) -> Corpus:
    return load_corpus(make_data(folder), seed, english=60, per_language=2)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, _ = make_weights(_load(tmp_path / "a"))
    second, _ = make_weights(_load(tmp_path / "b"))
    assert first.to_bytes() == second.to_bytes()


def test_a_trained_model_tells_hard_from_everyday(tmp_path: Path) -> None:
    weights, held_out = make_weights(_load(tmp_path))
    local = LocalEstimator.from_bytes(weights.to_bytes())
    assert not np.isnan(held_out).all()
    hard = "prove every step of the long theorem in detail"
    assert local.to_difficulty(hard) > local.to_difficulty("what is it")


def test_no_prompt_comes_twice(tmp_path: Path) -> None:
    corpus = _load(tmp_path)
    assert len(set(corpus.prompts)) == len(corpus.prompts)
    assert len(corpus.prompts) == len(corpus.matrix.counts)


def test_little_is_needed_where_the_strong_model_fails_no_less() -> None:
    assert to_need(1.0, 1.0) == 0.0
    assert to_need(1.0, 0.0) == 0.0
    assert to_need(0.0, 0.0) == 0.5
    assert to_need(0.0, 1.0) == 1.0


def test_calibration_finds_the_true_probabilities() -> None:
    chance = np.random.default_rng(3)
    difficulty = chance.uniform(-3, 3, 4000)
    true = 1 / (1 + np.exp(1.5 * difficulty[:, None] - np.array([0.0, 1.0, 2.0])))
    scores = (chance.random(true.shape) < true).astype(float)
    slope, offsets = calibrate(difficulty, scores, np.ones(4000))
    assert slope == pytest.approx(1.5, abs=0.15)
    assert offsets.tolist() == pytest.approx([0.0, 1.0, 2.0], abs=0.2)
