"""The soak's result as one table: what was measured, what is allowed, and whether it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.soak.diary import Diary
from tests.soak.kept import Kept
from tests.soak.vitals import Trend, Vitals, trend

MEMORY_MB, MEMORY_MB_AN_HOUR = 12.0, 12.0
"""How much memory may grow behind the warm-up: pools that fill, and so much for each hour."""
HANDLES, THREADS, TASKS = 8.0, 4.0, 4.0
"""How much these may differ at the end's quiet: pooled connections and their readers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    name: str
    measured: str
    allowed: str
    is_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the run went."""

    minutes: float
    warm_up_s: float
    database: str
    seed: int
    vitals: Sequence[Vitals]
    empty_mb: float
    """How large the database was before."""
    exit_code: int
    errors: Sequence[str]
    """Lines of the program's log above a warning."""
    unfinished: list[str]
    """Answers that still look on a platform as if text were coming."""
    doubled: list[str]
    """Messages of ours that stand twice on a platform."""


def findings(course: Course, kept: Kept, diary: Diary) -> list[Finding]:
    """Everything that is checked."""
    return [*_promises(course, kept, diary), *_growth(course), *_rows(kept)]


def _promises(course: Course, kept: Kept, diary: Diary) -> list[Finding]:
    return [
        _none("prompts with neither answer nor reason", kept.lost, len(diary.prompts)),
        _none("prompts whose answer nobody can see", kept.unseen, len(diary.prompts)),
        _none("answers that still look unfinished", course.unfinished, 0),
        _none("messages that stand twice", course.doubled, 0),
        _zero("nano-dollars still held", kept.held),
        _zero("calls still open", kept.open_calls),
        _none("errors in the log", course.errors, 0),
        _zero("exit code", course.exit_code),
    ]


def _growth(course: Course) -> list[Finding]:
    warm = [v for v in course.vitals if v.at_s >= course.warm_up_s]
    hours = (warm[-1].at_s - warm[0].at_s) / 3600 if warm else 0.0
    quiet = [v for v in warm if v.is_quiet]
    most_mb = MEMORY_MB + MEMORY_MB_AN_HOUR * hours
    return [
        _grows("memory, MB", warm, lambda v: v.memory_mb, most_mb),
        _grows("memory when quiet, MB", quiet, lambda v: v.memory_mb, most_mb),
        _grows("open handles when quiet", quiet, lambda v: v.handles, HANDLES),
        _grows("threads when quiet", quiet, lambda v: v.threads, THREADS),
        _grows("asyncio tasks when quiet", quiet, lambda v: v.tasks, TASKS),
    ]


def _rows(kept: Kept) -> list[Finding]:
    return [
        *(_zero(name, count) for name, count in kept.orphans.items()),
        _zero("rows of the engine that a day later are left", kept.engine_rows_tomorrow),
    ]


def _zero(name: str, count: int) -> Finding:
    return Finding(name, str(count), "0", count == 0)


def _none(name: str, found: Sequence[str], of: int) -> Finding:
    shown = f"{len(found)}" + (f" of {of}" if of else "")
    return Finding(name, shown, "0", not found)


def _grows(
    name: str, vitals: Sequence[Vitals], pick: Callable[[Vitals], float], most: float
) -> Finding:
    line = trend([v.at_s for v in vitals], [pick(v) for v in vitals])
    ends = f"{pick(vitals[0]):.0f} → {pick(vitals[-1]):.0f}" if vitals else "-"
    return Finding(name, f"{ends}, line {_signed(line)}", f"+{most:.0f}", line.at_least <= most)


def _signed(line: Trend) -> str:
    return f"{line.growth:+.1f} ± {line.uncertainty:.1f}"


def to_table(course: Course, kept: Kept, diary: Diary) -> str:
    """The whole result as Markdown, which a terminal shows as well."""
    found = findings(course, kept, diary)
    rows = [f"| {f.name} | {f.measured} | {f.allowed} | {_mark(f)} |" for f in found]
    faults = [
        f"- {name}: {', '.join(list(which)[:10])}"
        for name, which in (
            ("lost", kept.lost),
            ("unseen", kept.unseen),
            ("unfinished", course.unfinished),
            ("twice", course.doubled),
            ("errors", course.errors),
        )
        if which
    ]
    return "\n".join(
        [
            *_heading(course, kept, diary),
            "",
            "| | Measured | Allowed | |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            *faults,
            "",
            "What was done: " + ", ".join(f"{n} {what}" for what, n in diary.did.most_common()),
            "",
            "Refused in words: " + (_counts(diary.refused) or "nothing"),
            "",
            "Rows: " + ", ".join(f"{name} {n}" for name, n in sorted(kept.rows.items()) if n),
        ]
    )


def _heading(course: Course, kept: Kept, diary: Diary) -> list[str]:
    first, last = course.vitals[0], course.vitals[-1]
    share = (last.cpu_s - first.cpu_s) / max(1.0, last.at_s - first.at_s)
    turns = sum(kept.turns.values())
    each_kb = (kept.size_mb - course.empty_mb) * 1024 / max(1, turns)
    return [
        f"{course.minutes:g} minutes on {course.database}, seed {course.seed}, "
        f"{time.strftime('%F')}, {os.cpu_count()} cores. "
        f"{turns} prompts ({_counts(kept.turns)}), {share:.0%} of one core; "
        f"growth is measured behind a warm-up of {course.warm_up_s:.0f} s. "
        f"The database grew from {course.empty_mb:.1f} to {kept.size_mb:.1f} MB, {each_kb:.1f} KB "
        f"for each prompt, {kept.engine_rows} rows of the engine in it, which go after a day.",
    ]


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(counted.items()))


def _mark(finding: Finding) -> str:
    return "✓" if finding.is_well else "**broken**"


def is_well(course: Course, kept: Kept, diary: Diary) -> bool:
    """Whether everything holds."""
    return all(finding.is_well for finding in findings(course, kept, diary))
