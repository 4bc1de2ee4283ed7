"""Is checking worth it? Answers, price and waiting, with and without check-then-escalate.

Run: python -m tests.bench.bench_check [--questions N]
Scripted models of known competence and pace on a loopback server; every question is a toss-up.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import re
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.cli.ask import to_incoming
from adapters.cli.console import ConsoleDelivery, ConsoleSink
from adapters.cli.program import Terminal
from adapters.main import Main
from bot.difficulty import Estimator
from bot.metering import total_cost
from bot.money import format_usd
from bot.replies import Reply as Answer
from bot.settings import SettingChange
from bot.strategies.vote import normalise, short_answer
from bot.turns import Turn
from tests.bench.bench_strategies import Question, questions
from tests.bench.figures import Figure, record
from tests.fakes import FixedEstimator
from tests.loopback.providers import ProviderServer, Reply
from tests.loopback.providers.record import Seen

WAYS = {
    "free tier": ("@fast ", "off"),
    "free tier, checked": ("", "on"),
    "full tier": ("@heavy ", "off"),
}
COMPETENCE = {"small": 0.6, "middle": 0.8, "big": 0.95}
ADMITS = {True: 0.03, False: 0.3}
"""How often a model says that it is not sure, when it is right and when it is wrong."""
JUDGE_SEES, JUDGE_DOUBTS = 0.8, 0.1
PACE_S = {"small": 0.3, "middle": 0.4, "big": 0.8}
"""Until the first text; the whole takes twice as long. A verdict takes a third of it."""
AT_ONCE = 8
_ANSWER = re.compile(r"ANSWER: (-?\d+)")
_MODELS = """
[[model]]
alias = "small"
id = "groq/small"
tier = "free"
free_quota = true
context_tokens = 100_000
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.4
api_base = "{groq}"

[[model]]
alias = "middle"
id = "openai/middle"
tier = "cheap"
context_tokens = 100_000
input_usd_per_mtok = 1
output_usd_per_mtok = 5
api_base = "{openai}"

