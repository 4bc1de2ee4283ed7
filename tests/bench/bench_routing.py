"""How long one routing decision takes, by the CPU clock of this process.

Run it with `python -m tests.bench.bench_routing`; it prints p50 and p99 for chat prompts, for
pages, and for a megabyte, and the first decision after loading.
"""

import time
from collections.abc import Sequence

import numpy as np

from adapters.training.evaluation import to_speed
from adapters.training.shipped import load_shipped_estimator, read_shipped_model
from adapters.training.synthetic import draw

ROUNDS = 4


def main() -> None:
    """Measure and print."""
    drawn = [p.text for p in draw(seed=99, per_language=10, english=400) if p.text]
    pages = [" ".join(drawn[i : i + 40])[:2_000] for i in range(0, len(drawn) - 40, 20)]
    megabyte = (" ".join(drawn) * 100)[:1_000_000]
    speed = to_speed(read_shipped_model(), drawn)
    print(f"chat prompts   p50 {speed.p50_us:7.0f} µs   p99 {speed.p99_us:7.0f} µs")
    print("pages of 2 KB  p50 {:7.0f} µs   p99 {:7.0f} µs".format(*_measure(pages)))
    print("1 MB           p50 {:7.0f} µs   p99 {:7.0f} µs".format(*_measure([megabyte] * 50)))
    print(f"first decision {speed.first_us:7.0f} µs, {speed.extra_mb:.1f} MB held")


def _measure(prompts: Sequence[str]) -> tuple[float, float]:
    estimator = load_shipped_estimator()
    taken = []
    for prompt in list(prompts) * ROUNDS:
        began = time.process_time_ns()
        estimator.estimate(prompt)
        taken.append(time.process_time_ns() - began)
    p50, p99 = np.quantile(np.array(taken) / 1000, (0.5, 0.99))
    return float(p50), float(p99)


if __name__ == "__main__":
    main()
