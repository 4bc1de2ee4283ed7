"""How long one routing decision takes, by the CPU clock of this process.

Run it with `python -m tests.bench.bench_routing`; it prints p50 and p99 for chat prompts, for
pages, and for a megabyte, and the first decision after loading.
"""

import argparse
import time
from collections.abc import Sequence

from adapters.training.evaluation import to_speed
from adapters.training.shipped import load_shipped_estimator, read_shipped_model
from adapters.training.synthetic import draw
from tests.bench.figures import tell, tell_spread

ROUNDS = 4


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    drawn = [p.text for p in draw(seed=99, per_language=10, english=400) if p.text]
    pages = [" ".join(drawn[i : i + 40])[:2_000] for i in range(0, len(drawn) - 40, 20)]
    megabyte = (" ".join(drawn) * 100)[:1_000_000]
    speed = to_speed(read_shipped_model(), drawn)
    tell("chat prompts, p50", speed.p50_us, "µs", target=150)
    tell("chat prompts, p99", speed.p99_us, "µs", target=1_500, noise=0.6)
    tell_spread("pages of 2 KB", _measure(pages), "µs")
    tell_spread("1 MB", _measure([megabyte] * 50), "µs")
    tell("the first decision", speed.first_us, "µs", noise=0.6)
    tell("memory held", speed.extra_mb, "MB")


def _measure(prompts: Sequence[str]) -> list[float]:
    estimator = load_shipped_estimator()
    taken = []
    for prompt in list(prompts) * ROUNDS:
        began = time.process_time_ns()
        estimator.estimate(prompt)
        taken.append((time.process_time_ns() - began) / 1000)
    return taken


if __name__ == "__main__":
    main()