[[model]]
alias = "big"
id = "anthropic/big"
tier = "full"
context_tokens = 100_000
input_usd_per_mtok = 3
output_usd_per_mtok = 15
api_base = "{anthropic}"
"""


class ScriptedModels:
    """Models that are right as often as they are told to be; a judge that sees most errors."""

    def __init__(self, asked: Sequence[Question]) -> None:
        self._answers = {question.text.split(":")[0]: question.answer for question in asked}

    def __call__(self, seen: Seen) -> Reply:
        prompt = "\n".join(str(message["content"]) for message in seen.messages)
        found = re.search(r"Problem \d+", prompt)
        right = self._answers[found[0]] if found else 0
        name, is_check = seen.model.split("/")[-1], "<answer>" in prompt
        seed = f"{name} {found[0] if found else ''} {is_check}"
        dice = random.Random(hashlib.sha256(seed.encode()).digest())
        pace_s = PACE_S[name]
        if is_check:
            given = int(_ANSWER.findall(prompt.split("<answer>")[1])[0])
            fails = dice.random() < (JUDGE_DOUBTS if given == right else JUDGE_SEES)
            return Reply(text="NO" if fails else "YES", first_delay_s=pace_s / 3)
        is_right = dice.random() < COMPETENCE[name]
        doubt = "I'm not sure, but: " if dice.random() < ADMITS[is_right] else ""
        text = f"{doubt}step by step …\nANSWER: {right if is_right else right + 10}"
        return Reply(text=text, first_delay_s=pace_s, chunk_delay_s=4 * pace_s / len(text))


class _TimedSink(ConsoleSink):
    """Remembers when it was opened, when text came and when it ended."""

    def __init__(self, delivery: ConsoleDelivery, turn: Turn) -> None:
        super().__init__(turn, delivery.out, delivery.err, is_quiet=True)
        self._now = asyncio.get_running_loop().time
        self._opened_s = self._now()
        self.first_s = self.whole_s = 0.0

    def append(self, text: str) -> None:
        self.first_s = self.first_s or self._now() - self._opened_s
        super().append(text)

    async def finish(self, reply: Answer) -> None:
        self.whole_s = self._now() - self._opened_s
        await super().finish(reply)


@dataclass(slots=True)
class _TimedDelivery(ConsoleDelivery):
    sinks: dict[str, _TimedSink] = field(default_factory=dict)

    async def open(self, turn: Turn) -> ConsoleSink:
        self.sinks[turn.turn_id] = sink = _TimedSink(self, turn)
        return sink


class _Unsure(Main):
    """The program, with a router that is unsure of the free tier each time."""

    def estimator(self) -> Estimator:
        return FixedEstimator(0.6, 0.65, 0.95)


@dataclass(slots=True)
class Result:
    """What one way of asking came to."""

    right: int = 0
    calls: int = 0
    escalated: int = 0
    cost: int = 0
    first_s: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)

    def row(self, asked: int) -> str:
        """One line of the table."""
        first, whole = (statistics.median(times) for times in (self.first_s, self.whole_s))
        share = f"{self.right / asked:.0%}"
        thousand = format_usd(self.cost * 1_000 // asked)
        each = f"{self.calls / asked:.2f}"
        up = f"{self.escalated / asked:.0%}"
        return f"{share:>7}{each:>8}{up:>11}{thousand:>14}{first:>13.2f}{whole:>12.2f}"


async def measure(
    terminal: Terminal, delivery: _TimedDelivery, asked: Sequence[Question], way: str
) -> Result:
    """Ask every question in one way, a few at a time."""
    tag, check = WAYS[way]
    store, result = terminal.parts.store, Result()
    for name, value in (("check", check), ("dial", "0")):
        now = terminal.parts.clock.now()
        change = SettingChange(
            scope_id="terminal/local", name=name, after=value, user_id="bench", at=now
        )
        await store.set_setting(change)
    for start in range(0, len(asked), AT_ONCE):
        some = asked[start : start + AT_ONCE]
        turns = [
            await terminal.parts.inbox.accept(
                to_incoming(f"{tag}{question.text}", f"{way} {start + number}", terminal)
            )
            for number, question in enumerate(some)
        ]
        await terminal.queue.join()
        for turn, question in zip(turns, some, strict=True):
            assert turn is not None
            sink = delivery.sinks[turn.turn_id]
            entries = await store.entries(turn.turn_id)
            assert sink.reply is not None, sink.notice
            given = short_answer(sink.reply.text)
            result.right += normalise(given) == normalise(str(question.answer))
            result.calls += len(entries)
            result.escalated += any(":escalate" in entry.call_id for entry in entries)
            result.cost += total_cost(entries) or 0
            result.first_s.append(sink.first_s)
            result.whole_s.append(sink.whole_s)
    return result


async def run(asked: Sequence[Question]) -> None:
    """Ask in every way and print a table."""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in COMPETENCE.items())
    print(f"{len(asked)} questions, all toss-ups; right by themselves: {shares}.")
    print(
        f"Not sure: {ADMITS[False]:.0%} of wrong answers say so, {ADMITS[True]:.0%} of right ones;"
    )
    print(
        f"the judge (middle) fails {JUDGE_SEES:.0%} of wrong and {JUDGE_DOUBTS:.0%} of right ones."
    )
    with tempfile.TemporaryDirectory() as folder:
        async with ProviderServer() as server:
            server.script(ScriptedModels(asked))
            path = Path(folder) / "models.toml"
            path.write_text(_MODELS.format(**server.bases), encoding="utf-8")
            keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GROQ_API_KEY"), "k")
            home = str(Path(folder) / "data")
            os.environ |= {"PARLEY_HOME": home, "PARLEY_MODELS": str(path), "PARLEY_LOCAL": "off"}
            os.environ |= keys
            await _table(asked)


async def _table(asked: Sequence[Question]) -> None:
    delivery, program = _TimedDelivery(is_quiet=True), _Unsure()
    async with program.open_terminal(program.settings(), delivery) as terminal:
        await measure(terminal, delivery, asked[:1], "full tier")  # while LiteLLM is loaded
        print(
            f"{'':20}{'right':>7}{'calls':>8}{'escalated':>11}{'$ for 1,000':>14}"
            f"{'first text s':>13}{'all text s':>12}"
        )
        for way in WAYS:
            result = await measure(terminal, delivery, asked, way)
            print(f"{way:20}{result.row(len(asked))}")
            keep(way, result, len(asked))


def keep(way: str, result: Result, asked: int) -> None:
    """Add a way's figures to the record."""
    right = 100 * result.right / asked
    record(Figure(name=f"{way}: right", value=right, unit="%", is_more_better=True, noise=0.1))
    calls = result.calls / asked
    record(Figure(name=f"{way}: calls for each question", value=calls, unit="", noise=0.1))
    whole_s = statistics.median(result.whole_s)
    record(Figure(name=f"{way}: whole text, median", value=whole_s, unit="s"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=100)
    asyncio.run(run(questions(parser.parse_args().questions)))


if __name__ == "__main__":
    main()
