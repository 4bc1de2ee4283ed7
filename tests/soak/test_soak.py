"""The short form of the soak, and the line that it is judged by."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from adapters.logs import JsonFormatter
from tests.soak.run import ERROR, Plan, soak
from tests.soak.verdict import findings, to_table
from tests.soak.vitals import trend


@pytest.mark.timeout(300)
async def test_mixed_load_with_faults_leaves_nothing_behind(tmp_path: Path) -> None:
    plan = Plan(minutes=0.2, acts_a_minute=120, seed=5)

    course, kept, town = await soak(plan, f"sqlite:///{tmp_path / 'parley.db'}", tmp_path, print)

    broken = [f.name for f in findings(course, kept, town.diary) if not f.is_well]
    assert broken == [], to_table(course, kept, town.diary)
    assert len(town.diary.prompts) > 20


def test_an_error_is_found_in_the_log_as_it_is_written() -> None:
    lines = [
        JsonFormatter().format(logging.LogRecord("soak", level, "", 0, f"said {level}", None, None))
        for level in (logging.WARNING, logging.ERROR, logging.CRITICAL)
    ]

    assert ERROR.findall("\n".join(["Parley is at …", *lines])) == lines[1:]


def test_a_steady_growth_is_told_from_noise() -> None:
    times_s = [float(n) for n in range(100)]
    noise = [1.0 if n % 2 else -1.0 for n in range(100)]

    leaking = trend(times_s, [300 + n * 0.5 + noise[n] for n in range(100)])
    steady = trend(times_s, [300 + noise[n] for n in range(100)])

    assert leaking.growth == pytest.approx(49.5, abs=1)
    assert leaking.at_least > 45
    assert abs(steady.growth) < 1
