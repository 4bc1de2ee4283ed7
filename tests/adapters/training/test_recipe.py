"""Training end to end on tiny tables: the same seed gives the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.training.recipe import (
    EXAM_SOURCES,
    Corpus,
    calibrate,
    load_corpus,
    make_weights,
    to_cross_validated,
    to_length_slope,
    to_need,
)
from adapters.training.synthetic import load_unseen
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


def test_a_longer_prompt_of_the_same_task_counts_as_harder(tmp_path: Path) -> None:
    corpus = _load(tmp_path)
    every = np.ones(len(corpus.prompts), dtype=np.bool_)
    assert to_length_slope(corpus, every) > 0


def test_that_one_task_is_longer_than_another_says_nothing(tmp_path: Path) -> None:
    corpus = _load(tmp_path)
    failed = corpus.scores[:, 0] == 0
    apart = np.where(failed, "llmrouter_nim9/long", "llmrouter_nim9/short")
    every = np.ones(len(failed), dtype=np.bool_)
    assert to_length_slope(replace(corpus, families=apart), every) == 0


def test_trains_on_nothing_that_is_set_aside(tmp_path: Path) -> None:
    corpus = load_corpus(make_data(tmp_path), 5, english=2_000, per_language=40)
    everyday, hard = load_unseen()
    assert not {*everyday, *hard} & set(corpus.prompts)
    assert "clinc150 question 4 what is it" in corpus.prompts
    assert "clinc150 question 8 what is it" not in corpus.prompts


def test_calibration_finds_the_true_probabilities() -> None:
    chance = np.random.default_rng(3)
    difficulty = chance.uniform(-3, 3, 4000)
    true = 1 / (1 + np.exp(1.5 * difficulty[:, None] - np.array([0.0, 1.0, 2.0])))
    scores = (chance.random(true.shape) < true).astype(float)
    slope, offsets = calibrate(difficulty, scores, np.ones(4000))
    assert slope == pytest.approx(1.5, abs=0.15)
    assert offsets.tolist() == pytest.approx([0.0, 1.0, 2.0], abs=0.2)


def test_every_exam_prompt_is_judged_by_heads_that_saw_others_of_its_source(tmp_path: Path) -> None:
    corpus = _load(tmp_path)
    judged = to_cross_validated(corpus)
    assert (~np.isnan(judged) == np.isin(corpus.groups, EXAM_SOURCES)).all()
