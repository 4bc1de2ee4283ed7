"""The model file: read back as written, refused in words when it does not fit."""

import numpy as np
import pytest

from bot.difficulty import LocalEstimator
from bot.difficulty.weights import MAGIC, read_weights
from tests.unit.difficulty.models import make_weights


def test_reads_back_what_was_written() -> None:
    weights = make_weights()
    read = read_weights(weights.to_bytes())
    assert read.to_bytes() == weights.to_bytes()
    assert read.version == "local-test"
    assert np.array_equal(read.signals, weights.signals)


def test_refuses_a_file_that_is_no_model() -> None:
    with pytest.raises(ValueError, match="not a Parley difficulty model"):
        LocalEstimator.from_bytes(b"\x89PNG...")


def test_refuses_a_damaged_head() -> None:
    with pytest.raises(ValueError, match="damaged"):
        read_weights(MAGIC + (4).to_bytes(4, "little") + b"{}}}")


def test_refuses_a_file_that_was_cut_off() -> None:
    with pytest.raises(ValueError, match="damaged"):
        read_weights(make_weights().to_bytes()[:-100])


def test_refuses_a_model_made_for_other_signals() -> None:
    data = make_weights().to_bytes().replace(b'"very_long"', b'"very_fast"')
    with pytest.raises(ValueError, match="another version"):
        read_weights(data)


@pytest.mark.parametrize("difficulty", [-1e9, -3.0, 0.0, 3.0, 1e9])
def test_probabilities_rise_with_the_tier(difficulty: float) -> None:
    free, cheap, full = make_weights().to_probabilities(difficulty)
    assert 0 <= free <= cheap <= full <= 1
