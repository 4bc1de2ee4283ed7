"""What is learned from opinions worth? A benchmark played as a workspace's traffic.

Run: python -m tests.bench.bench_learning --data FOLDER [--turns N]
FOLDER holds eval/routellm_mmlu.parquet (see docs/routing.md). Every prompt is answered by the free
tier; the benchmark says whether rightly. Measured on 3,000 prompts that were not played.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.training.metrics import to_apgr
from adapters.training.shipped import load_shipped_estimator
from adapters.training.tables import Outcome, read_outcomes
from bot.catalog import Tier
from bot.difficulty import Estimator
from bot.difficulty.learned import LearnedEstimator
from bot.difficulty.learning import RatedTurn, refit, weigh_silence

HELD_OUT = 3_000
SEED = 1


@dataclass(frozen=True, slots=True)
class People:
    """How often people react to a good and to a poor answer, and how often wrongly."""

    name: str
    praises: float
    complains: float
    errs: float = 0.1


PEOPLE = (
    People("thumbs on 3 % of turns, one in ten wrong", 0.03, 0.03),
    People("thumbs on 10 % of turns, one in ten wrong", 0.1, 0.1),
    People("complaints only: 5 % of poor answers", 0.0, 0.05),
    People("complaints only: 30 % of poor answers", 0.0, 0.3),
    People("every turn, right", 1.0, 1.0, 0.0),
)


def played(outcomes: Sequence[Outcome], people: People, base: Estimator) -> list[RatedTurn]:
    """The turns as they are rated: opinions, and silence for what it is worth."""
    dice = random.Random(SEED)
    opinions = [_opinion(outcome, people, dice) for outcome in outcomes]
    expected = sum(1 - base.estimate(outcome.prompt).p_free for outcome in outcomes)
    silence = weigh_silence(
        turns=len(opinions),
        praises=opinions.count(True),
        failures=opinions.count(False),
        expected_failures=expected,
    )
    return [
        RatedTurn(
            prompt=outcome.prompt,
            tier=Tier.FREE,
            is_content=opinion is not False,
            weight=silence if opinion is None else 1.0,
            is_marked=opinion is not None,
        )
        for outcome, opinion in zip(outcomes, opinions, strict=True)
    ]


def _opinion(outcome: Outcome, people: People, dice: random.Random) -> bool | None:
    is_good = outcome.free >= 0.5
    if dice.random() >= (people.praises if is_good else people.complains):
        return None
    return is_good != (dice.random() < people.errs)


def measured(estimator: Estimator, held_out: Sequence[Outcome]) -> tuple[float, float, float]:
    """Log loss, APGR and the mean probability of the free tier."""
    chances = np.array([estimator.estimate(o.prompt).p_free for o in held_out])
    good = np.array([o.free >= 0.5 for o in held_out])
    loss = -float(np.mean(np.where(good, np.log(chances), np.log(1 - chances))))
    weak, strong = np.array([o.free for o in held_out]), np.array([o.full for o in held_out])
    return loss, to_apgr(-chances, weak, strong), float(chances.mean())


def main() -> None:
    """Play, learn and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--turns", type=int, default=5_000)
    arguments = parser.parse_args()
    outcomes = read_outcomes(arguments.data / "eval" / "routellm_mmlu.parquet")
    random.Random(SEED).shuffle(outcomes)
    held_out, traffic = outcomes[:HELD_OUT], outcomes[HELD_OUT:][: arguments.turns]
    base = load_shipped_estimator()
    right = sum(o.free >= 0.5 for o in held_out) / len(held_out)
    print(f"{len(traffic):,} turns; the free tier is right in {right:.0%} of the held-out ones.")
    print("| Feedback | opinions | accepted | log loss | APGR | mean p_free |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(_row("none: the shipped model", "0", "", measured(base, held_out)))
    for people in PEOPLE:
        learned, report = refit(base, played(traffic, people, base), 1)
        figures = measured(LearnedEstimator(base, learned), held_out)
        verdict = "yes" if report.is_accepted else "no"
        print(_row(people.name, f"{report.marks:,}", verdict, figures))


def _row(name: str, opinions: str, verdict: str, figures: tuple[float, float, float]) -> str:
    loss, apgr, mean = figures
    assert math.isfinite(loss)
    return f"| {name} | {opinions} | {verdict} | {loss:.3f} | {apgr:.3f} | {mean:.2f} |"


if __name__ == "__main__":
    main()
