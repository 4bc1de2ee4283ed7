"""`parley route --jsonl`, `parley train` and `parley eval`: the router by the thousand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from adapters.training.ablations import ablate
from adapters.training.commands import DEFAULT_SEED
from adapters.training.commands import train as fit
from adapters.training.dial import choose, to_dial
from adapters.training.evaluation import Evaluation
from adapters.training.evaluation import evaluate as measure
from adapters.training.recipe import load_corpus
from adapters.training.report import (
    to_ablation_table,
    to_dial_table,
    to_plot,
    to_tables,
    to_training_table,
)
from adapters.training.scoring import score_jsonl
from adapters.training.shipped import read_shipped_model
from bot.difficulty import Estimator, LocalEstimator
from bot.errors import ConfigurationError

_T = TypeVar("_T")
_NO_TABLES = (
    "There are no benchmark tables in {folder} ({fault}). Name the folder that holds train/ and "
    "eval/ with --data; docs/routing.md says what they are."
)


def route_file(estimator: Estimator, path: str, dial: int) -> int:
    """Judge the prompts of a file of JSON lines, `-` for standard input; returns the exit code."""
    try:
        with nullcontext(sys.stdin) if path == "-" else open(path, encoding="utf-8") as lines:
            for line in score_jsonl(lines, estimator, lambda e: choose(e, dial)):
                sys.stdout.write(line + "\n")
    except BrokenPipeError:  # whoever reads this has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} can't be read: it is not text in UTF-8.") from error
    return 0


def train(data: Path, out: Path, seed: int) -> int:
    """Train on the tables in `data` and write the model file; returns the exit code."""
    sys.stdout.write(to_training_table(_with_tables(data, lambda: fit(data, out, seed))))
    sys.stderr.write(f"Written to {out}.\n")
    return 0


def evaluate(
    data: Path,
    model: Path | None,
    *,
    with_dial: bool,
    plot: Path | None,
    with_ablations: bool = False,
) -> int:
    """Measure a model file, the shipped one by default; returns the exit code.

    The ablations train anew without a part each time, which takes many minutes.
    """
    if with_ablations:
        return _show_ablations(data)
    content = model.read_bytes() if model is not None else read_shipped_model()
    if with_dial:
        estimator = LocalEstimator.from_bytes(content)
        steps = _with_tables(data, lambda: to_dial(data, estimator))
        sys.stdout.write(to_dial_table(steps))
        if plot is not None:
            plot.write_text(to_plot(steps), encoding="utf-8")
        return 0
    sys.stdout.write(to_tables(_with_tables(data, lambda: _measure(data, content))))
    return 0


def _show_ablations(data: Path) -> int:
    corpus = _with_tables(data, lambda: load_corpus(data, DEFAULT_SEED))
    sys.stdout.write(to_ablation_table(ablate(corpus)))
    return 0


def _measure(data: Path, content: bytes) -> Evaluation:
    from adapters.llm.complexity import make_complexity_judge  # seconds; only this needs it

    return measure(data, content, {"LiteLLM complexity router": make_complexity_judge()})


def _with_tables(data: Path, work: Callable[[], _T]) -> _T:
    """Do what needs the tables and the library that reads them; raises ConfigurationError."""
    try:
        return work()
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is not installed; it comes with the development tools. "
            "Run this in a full install: PARLEY_INSTALL=full ./parley train"
        ) from error
    except OSError as error:
        raise ConfigurationError(_NO_TABLES.format(folder=data, fault=error)) from error
