"""`./parley bench`: what is run, how results compare, and the table in the docs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench.figures import RECORD, Figure, shown, tell_spread
from tests.bench.kept import Machine, Result, is_worse, kept_result, to_result, worse_by
from tests.bench.table import BEGIN, DOCS, END, lines, slower, write_docs

MACHINE = Machine(date="2026-11-23", cores=2, python="3.11", load=0.5, yardstick_ms=20.0)
FAST = Figure(name="answer", value=10.0, unit="ms", target=25.0)


def result(*figures: Figure, machine: Machine = MACHINE) -> Result:
    return Result(machine=machine, figures={"start": figures})


@pytest.mark.parametrize("name", bench.benches())
def test_every_bench_says_what_it_measures(name: str) -> None:
    assert bench.benches()[name].about


def test_a_bench_that_does_not_exist_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "speed"])
    assert bench.main() == 2
    assert "There is no bench speed. There are: check," in capsys.readouterr().out


def test_what_a_bench_tells_is_printed_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(RECORD, str(tmp_path / "figures"))
    tell_spread("wait", [float(n) for n in range(100)], "ms", p50=25, p99=100)
    assert len((tmp_path / "figures").read_text().splitlines()) == 2
    assert "target ≤ 25  MISSED" in capsys.readouterr().out


def test_a_result_is_read_as_it_was_kept() -> None:
    told = result(FAST, Figure(name="speed", value=3.25, unit="tok/s", is_more_better=True))
    assert to_result(told.to_json()) == told


@pytest.mark.parametrize(
    ("now", "speed", "is_slow"),
    [
        (FAST, 1.0, False),
        (replace(FAST, value=12.9), 1.0, False),
        (replace(FAST, value=13.1), 1.0, True),
        (replace(FAST, value=13.1), 0.5, False),  # this machine takes twice as long for anything
        (replace(FAST, value=26.0, noise=5.0), 1.0, True),  # a target that was met is missed
    ],
)
def test_slower_is_what_is_worse_by_more_than_the_noise(
    now: Figure, speed: float, is_slow: bool
) -> None:
    assert is_worse(now, FAST, speed=speed) is is_slow


def test_where_more_is_better_less_is_worse() -> None:
    then = Figure(name="speed", value=30.0, unit="tok/s", is_more_better=True)
    assert worse_by(replace(then, value=15.0), then, speed=1.0) == 2.0
    assert is_worse(replace(then, value=15.0), then, speed=1.0)


def test_the_better_of_two_runs_counts() -> None:
    once, again = result(replace(FAST, value=14.0)), result(replace(FAST, value=11.0))
    assert slower(once, result(FAST)) == [("start", "answer")]
    assert slower(once.best_of(again), result(FAST)) == []


def test_a_figure_that_appears_in_no_kept_result_is_not_compared() -> None:
    told = "\n".join(lines(result(FAST, replace(FAST, name="new")), result(FAST)))
    assert told.count("1.00×") == 1


def test_a_kept_result_takes_its_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# Benchmarks\n\n{BEGIN}\nold\n{END}\n\n## After\n")
    write_docs(result(FAST), page)
    write_docs(result(FAST), page)
    text = page.read_text()
    assert text.count("| answer | 10 ms | ≤ 25 |") == 1
    assert "old" not in text
    assert text.endswith(f"{END}\n\n## After\n")


def test_the_page_shows_what_is_kept() -> None:
    kept, page = kept_result(), DOCS.read_text("utf-8")
    assert (str(kept.machine) if kept else "None yet") in page


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123, "0.012"), (1.5, "1.50"), (15.25, "15.2"), (1234.5, "1,234")],
)
def test_values_are_shown_with_three_digits(value: float, text: str) -> None:
    assert shown(value) == text
