"""Measures routers on public outcome tables that no router here was trained on."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.training.matrix import Floats
from adapters.training.metrics import (
    Interval,
    to_apgr,
    to_auc,
    to_calibration,
    to_calibration_error,
    to_cpt,
    to_interval,
    to_recall,
)
from adapters.training.synthetic import load_unseen
from adapters.training.tables import Outcome, read_outcomes
from bot.difficulty import Estimator, LocalEstimator, RulesEstimator
from bot.difficulty.signals import INDEX, to_signals

BENCHMARKS: Final = ("mtbench", "mmlu", "gsm8k")
PUBLISHED: Final = (
    ("RouteLLM matrix factorisation", 0.802, 0.597, 0.565),
    ("RouteLLM similarity-weighted", 0.759, 0.603, 0.568),
    ("RouteLLM causal LLM 8B", 0.679, 0.600, 0.622),
)
"""APGR on MT-Bench, MMLU, GSM8K as printed in arXiv 2406.18665, same prompts and answers."""
EVERYDAY: Final = "casual_unlabelled"
Judge = Callable[[str], float]
Chat = tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkFigures:
    """One router on one benchmark."""

    benchmark: str
    rows: int
    apgr: Interval
    auc: Interval
    cpt50: float
    cpt80: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterFigures:
    """One router on every benchmark."""

    router: str
    benchmarks: tuple[BenchmarkFigures, ...]
    recall_at_1: float
    """Share of hard chat prompts above all but 1 % of everyday ones; trained on neither."""
    recall_at_5: float

    @property
    def mean(self) -> float:
        """Mean APGR."""
        return sum(b.apgr.value for b in self.benchmarks) / len(self.benchmarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """CPU of one decision, and memory that the model holds."""

    p50_us: float
    p99_us: float
    first_us: float
    extra_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """All that `parley eval` shows."""

    version: str
    routers: tuple[RouterFigures, ...]
    calibration: tuple[tuple[float, float, int], ...]
    """Per tenth of the benchmark prompts: mean p_free, mean score of the weak model, rows."""
    calibration_error: float
    speed: Speed


def evaluate(data: Path, model: bytes, others: Mapping[str, Judge], *, seed: int = 1) -> Evaluation:
    """Measure the model file beside length, keywords, rules and `others` on `data`/eval."""
    tables = {name: read_outcomes(_eval(data, name)) for name in BENCHMARKS}
    local = LocalEstimator.from_bytes(model)
    judges: dict[str, Judge] = {
        local.version: local.to_difficulty,
        RulesEstimator.version: lambda prompt: -RulesEstimator().estimate(prompt).p_free,
        "length": lambda prompt: float(len(prompt)),
        "keywords": lambda prompt: float(to_signals(prompt)[INDEX["hard_mix"]]),
        **others,
    }
    chat = _to_chat(data)
    rows = [row for table in tables.values() for row in table]
    chances = np.array([local.estimate(row.prompt).p_free for row in rows])
    scores = np.array([row.free for row in rows])
    return Evaluation(
        version=local.version,
        routers=tuple(_measure(name, judge, tables, chat, seed) for name, judge in judges.items()),
        calibration=tuple(to_calibration(chances, scores)),
        calibration_error=to_calibration_error(chances, scores),
        speed=to_speed(model, [row.prompt for row in rows[:1000]]),
    )


def _eval(data: Path, name: str) -> Path:
    return data / "eval" / f"routellm_{name}.parquet"


def _measure(
    name: str, judge: Judge, tables: dict[str, list[Outcome]], chat: Chat, seed: int
) -> RouterFigures:
    figures = tuple(_measure_one(key, judge, table, seed) for key, table in tables.items())
    everyday, hard = chat
    judged = _judge_all(judge, everyday), _judge_all(judge, hard)
    return RouterFigures(
        router=name,
        benchmarks=figures,
        recall_at_1=to_recall(*judged, 0.01),
        recall_at_5=to_recall(*judged, 0.05),
    )


def _measure_one(key: str, judge: Judge, table: Sequence[Outcome], seed: int) -> BenchmarkFigures:
    difficulty = _judge_all(judge, [row.prompt for row in table])
    weak = np.array([row.free for row in table])
    strong = np.array([row.full for row in table])
    needed = strong > weak

    def apgr(rows: NDArray[np.intp]) -> float:
        return to_apgr(difficulty[rows], weak[rows], strong[rows])

    def auc(rows: NDArray[np.intp]) -> float:
        return to_auc(difficulty[rows], needed[rows])

    return BenchmarkFigures(
        benchmark=key,
        rows=len(table),
        apgr=to_interval(apgr, len(table), seed=seed),
        auc=to_interval(auc, len(table), seed=seed),
        cpt50=to_cpt(difficulty, weak, strong, 0.5),
        cpt80=to_cpt(difficulty, weak, strong, 0.8),
    )


def _judge_all(judge: Judge, prompts: Sequence[str]) -> Floats:
    return np.array([judge(prompt) for prompt in prompts])


def _to_chat(data: Path) -> Chat:
    """Everyday and hard chat prompts that no training sees."""
    kept = read_outcomes(data / "train" / f"{EVERYDAY}.parquet")
    everyday, hard = load_unseen()
    return [*(row.prompt for row in kept if row.is_held_out), *everyday], hard


def to_speed(model: bytes, prompts: Sequence[str], *, rounds: int = 3) -> Speed:
    """Time decisions by the process's own CPU clock, the first one after loading apart."""
    tracemalloc.start()
    estimator: Estimator = LocalEstimator.from_bytes(model)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    began = time.process_time_ns()
    estimator.estimate(prompts[0])
    first = time.process_time_ns() - began
    taken = []
    for prompt in list(prompts) * rounds:
        began = time.process_time_ns()
        estimator.estimate(prompt)
        taken.append(time.process_time_ns() - began)
    p50, p99 = np.quantile(np.array(taken) / 1000, (0.5, 0.99))
    return Speed(
        p50_us=float(p50), p99_us=float(p99), first_us=first / 1000, extra_mb=held / 1_000_000
    )
